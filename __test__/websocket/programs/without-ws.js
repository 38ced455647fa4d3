'use strict';

/** Requests to a server that would need ws, and to one that does not; prints the answers. */

const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');
const { WebSocketServer } = require('socket.io-redis-native');

const HEAD = [
  'GET / HTTP/1.1',
  'Host: localhost',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
];
const DEFLATE = 'Sec-WebSocket-Extensions: permessage-deflate';

/** @returns {Promise<string>} the first line of the answer */
async function answerTo(port, lines) {
  const socket = net.connect(port, '127.0.0.1');
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  const [chunk] = await once(socket, 'data');
  socket.destroy();
  return String(chunk).split('\r\n')[0];
}

async function main() {
  const server = http.createServer();
  const wss = new WebSocketServer({ noServer: true, perMessageDeflate: true });
  server.on('upgrade', (req, socket, head) => wss.handleUpgrade(req, socket, head, () => {}));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {any} */ (server.address());
  const refused = [await answerTo(port, [...HEAD, DEFLATE]), await answerTo(port, [...HEAD, DEFLATE])];
  /** @type {string[]} */
  const errors = [];
  wss.on('error', ({ code }) => errors.push(code));
  refused.push(await answerTo(port, [...HEAD, DEFLATE]));
  const native = await answerTo(port, HEAD);
  console.log(JSON.stringify({ refused, errors, native }));
  // The process ends when the connection has.
  server.close();
}

main();
