'use strict';

// A node of a real cluster, in a process of its own: Socket.IO 0.9 on a port, with one of the
// stores, or with 0.9's MemoryStore.

const http = require('node:http');
const { once } = require('node:events');

const SocketIO = require('socket.io');

const { reading } = require('./clock');
const { ClusterNode, dataNow } = require('./cluster-node');
const { serve } = require('./ipc');
const { STORES, WITH_ENGINE } = require('./stores');

let io;
const node = new ClusterNode(() => io.sockets.emit('message', dataNow()));

const actions = {
  /** `bytes` of session data are kept for each client. */
  async start({ name, port, bytes = 0 }) {
    const server = http.createServer();
    const store = STORES[name] ? STORES[name](port) : new SocketIO.MemoryStore();
    io = SocketIO.listen(server, { 'log level': 0, log: false, transports: ['websocket'], store });
    if (name === WITH_ENGINE) store.engine(io);
    io.sockets.on('connection', (socket) => {
      const done = () => node.connected();
      if (bytes > 0) socket.set('data', 'x'.repeat(bytes), done);
      else done();
    });
    // A server subscribes in order, so this one says that all before it are there.
    if (STORES[name]) await new Promise((resolve) => store.subscribe('bench-ready', () => {}, resolve));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { port: server.address().port };
  },

  /** Bytes of memory, after the garbage is gone. */
  memory() {
    for (let i = 0; i < 4; i += 1) globalThis.gc?.();
    return reading();
  },
};

serve({ ...node.actions, ...actions });
