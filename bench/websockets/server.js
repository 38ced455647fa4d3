'use strict';

// The server under test, in a process of its own: Socket.IO 4 on one of the engines. A client is put into
// the room that its request names.

const { monitorEventLoopDelay } = require('node:perf_hooks');

const { EVENT } = require('../adapter-messages');
const { Arrivals } = require('../arrivals');
const { reading, since } = require('../clock');
const { ClusterNode } = require('../cluster-node');
const { serve } = require('../ipc');
const { pace } = require('../pace');
const { percentile } = require('../statistics');
const { OURS, startEngine } = require('./engines');
const { dataNow, KINDS, TEXT } = require('./messages');

const { WebSocketServer } = require('../..');

/** ms between two looks at the event loop's delay; those in a long one are a single one. */
const RESOLUTION = 10;
/** Of so many messages one is timed: to look at the clock costs something, too. */
const TIMED = 16;

let io;
let delay;
const sockets = [];
const node = new ClusterNode((number) => io.emit(EVENT, dataNow(KINDS.broadcast, number)));
const arrivals = new Arrivals();
/** Of the messages of the clients: how long they took in ms, and what was wrong with them. */
let ages = [];
let mistakes = [];

/** One message of a client. */
function take(socket, { kind, sequence, sent, text }) {
  socket.data.number = (socket.data.number ?? 0) + 1;
  const right = kind === KINDS.up && Number(sequence) === socket.data.number && text === TEXT;
  if (!right) mistakes.push(`a client's message ${sequence} instead of ${socket.data.number}`);
  if (arrivals.received % TIMED === 0) ages.push(Number(process.hrtime.bigint() - BigInt(sent)) / 1e6);
  arrivals.arrived();
}

/** Sees to it that what is measured is what it says. */
function assertNative(name) {
  if (name !== OURS) return;
  const { open, fallbacks } = WebSocketServer.stats?.() ?? io.engine.ws.stats();
  const fallen = Object.values(fallbacks ?? {}).reduce((sum, each) => sum + each, 0);
  if (open < sockets.length || fallen > 0) throw new Error(`${open} of ${sockets.length} connections are native`);
}

const actions = {
  async start({ name, redis, options }) {
    const started = await startEngine(name, redis, options);
    io = started.io;
    io.on('connection', (socket) => {
      socket.join(socket.handshake.query.room);
      socket.on(EVENT, (data) => take(socket, data));
      sockets.push(socket);
      node.connected();
    });
    return { port: started.port };
  },

  /** Waits until `count` clients are there. */
  async connections({ name, count }) {
    await node.actions.connections({ count });
    assertNative(name);
    return {};
  },

  /** Wakes as often as `emit` does, for nothing. */
  async idle({ count, rate }) {
    await pace(count, rate, () => {});
    return {};
  },

  /** Measures the event loop's delay from now on, in place of the time. */
  watch() {
    delay = monitorEventLoopDelay({ resolution: RESOLUTION });
    delay.enable();
    return {};
  },

  /** The event loop's delay since then: what its timer was late, in ms. */
  delay() {
    delay.disable();
    return { delay: Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION) };
  },

  /**
   * Emits `count` times to one socket, to the sockets in turn, `burst` to a turn of the event loop and `rate` a
   * second.
   */
  async unicast({ count, burst, rate, room }) {
    const some = room ? sockets.filter(({ rooms }) => rooms.has(room)) : sockets;
    await pace(count / burst, rate / burst, (turn) => {
      for (let i = turn * burst; i < (turn + 1) * burst; i += 1) {
        some[i % some.length].emit(EVENT, dataNow(KINDS.unicast, Math.floor(i / some.length) + 1));
      }
    });
    return {};
  },

  /** Measures until `count` messages of clients have come. */
  async receive({ count, patience }) {
    ages = [];
    mistakes = [];
    for (const { data } of sockets) data.number = 0;
    const all = arrivals.expect(count, patience);
    const before = reading();
    process.send({ ready: true });
    await all;
    const used = since(before, count);
    const [p50, p99] = [0.5, 0.99].map((share) => percentile(ages, share));
    return { ...used, received: arrivals.received, mistake: mistakes[0] ?? '', p50, p99 };
  },

  /** Bytes of memory, after the garbage is gone. */
  memory() {
    for (let i = 0; i < 4; i += 1) globalThis.gc?.();
    return reading();
  },
};

serve({ ...node.actions, ...actions });
