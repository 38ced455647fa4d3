'use strict';

const http = require('node:http');
const { once } = require('node:events');

const { ON_REDIS, OURS: OUR_ADAPTER, startServer } = require('../adapters');
const { WebSocketServer } = require('../..');

const ON_WS = '@socket.io/redis-adapter on ws';
const ON_UWS = '@socket.io/redis-adapter on uWebSockets.js';
const OURS_ON_WS = 'socket.io-redis-native on ws';
const OURS = 'socket.io-redis-native, WebSocketServer';

/** What is too large for every checkout. */
const INCUMBENTS = '../incumbents/node_modules';

/** @returns {any} uWebSockets.js, or nothing where it is not installed or has no binary for this machine */
function uWebSockets() {
  try {
    return require(`${INCUMBENTS}/uwebsockets`);
  } catch {
    return undefined;
  }
}

/**
 * The implementations, by name: which adapter, what else Socket.IO is told, and who listens.
 * @type {Record<string, { adapter: string, options?: () => object, listen: (io: any) => Promise<number> }>}
 */
const ENGINES = {
  [ON_WS]: { adapter: ON_REDIS, listen: listenHttp },
  [ON_UWS]: { adapter: ON_REDIS, listen: listenApp },
  [OURS_ON_WS]: { adapter: OUR_ADAPTER, listen: listenHttp },
  [OURS]: { adapter: OUR_ADAPTER, options: () => ({ wsEngine: WebSocketServer }), listen: listenHttp },
};

if (!uWebSockets()) delete ENGINES[ON_UWS];

/** Says what is left out, and why. */
function tellOmissions() {
  if (!ENGINES[ON_UWS]) console.error('Without uWebSockets.js, which cannot be loaded here: npm run bench:install');
}

/** @type {import('../stores').Family} */
const WEBSOCKET_FAMILY = {
  implementations: Object.keys(ENGINES),
  ours: OURS,
  columns: { 'official on ws': ON_WS, 'official on uWebSockets.js': ON_UWS, 'ours on ws': OURS_ON_WS, ours: OURS },
  comparisons: [
    { head: '× ws', incumbents: [ON_WS], against: 'ws' },
    { head: '× uWebSockets.js', incumbents: [ON_UWS], against: 'uWebSockets.js' },
  ],
  details: [],
  title: 'How many times better WebSocketServer and our adapter are than @socket.io/redis-adapter on',
  name: 'websocket',
};

/** @param {any} io @returns {Promise<number>} the port */
async function listenHttp(io) {
  const server = http.createServer();
  io.attach(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}

/** @param {any} io @returns {Promise<number>} the port */
async function listenApp(io) {
  const uws = uWebSockets();
  const app = uws.App();
  io.attachApp(app);
  return new Promise((resolve, reject) => {
    app.listen('127.0.0.1', 0, (socket) => {
      if (socket) resolve(uws.us_socket_local_port(socket));
      else reject(new Error('uWebSockets.js cannot listen'));
    });
  });
}

/**
 * A Socket.IO 4 server on one of the engines.
 * @param {string} name of the engine
 * @param {number} redis the port of Redis
 * @param {object} [options] for Socket.IO
 * @returns {Promise<{ io: any, port: number }>}
 */
async function startEngine(name, redis, options = {}) {
  const { adapter, options: own = () => ({}), listen } = ENGINES[name];
  const io = await startServer(adapter, redis, { options: { ...options, ...own() } });
  return { io, port: await listen(io) };
}

module.exports = { ON_WS, OURS, OURS_ON_WS, startEngine, tellOmissions, WEBSOCKET_FAMILY };
