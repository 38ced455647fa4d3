'use strict';

/**
 * A server that echoes, in a process with `--expose-gc`. It is asked for what it has; the text `terminate` or `close`
 * of a client has it end that one's connection.
 */

const { once } = require('node:events');
const http = require('node:http');
const ws = require('ws');
const { WebSocketServer } = require('../..');
const { holdings } = require('./holdings');

const ENGINES = { ws: ws.WebSocketServer, native: WebSocketServer };

const Server = ENGINES[/** @type {keyof typeof ENGINES} */ (process.argv[2])];
const server = http.createServer();
const wss = new Server({ noServer: true, clientTracking: false });
/** All WebSockets and sockets that there were. @type {WeakRef<any>[]} */
const seen = [];

server.on('upgrade', (req, socket, head) => {
  socket.on('error', () => {});
  wss.handleUpgrade(req, socket, head, (/** @type {any} */ webSocket) => {
    seen.push(new WeakRef(webSocket), new WeakRef(socket));
    webSocket.on('error', () => {});
    webSocket.on('message', (/** @type {any} */ data) => {
      const text = String(data);
      if (text === 'terminate') webSocket.terminate();
      else if (text === 'close') webSocket.close(1000);
      else webSocket.send(`echo ${text}`);
    });
  });
});

const count = () => new Promise((resolve) => server.getConnections((_, connections) => resolve(connections)));

/** What there is, once all connections are gone. */
async function report() {
  while ((await count()) > 0) await new Promise(setImmediate);
  const has = await holdings();
  const alive = seen.filter((each) => each.deref() !== undefined).length;
  return { ...has, seen: seen.length, alive, stats: wss.stats?.() };
}

process.on('message', async (message) => {
  if (message === 'report') process.send?.(await report());
  else process.send?.({ stats: wss.stats?.(), connections: await count() });
});

server.listen({ port: 0, host: '0.0.0.0', backlog: 1024 });
once(server, 'listening').then(() => process.send?.({ port: /** @type {any} */ (server.address()).port }));
