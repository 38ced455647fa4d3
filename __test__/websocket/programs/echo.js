'use strict';

/** One connection of a WebSocketServer echoes; prints what came, and what the server has counted. */

const http = require('node:http');
const ws = require('ws');
const { WebSocketServer } = require('../../..');

const server = http.createServer();
const wss = new WebSocketServer({ noServer: true });
server.on('upgrade', (req, socket, head) => {
  wss.handleUpgrade(req, socket, head, (webSocket) => {
    webSocket.on('message', (/** @type {any} */ data) => webSocket.send(`echo ${data}`));
  });
});
server.listen(0, '127.0.0.1', () => {
  const { port } = /** @type {any} */ (server.address());
  const client = new ws.WebSocket(`ws://127.0.0.1:${port}`);
  client.on('open', () => client.send('hello'));
  client.on('message', (data) => {
    process.stdout.write(JSON.stringify({ echo: String(data), ...wss.stats() }), () => process.exit());
  });
});
