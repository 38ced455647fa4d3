'use strict';

// The server under test, in a process of its own: a Socket.IO 4 server with one of the adapters, whose
// sockets only count. It does what the benchmark asks over IPC, and measures itself.

const { setTimeout: delay } = require('node:timers/promises');

const { Socket } = require('socket.io-4');

const { END_ROOM, EVENT, ROOM } = require('./adapter-messages');
const { startServer } = require('./adapters');
const { Arrivals } = require('./arrivals');
const { reading, since } = require('./clock');
const { emitInChunks, PATIENCE } = require('./emitting');
const { serve } = require('./ipc');
const { pace } = require('./pace');
const { percentile } = require('./statistics');
const { STAMP, timeNow } = require('./timestamp');

/** ms between two sockets that come back. */
const BETWEEN = 10;

let io;
const written = new Arrivals();
const ended = new Arrivals();
/** Called with what a socket writes, where that matters. */
let onPackets;

/** What a socket writes to, instead of an Engine.IO connection. */
class CountingClient {
  #arrivals;

  constructor(arrivals) {
    this.#arrivals = arrivals;
  }

  writeToEngine(packets) {
    onPackets?.(packets);
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

/** How long ago a packet was sent, in ms. @param {unknown} packet */
function age(packet) {
  return Number(process.hrtime.bigint() - BigInt(STAMP.exec(String(packet))[0])) / 1e6;
}

function percentiles(times) {
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
}

/** How many packets there are, as long as each stands behind the one before. */
function inOrder(packets, offset) {
  const order = packets.map((data) => data.at(-1).split('-').map(Number));
  let [ms, number] = offset.split('-').map(Number);
  const wrong = order.findIndex(([nextMs, next], index) => {
    const isBehind = nextMs > ms || (nextMs === ms && next > number);
    [ms, number] = [nextMs, next];
    return !isBehind || packets[index][0] !== EVENT;
  });
  return wrong < 0 ? packets.length : wrong;
}

const actions = {
  /** Starts a server with `name`'s adapter, and `sockets` sockets in the room. */
  async start({ name, port, sockets, options }) {
    io = await startServer(name, port, { options });
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

  /** Whether the socket has got something that ends a round. */
  heard: () => ended.received > 0,

  /** Sees how long ago each of `count` messages was sent when a socket writes it, which has the time in it. */
  async delays({ count }) {
    const delays = [];
    onPackets = ([packet]) => delays.push(age(packet));
    const end = written.expect(count, PATIENCE);
    const before = reading();
    process.send({ ready: true });
    await end;
    onPackets = undefined;
    return { ...since(before, count), ...percentiles(delays), received: written.received };
  },

  /** Brings back the session of a socket in the room, `count` times, with what it has missed behind `offset`. */
  async recover({ count, offset }) {
    const { adapter } = io.of('/');
    const times = [];
    let received = 0;
    const before = reading();
    for (let index = 0; index < count; index += 1) {
      const pid = `pid-${index}`;
      adapter.persistSession({ sid: `sid-${index}`, pid, rooms: [ROOM], data: {} });
      await delay(BETWEEN);
      const start = performance.now();
      const { missedPackets } = await adapter.restoreSession(pid, offset);
      times.push(performance.now() - start);
      received += inOrder(missedPackets, offset);
    }
    return { ...since(before, count), ...percentiles(times), received };
  },

  /** Emits, and measures until all has left and has come back: see `emitInChunks`. */
  async emit(what) {
    written.expect();
    const measured = await emitInChunks(what, (data) => io.to(ROOM).emit(EVENT, data), ended);
    return { ...measured, written: written.received };
  },

  /** Emits `count` times, `rate` a second, with the time. */
  async trickle({ count, rate, data }) {
    const before = reading();
    await pace(count, rate, () => io.to(ROOM).emit(EVENT, { ...data, sent: timeNow() }));
    return since(before, count);
  },
};

serve(actions);
