'use strict';

const { setTimeout: delay } = require('node:timers/promises');

const { Server } = require('socket.io-4');

const { createAdapter, createShardedAdapter, createStreamsAdapter } = require('..');
const { AGES } = require('./details');
const { besideOfficial } = require('./family');

const OURS = 'socket.io-redis-native';
const ON_REDIS = '@socket.io/redis-adapter, redis 6';
const ON_IOREDIS = '@socket.io/redis-adapter, ioredis 6';
const SHARDED_OURS = 'createShardedAdapter';
const SHARDED_ON_REDIS = 'official createShardedAdapter, redis 6';
const SHARDED_ON_IOREDIS = 'official createShardedAdapter, ioredis 6';
const STREAMS_OURS = 'createStreamsAdapter';
const STREAMS_ON_REDIS = '@socket.io/redis-streams-adapter, redis 6';
const STREAMS_ON_IOREDIS = '@socket.io/redis-streams-adapter, ioredis 6';

/**
 * The implementations, by name. Each makes what Socket.IO 4 takes as its `adapter`.
 * @type {Record<string, (port: number) => Promise<any>>}
 */
const ADAPTERS = {
  [ON_REDIS]: async (port) => officialAdapter('createAdapter', await redisClients(port)),
  [ON_IOREDIS]: async (port) => officialAdapter('createAdapter', ioredisClients(port)),
  [OURS]: async (port) => createAdapter(`redis://127.0.0.1:${port}`),
  [SHARDED_ON_REDIS]: async (port) => officialAdapter('createShardedAdapter', await redisClients(port)),
  [SHARDED_ON_IOREDIS]: async (port) => officialAdapter('createShardedAdapter', ioredisClients(port)),
  [SHARDED_OURS]: async (port) => createShardedAdapter(`redis://127.0.0.1:${port}`),
  [STREAMS_ON_REDIS]: async (port) => officialStreamsAdapter(await redisClients(port)),
  [STREAMS_ON_IOREDIS]: async (port) => officialStreamsAdapter(ioredisClients(port)),
  [STREAMS_OURS]: async (port) => createStreamsAdapter(`redis://127.0.0.1:${port}`),
};

const ADAPTER_FAMILY = besideOfficial({
  name: 'adapter',
  ours: OURS,
  head: OURS,
  better: `${OURS} is`,
  incumbents: [ON_REDIS, ON_IOREDIS],
  official: '@socket.io/redis-adapter',
  short: 'redis-adapter',
  more: AGES,
});

/** The same on sharded channels. */
const SHARDED_FAMILY = besideOfficial({
  name: 'sharded',
  ours: SHARDED_OURS,
  head: OURS,
  better: `${OURS} is on sharded channels`,
  incumbents: [SHARDED_ON_REDIS, SHARDED_ON_IOREDIS],
  official: 'the official createShardedAdapter',
  short: 'official',
  more: AGES,
});

/** The same on streams. */
const STREAMS_FAMILY = besideOfficial({
  name: 'streams',
  ours: STREAMS_OURS,
  head: OURS,
  better: `${OURS} is on streams`,
  incumbents: [STREAMS_ON_REDIS, STREAMS_ON_IOREDIS],
  official: '@socket.io/redis-streams-adapter',
  short: 'redis-streams-adapter',
  more: AGES,
});

async function redisClients(port) {
  const pub = require('redis-6').createClient({ url: `redis://127.0.0.1:${port}` });
  const sub = pub.duplicate();
  await Promise.all([pub.connect(), sub.connect()]);
  return [pub, sub];
}

function ioredisClients(port) {
  const pub = new (require('ioredis-6').Redis)(port, '127.0.0.1');
  return [pub, pub.duplicate()];
}

function officialAdapter(factory, clients) {
  for (const client of clients) client.on('error', (error) => console.error(error));
  return require('@socket.io/redis-adapter')[factory](...clients);
}

/** It makes further clients of the one that it is given. */
function officialStreamsAdapter([client, other]) {
  client.on('error', (error) => console.error(error));
  other.disconnect();
  return require('@socket.io/redis-streams-adapter').createAdapter(client);
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

module.exports = {
  ADAPTER_FAMILY,
  ON_REDIS,
  OURS,
  SHARDED_FAMILY,
  startServer,
  STREAMS_FAMILY,
  STREAMS_ON_IOREDIS,
  STREAMS_ON_REDIS,
};
