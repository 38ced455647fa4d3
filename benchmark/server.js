'use strict';

// A node of a real cluster, in a process of its own: Socket.IO 0.9 on a port, with one of the
// stores, or with 0.9's MemoryStore.

const http = require('node:http');
const { once } = require('node:events');

const SocketIO = require('socket.io');

const { reading, since } = require('./clock');
const { serve } = require('./ipc');
const { STORES } = require('./stores');

let io;
let before;
let connected = 0;
let ready = () => {};

const actions = {
  /** `bytes` of session data are kept for each client. */
  async start({ name, port, bytes = 0 }) {
    const server = http.createServer();
    const store = STORES[name] ? STORES[name](port) : new SocketIO.MemoryStore();
    io = SocketIO.listen(server, { 'log level': 0, log: false, transports: ['websocket'], store });
    io.sockets.on('connection', (socket) => {
      const done = () => {
        connected += 1;
        ready();
      };
      if (bytes > 0) socket.set('data', 'x'.repeat(bytes), done);
      else done();
    });
    // A server subscribes in order, so this one says that all before it are there.
    if (STORES[name]) await new Promise((resolve) => store.subscribe('bench-ready', () => {}, resolve));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { port: server.address().port };
  },

  /** Waits until `count` clients are connected and have their data. */
  async connections({ count }) {
    while (connected < count) await new Promise((resolve) => { ready = () => resolve(undefined); });
    return {};
  },

  /** Bytes of memory, after the garbage is gone. */
  memory() {
    for (let i = 0; i < 4; i += 1) globalThis.gc?.();
    return reading();
  },

  begin() {
    before = reading();
    return {};
  },

  /** What was used since `begin`, for each of `count` broadcasts. */
  end({ count }) {
    return since(before, count);
  },

  /** Emits `count` broadcasts that bear the time, `rate` a second, a few to a turn at high rates. */
  async emit({ count, rate }) {
    const start = performance.now();
    for (let sent = 0; sent < count; sent += 1) {
      const wait = start + (sent / rate) * 1000 - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      io.sockets.emit('message', { sent: String(process.hrtime.bigint()), text: 'x'.repeat(100) });
    }
    return {};
  },
};

serve(actions);
