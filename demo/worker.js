'use strict';

/** One of the workers. */

const http = require('node:http');
const { Chat } = require('./chat.js');
const { Figures } = require('./figures.js');
const { LoadHere } = require('./load-here.js');
const { pages } = require('./pages.js');

const { REDIS_URL, PORT, HOST, DEMO_WORKER, DEMO_GENERATION, DEMO_VERSION, DEMO_ENGINE } = process.env;
const SESSION_SECONDS = 60;
const STOP_TIMEOUT = 1000;

/**
 * @typedef {object} Settings
 * @property {string} redisUrl
 * @property {number} sessionSeconds how long a session is kept when its client is gone
 * @property {string[] | null} origins the pages that may connect; null: all
 * @property {boolean} native whether the native side writes to WebSockets
 *
 * @typedef {object} SocketIO one of the two versions, as the demo uses it
 * @property {any} io
 * @property {any} store
 * @property {() => import('..').BackplaneStats} stats what this worker counts
 * @property {() => { name: string, state: string }[]} connections those to Redis that there are
 * @property {() => boolean} away whether Redis was there and is not now, or does not answer
 * @property {() => boolean} gone whether it is not connected
 * @property {(sockets: any[], event: string, value: object) => void} tellHere sends to sockets here, not over Redis
 * @property {(listener: (gap: any) => void) => void} onGap
 * @property {import('node:events').EventEmitter[]} emitters what emits `error` and `connect`
 * @property {(socket: any) => import('./session.js').StoreClient} sessionOf
 * @property {(id: string) => void} forget makes every worker forget a client
 */

let stopping = false;

/** How people and messages are labelled with the process they hang on. */
const self = Object.freeze({ index: Number(DEMO_WORKER), pid: process.pid, generation: Number(DEMO_GENERATION) });

const server = http.createServer(pages(DEMO_VERSION));
const backend = require(`./${DEMO_VERSION}.js`).open(server, {
  redisUrl: REDIS_URL,
  sessionSeconds: SESSION_SECONDS,
  // Another site's page must not get at a server on this machine, which it could ask to kill.
  origins: HOST === '127.0.0.1' ? [`127.0.0.1:${PORT}`, `localhost:${PORT}`] : null,
  native: DEMO_ENGINE === 'native',
});
const { store } = backend;

/** @param {object} message to the process that has started this one */
const tell = (message) => process.connected && process.send(message, () => {});
const chat = new Chat(backend, self, tell);
new Figures(backend, { ...self, engine: DEMO_ENGINE }, chat.people, new LoadHere(backend.io)).start(tell);

process.on('message', async (/** @type {any} */ message) => {
  if (message?.type === 'board') chat.show(message.board);
  if (message?.type !== 'speak') return;
  await chat.speak(message.room, message.about);
  tell({ type: 'spoken', about: message.about });
});

for (const emitter of backend.emitters) {
  let down = false;
  emitter.on('connect', () => {
    down = false;
  });
  emitter.on('error', (/** @type {Error} */ error) => {
    // One line for an outage, not one for each attempt to connect.
    if (!stopping && !down) console.error(`worker ${self.index}: ${error.message}`);
    down = true;
  });
}

server.listen(Number(PORT), HOST);

function stop() {
  if (stopping) return;
  stopping = true;
  store.once('close', () => process.exit(0)); // once what is queued has left
  setTimeout(() => process.exit(0), STOP_TIMEOUT); // Ctrl-C in a terminal ends Redis too
  store.destroy();
}
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
