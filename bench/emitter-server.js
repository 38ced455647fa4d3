'use strict';

// The emitter under test, in a process of its own, which does what the benchmark asks over IPC and measures itself.

const { Redis } = require('ioredis-6');

const { channelOf, END_ROOM, EVENT, ROOM } = require('./adapter-messages');
const { Arrivals } = require('./arrivals');
const { reading, since } = require('./clock');
const { startEmitter } = require('./emitters');
const { serve } = require('./ipc');

/** ms after which a round is over though its last message is missing. */
const PATIENCE = 60_000;

let emitter;
const ended = new Arrivals();

const actions = {
  /** Starts the emitter, and hears what ends a chunk. */
  async start({ name, port }) {
    emitter = await startEmitter(name, port);
    const subscriber = new Redis(port, '127.0.0.1');
    subscriber.on('messageBuffer', () => ended.arrived());
    await subscriber.subscribe(channelOf(END_ROOM));
  },

  /**
   * Emits `count` times, `burst` to a turn of the event loop, and measures until all has come out of Redis; no more
   * than `chunk` are under way.
   */
  async emit({ count, chunk, burst, data }) {
    const before = reading();
    for (let sent = 0; sent < count;) {
      const end = ended.expect(1, PATIENCE);
      for (const goal = Math.min(count, sent + chunk); sent < goal;) {
        for (let i = 0; i < burst && sent < goal; i += 1, sent += 1) {
          data.sequence = sent;
          emitter.to(ROOM).emit(EVENT, data);
        }
        await new Promise(setImmediate);
      }
      await end;
    }
    return { ...since(before, count), written: 0 };
  },
};

serve(actions);
