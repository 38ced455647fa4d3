'use strict';

/**
 * A server in a process of its own whose clients are hostile. It tells its parent what it is asked for; a client that
 * sends `block` has its event loop stand still until something comes at the descriptor 3.
 */

const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const ws = require('ws');
const { WebSocketServer } = require('../..');

const [, , engine, maxBufferedAmount] = process.argv;
/** Where the parent writes to. */
const PIPE = 3;
const MEBIBYTE = 1024 * 1024;
const MAX_PAYLOAD = 1_000_000;

const Server = engine === 'ws' ? ws.WebSocketServer : WebSocketServer.with({ maxBufferedAmount: +maxBufferedAmount });
const server = http.createServer();
const wss = new Server({ noServer: true, clientTracking: false, maxPayload: MAX_PAYLOAD });
/** In the order of their connections. @type {any[]} */
const webSockets = [];
/** How many have closed, and what numbers have come of one client. */
const counts = { closed: 0, numbers: 0, misplaced: 0 };

function block() {
  process.send?.('blocked', () => fs.readSync(PIPE, Buffer.alloc(1)));
}

server.on('upgrade', (req, socket, head) => {
  socket.on('error', () => {});
  wss.handleUpgrade(req, socket, head, (/** @type {any} */ webSocket) => {
    webSockets.push(webSocket);
    webSocket.on('error', () => {});
    webSocket.on('close', () => counts.closed++);
    webSocket.on('message', (/** @type {any} */ data) => {
      const text = String(data);
      if (text === 'block') return block();
      if (text.startsWith('echo')) return webSocket.send(text);
      if (Number(text) !== counts.numbers) counts.misplaced++;
      counts.numbers++;
    });
  });
});

/** Sends to all, so fast as the last one of them takes it. */
async function flood({ messages, length }) {
  const data = Buffer.alloc(length, 'x');
  const last = webSockets.at(-1);
  // Fewer than what may wait for one client.
  const together = Math.ceil(MEBIBYTE / 2 / Math.max(length, 1000));
  for (let i = 0; i < messages; i++) {
    for (const each of webSockets.slice(0, -1)) each.send(data);
    if (i % together === together - 1) await new Promise((resolve) => last.send(data, resolve));
    else last.send(data);
  }
}

process.on('message', async (/** @type {any} */ message) => {
  if (message.flood) await flood(message.flood);
  const connections = await new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
  process.send?.({ connections, ...counts, accepted: webSockets.length, stats: wss.stats?.() });
});

server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 });
once(server, 'listening').then(() => process.send?.({ port: /** @type {any} */ (server.address()).port }));
