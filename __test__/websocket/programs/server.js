'use strict';

/**
 * A server that echoes, and closes its HTTP server when a client says so. It runs as a process or as a thread, tells
 * its port, and has nothing else to do.
 */

const http = require('node:http');
const { parentPort } = require('node:worker_threads');
const { WebSocketServer } = require('../../..');

const tell = (/** @type {any} */ message) => (parentPort ? parentPort.postMessage(message) : process.send?.(message));

const server = http.createServer();
const wss = new WebSocketServer({ noServer: true });
server.on('upgrade', (req, socket, head) => {
  wss.handleUpgrade(req, socket, head, (webSocket) => {
    webSocket.on('message', (/** @type {any} */ data) => {
      if (String(data) === 'close') server.close();
      if (String(data) === 'exit') process.exit(7);
      if (String(data) === 'crash') throw new Error('on purpose');
      webSocket.send(`echo ${data}`);
    });
  });
});
server.listen(0, '127.0.0.1', () => {
  tell({ port: /** @type {any} */ (server.address()).port });
  // Only connections are to keep the process.
  if (!parentPort) process.disconnect?.();
});
