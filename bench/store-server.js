'use strict';

// The server under test, in a process of its own: a real Socket.IO 0.9 server with one of the stores. It
// does what the benchmark asks over IPC, and measures itself.

const http = require('node:http');

const SocketIO = require('socket.io');

const { Arrivals } = require('./arrivals');
const { reading, since } = require('./clock');
const { serve } = require('./ipc');
const { median } = require('./statistics');
const { NODE_ID, ROOM } = require('./store-messages');
const { STORES } = require('./stores');

let io;
let store;
const arrivals = new Arrivals();
const arrived = () => arrivals.arrived();

/** Says that the load may begin, and waits until `count` packets have reached the transport. */
async function arrival(count) {
  const all = arrivals.expect(count);
  process.send({ ready: true });
  await all;
}

/** Sets and gets a field in turns, until `count` commands are done. */
function setAndGet(client, count) {
  return new Promise((resolve, reject) => {
    let left = count;
    const next = (error) => {
      if (error) return reject(error);
      if (left === 0) return resolve(undefined);
      left -= 1;
      return left % 2 ? client.set('nickname', 'somebody', next) : client.get('nickname', next);
    };
    next(null);
  });
}

const actions = {
  /** Starts a server with `name`'s store, and one transport in the room `/bench`. */
  async start({ name, port }) {
    store = STORES[name](port, { nodeId: () => NODE_ID });
    io = SocketIO.listen(http.createServer(), { 'log level': 0, log: false, store });
    io.onJoin('client', ROOM);
    io.transports.client = { open: true, onDispatch: arrived };
    // A server subscribes in order, so its last channel says that all are there.
    await new Promise((resolve) => store.subscribe('bench-ready', () => {}, resolve));
  },

  /** Subscribes to `count` further channels. */
  async channels({ count }) {
    for (let i = 0; i < count; i += 1) {
      const last = i === count - 1;
      const done = new Promise((resolve) => store.subscribe(`further-${i}`, () => {}, last ? resolve : undefined));
      if (last) await done;
    }
  },

  /** Measures until `count` packets have arrived; `messages` is what to divide by. */
  async receive({ count, messages = count }) {
    const before = reading();
    await arrival(count);
    return { ...since(before, messages), received: arrivals.received };
  },

  /** Measures how old packets are that bear the time at which they were published. */
  async latency({ count }) {
    const ages = [];
    io.transports.client.onDispatch = (packet) => {
      ages.push(Number(process.hrtime.bigint() - BigInt(packet.slice(packet.lastIndexOf(':') + 1))) / 1000);
      arrived();
    };
    const before = reading();
    await arrival(count);
    io.transports.client.onDispatch = arrived;
    return { ...since(before, count), received: arrivals.received, latency: median(ages) };
  },

  /** Publishes `count` times, `burst` to a turn of the event loop, and measures until all have left. */
  async publish({ count, burst, packet }) {
    const before = reading();
    for (let sent = 0; sent < count;) {
      for (let i = 0; i < burst && sent < count; i += 1, sent += 1) {
        store.publish('dispatch', ROOM, packet, false, []);
      }
      await new Promise(setImmediate);
    }
    await flushed(store);
    return since(before, count);
  },

  /** Sets and gets session data, `concurrency` clients at a time. */
  async session({ count, concurrency }) {
    const start = performance.now();
    const before = reading();
    const share = count / concurrency;
    await Promise.all(Array.from({ length: concurrency }, (_, i) => setAndGet(store.client(`client-${i}`), share)));
    return { ...since(before, count), received: count, rate: (count / (performance.now() - start)) * 1000 };
  },
};

/** Waits until Redis has answered all that was published. */
async function flushed({ pub, stats }) {
  if (pub) {
    await new Promise((resolve) => pub.ping(resolve));
    return;
  }
  while (stats.call(store).queues.publish.messages > 0) await new Promise((resolve) => setTimeout(resolve, 1));
}

serve(actions);
