'use strict';

/**
 * A thread with a server of Socket.IO on native WebSockets, whose event loop stands still when it is told to, until
 * the memory that it shares says otherwise.
 */

const http = require('node:http');
const { parentPort, workerData } = require('node:worker_threads');
const { Server } = require('socket.io-4');
const { createAdapter, WebSocketServer } = require('../..');

const { url, shared } = workerData;
const flag = new Int32Array(shared);
const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);

const server = http.createServer();
const adapter = createAdapter(url);
const io = new Server(server, { adapter, wsEngine: WebSocketServer });
io.on('connection', (socket) => {
  socket.join('room');
  socket.on('late', () => port.postMessage('late'));
});
port.on('message', () => {
  port.postMessage('blocked');
  Atomics.wait(flag, 0, 0);
  port.postMessage('free');
});
adapter.ready().then(() => {
  server.listen(0, '127.0.0.1', () => port.postMessage({ port: /** @type {any} */ (server.address()).port }));
});
