'use strict';

// The emitter under test, in a process of its own, which does what the benchmark asks over IPC and measures itself.

const { Redis } = require('ioredis-6');

const { channelOf, END_ROOM, EVENT, ROOM } = require('./adapter-messages');
const { Arrivals } = require('./arrivals');
const { startEmitter } = require('./emitters');
const { emitInChunks } = require('./emitting');
const { serve } = require('./ipc');

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

  /** Emits, and measures: see `emitInChunks`. */
  async emit(what) {
    return { ...(await emitInChunks(what, (data) => emitter.to(ROOM).emit(EVENT, data), ended)), written: 0 };
  },
};

serve(actions);
