'use strict';

// The server under test, in a process of its own: a Socket.IO 4 server with one of the adapters, whose
// sockets only count. It does what the benchmark asks over IPC, and measures itself.

const { Socket } = require('socket.io-4');

const { END_ROOM, EVENT, ROOM } = require('./adapter-messages');
const { startServer } = require('./adapters');
const { Arrivals } = require('./arrivals');
const { reading, since } = require('./clock');
const { serve } = require('./ipc');
const { pace } = require('./pace');
const { timeNow } = require('./timestamp');

/** ms after which a round is over though its last message is missing. */
const PATIENCE = 60_000;

let io;
const written = new Arrivals();
const ended = new Arrivals();

/** What a socket writes to, instead of an Engine.IO connection. */
class CountingClient {
  #arrivals;

  constructor(arrivals) {
    this.#arrivals = arrivals;
  }

  writeToEngine() {
    this.#arrivals.arrived();
  }
}

/** Puts a socket into a room: a real one but for its client. */
function addSocket(id, room, arrivals) {
  const nsp = io.of('/');
  const socket = Object.create(Socket.prototype);
  Object.assign(socket, {
    id,
    nsp,
    server: io,
    adapter: nsp.adapter,
    data: {},
    acks: new Map(),
    client: new CountingClient(arrivals),
  });
  nsp.sockets.set(id, socket);
  nsp.adapter.addAll(id, new Set([id, room]));
}

const actions = {
  /** Starts a server with `name`'s adapter, and `sockets` sockets in the room. */
  async start({ name, port, sockets }) {
    io = await startServer(name, port);
    for (let i = 0; i < sockets; i += 1) addSocket(`socket-${i}`, ROOM, written);
    addSocket('end', END_ROOM, ended);
  },

  /** Measures until all has arrived, `chunk` messages at a time, each with a last one behind it. */
  async receive({ count, chunk }) {
    written.expect();
    let ends = 0;
    const before = reading();
    for (let asked = 0; asked < count; asked += chunk) {
      const end = ended.expect(1, PATIENCE);
      process.send({ ready: true });
      await end;
      ends += ended.received;
    }
    return { ...since(before, count), received: written.received + ends };
  },

  /**
   * Emits `count` times, `burst` to a turn of the event loop, and measures until all has left and
   * has come back; no more than `chunk` are under way.
   */
  async emit({ count, chunk, burst, data }) {
    written.expect();
    const before = reading();
    for (let sent = 0; sent < count;) {
      const end = ended.expect(1, PATIENCE);
      for (const goal = Math.min(count, sent + chunk); sent < goal;) {
        for (let i = 0; i < burst && sent < goal; i += 1, sent += 1) {
          data.sequence = sent;
          io.to(ROOM).emit(EVENT, data);
        }
        await new Promise(setImmediate);
      }
      await end;
    }
    return { ...since(before, count), written: written.received };
  },

  /** Emits `count` times, `rate` a second, with the time. */
  async trickle({ count, rate, data }) {
    const before = reading();
    await pace(count, rate, () => io.to(ROOM).emit(EVENT, { ...data, sent: timeNow() }));
    return since(before, count);
  },
};

serve(actions);
