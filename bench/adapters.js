'use strict';

const { setTimeout: delay } = require('node:timers/promises');

const { Server } = require('socket.io-4');

const { createAdapter } = require('..');
const { AGES, CPU } = require('./details');

const OURS = 'socket.io-redis-native';
const ON_REDIS = '@socket.io/redis-adapter, redis 6';
const ON_IOREDIS = '@socket.io/redis-adapter, ioredis 6';

/**
 * The implementations, by name. Each makes what Socket.IO 4 takes as its `adapter`.
 * @type {Record<string, (port: number) => Promise<any>>}
 */
const ADAPTERS = {
  async [ON_REDIS](port) {
    const pub = require('redis-6').createClient({ url: `redis://127.0.0.1:${port}` });
    const sub = pub.duplicate();
    await Promise.all([pub.connect(), sub.connect()]);
    return officialAdapter(pub, sub);
  },

  async [ON_IOREDIS](port) {
    const pub = new (require('ioredis-6').Redis)(port, '127.0.0.1');
    return officialAdapter(pub, pub.duplicate());
  },

  [OURS]: async (port) => createAdapter(`redis://127.0.0.1:${port}`),
};

// Until this package has an adapter, the incumbents run alone.
if (!createAdapter) delete ADAPTERS[OURS];

/** @type {import('./stores').Family} */
const ADAPTER_FAMILY = {
  implementations: Object.keys(ADAPTERS),
  ours: OURS,
  columns: { 'redis-adapter, redis 6': ON_REDIS, 'redis-adapter, ioredis 6': ON_IOREDIS, [OURS]: OURS },
  comparisons: [
    {
      head: 'ratio',
      incumbents: [ON_REDIS, ON_IOREDIS],
      against: 'the faster of @socket.io/redis-adapter on redis 6 and on ioredis 6',
    },
  ],
  details: [CPU, { head: 'peak RSS MB', figure: 'peak', bytes: true }, ...AGES],
  title: `How many times better ${OURS} is than`,
  name: 'adapter',
};

function officialAdapter(pub, sub) {
  for (const client of [pub, sub]) client.on('error', (error) => console.error(error));
  return require('@socket.io/redis-adapter').createAdapter(pub, sub);
}

/**
 * A Socket.IO 4 server with one of the adapters, once that hears of broadcasts.
 * @param {string} name of the adapter
 * @param {number} port of Redis
 * @param {object} [more]
 * @param {number} [more.nodes] of how many servers it is one
 * @param {object} [more.options] what else Socket.IO is told
 */
async function startServer(name, port, { nodes = 1, options = {} } = {}) {
  const io = new Server({ ...options, adapter: await ADAPTERS[name](port), serveClient: false });
  const { adapter } = io.of('/');
  // Broadcasts are subscribed to before requests, and only the latter are counted.
  while ((await adapter.serverCount()) < nodes) await delay(5);
  return io;
}

module.exports = { ADAPTER_FAMILY, ON_REDIS, OURS, startServer };
