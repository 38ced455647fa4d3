'use strict';

/**
 * What the process of a block begins with. Has servers listen on free ports, gives the block what its page has set up
 * before it (`io`, `httpServer`, …), and tells the test when the block has run to its end, all servers listen and all
 * connections to Redis are up.
 */

const net = require('node:net');
const { createRequire } = require('node:module');
const path = require('node:path');

const { REDIS_URL, SOCKET_IO } = process.env;
/** What the block itself may require. */
const blockRequire = createRequire(path.join(process.cwd(), 'block.js'));

/** @type {Promise<unknown>[]} */
const listening = [];
/** @type {Set<net.Server>} */
const servers = new Set();
/** What this package has made: adapters' factories, stores, emitters. @type {any[]} */
const made = [];

const { listen } = net.Server.prototype;
/** @type {any} */ (net.Server.prototype).listen = function (...args) {
  const [where] = args;
  if (where !== null && typeof where === 'object' && 'port' in where) args[0] = { ...where, port: 0 };
  else if (/^\d+$/.test(String(where))) args[0] = 0;
  if (!servers.has(this)) listening.push(new Promise((resolve) => this.once('listening', () => resolve(undefined))));
  servers.add(this);
  return Reflect.apply(listen, this, args);
};

/** @template T @param {T} thing @returns {T} */
function track(thing) {
  made.push(thing);
  return thing;
}

module.exports = { track }; // what stands for this package takes it

/** @param {string} name @param {() => any} make */
function provide(name, make) {
  Object.defineProperty(globalThis, name, {
    configurable: true,
    get() {
      const value = make();
      Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
      return value;
    },
    set(value) {
      Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
    },
  });
}

blockRequire('socket.io'); // 0.9's looks for a global `io` when it is loaded
const at = /** @type {any} */ (globalThis);
for (const name of Object.keys(blockRequire('socket.io-redis-native')))
  provide(name, () => blockRequire('socket.io-redis-native')[name]);
const { hostname, port } = new URL(String(REDIS_URL));
for (const name of ['httpServer', 'server']) provide(name, () => require('node:http').createServer());
provide('redis', () => blockRequire('redis'));
provide('host', () => hostname);
provide('port', () => port);
provide('Server', () => blockRequire('socket.io').Server);
provide('io', () =>
  SOCKET_IO === '0.9'
    ? blockRequire('socket.io').listen(at.httpServer, { 'log level': 1 })
    : new at.Server(at.httpServer, { adapter: at.createAdapter() }),
);
provide('adapter', () => at.io.of('/').adapter);
provide('store', () => new at.RedisStore());
provide('emitter', () => new at.Emitter());
for (const name of ['client', 'redisClient', 'pubClient', 'subClient', 'redisPub', 'redisSub'])
  provide(name, () => {
    const { createClient } = blockRequire('redis');
    const client = SOCKET_IO === '0.9' ? createClient(port, hostname) : createClient({ url: REDIS_URL });
    client.on('error', (/** @type {Error} */ error) => console.error(error));
    return client;
  });

/** @param {any} thing @returns {Promise<void>} resolves when Redis has answered it */
async function connected(thing) {
  if (typeof thing === 'function') {
    // A factory that no namespace uses has no connections.
    return thing.ready().catch((/** @type {any} */ error) => {
      if (error.code !== 'ERR_CLOSED') throw error;
    });
  }
  const waits = () => Object.values(thing.stats().connections).some(({ state }) => state === 'connecting');
  while (waits()) await new Promise((resolve) => setTimeout(resolve, 10));
}

process.once('block:end', async () => {
  await new Promise((resolve) => setImmediate(resolve));
  await Promise.all([...listening, ...made.map(connected)]);
  const addresses = [...servers].map((server) => /** @type {any} */ (server.address())).filter(Boolean);
  process.send?.({ ports: addresses.map(({ port }) => port), made: made.length });
});
process.once('message', () => process.exit());
process.once('disconnect', () => process.exit());
