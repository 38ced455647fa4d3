'use strict';

/**
 * A server of Socket.IO 4, in a process of its own. The installed app calls it with what it has
 * required or imported itself. The parent sends texts to broadcast, and ends it by disconnecting.
 */

const http = require('node:http');
const { createRequire } = require('node:module');

/** Whether an adapter is built on the base class of the app's own socket.io. @param {any} adapter */
function isAtHome(adapter) {
  const socketIo = createRequire(process.env.APP + '/index.js').resolve('socket.io');
  return adapter instanceof createRequire(socketIo)('socket.io-adapter').Adapter;
}

/**
 * @param {any} Server
 * @param {any} adapter what makes adapters
 * @param {() => void} [close] closes what the adapter stands on
 */
module.exports = function app(Server, adapter, close = () => {}) {
  const server = http.createServer();
  const io = new Server(server, { adapter });
  io.on('connection', (/** @type {any} */ socket) => {
    socket.join('room');
    setImmediate(() => socket.emit('ready'));
  });
  process.on('message', (text) => io.to('room').emit('news', text, Buffer.from(String(text))));
  // Then nothing may keep the process alive.
  process.on('disconnect', () => {
    io.close();
    close();
  });
  server.listen(0, '127.0.0.1', () => {
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    process.send?.({ port, atHome: isAtHome(io.of('/').adapter) });
  });
};
