'use strict';

/** A real Redis Cluster with stores and servers on it, all of which end with the test or the suite. */

const { Server } = require('socket.io-4');

const { RedisStore } = require('../../..');
const { startCluster } = require('../../../dev/redis-cluster');
const { closeAll, until } = require('../../support/load');

/** How a cluster can be given, by the kind of what is given. */
const KINDS = [
  'options',
  'a list of URLs',
  ...['redis-4', 'redis-5', 'redis-6', 'ioredis-4', 'ioredis-5', 'ioredis-6'],
];

/** @typedef {Awaited<ReturnType<typeof startCluster>>} Cluster */
/**
 * @typedef {object} Entry how to enter
 * @property {string[]} urls
 * @property {Record<string, { host: string, port: number }>} [map] of addresses
 * @property {string} [password]
 * @property {Record<string, any>} [tls]
 */

/**
 * What stands for a cluster. A client object is not connected, and need not be ended.
 * @param {string} kind one of `KINDS`
 * @param {Entry} entry
 * @returns {any}
 */
function clusterAs(kind, { urls, map, password, tls }) {
  if (kind === 'options') return { cluster: urls, nodeAddressMap: map, password, tls };
  if (kind === 'a list of URLs') return urls;
  const client = kind.startsWith('ioredis')
    ? ioredisCluster(kind, urls, { natMap: map, redisOptions: { password: password ?? passwordOf(urls), tls } })
    : require(kind).createCluster({
        rootNodes: urls.map((url) => ({ url })),
        nodeAddressMap: map,
        defaults: { password, socket: tls ? { tls: true, ...tls } : {} },
      });
  return client.on('error', () => {});
}

/** @param {string[]} urls */
function passwordOf([url]) {
  return new URL(url).password || undefined;
}

/**
 * @param {string} name
 * @param {string[]} urls
 * @param {Record<string, any>} [options]
 * @returns {any}
 */
function ioredisCluster(name, urls, options = {}) {
  const nodes = urls.map((url) => new URL(url)).map(({ hostname: host, port }) => ({ host, port: Number(port) }));
  const module = require(name);
  return new (module.Cluster ?? module.default.Cluster)(nodes, { lazyConnect: true, ...options });
}

/**
 * A store whose three endpoints are the same cluster.
 * @param {any} endpoint
 * @param {Record<string, any>} [options]
 * @returns {any}
 */
function storeOn(endpoint, options) {
  return new RedisStore({ redisPub: endpoint, redisSub: endpoint, redisClient: endpoint, ...options });
}

/**
 * A server of Socket.IO 4; nobody connects to it.
 * @param {any} adapter
 */
function serverWith(adapter) {
  const io = new Server(0, { adapter });
  /** @type {any} */ (io.of('/').adapter).on?.('error', () => {});
  return io;
}

/** Waits until each server counts all. @param {Server[]} servers */
async function together(...servers) {
  for (const io of servers) {
    const { adapter } = io.of('/');
    await until(`${servers.length} servers to be counted`, async () => {
      const count = /** @type {any} */ (adapter).serverCount();
      return (await count.catch(() => 0)) === servers.length;
    });
  }
}

/** What all running nodes list of `CLIENT LIST` but the asking connection and the other nodes. @param {Cluster} cluster */
async function connections(cluster) {
  const lists = await Promise.all(cluster.running.map(({ server }) => server.command('CLIENT', 'LIST')));
  return lists.flatMap((text) => text.trim().split('\n')).filter((line) => !/ flags=[SM] | cmd=client/.test(line));
}

/** Keeps the process while a test waits: what it waits for may not. @param {(step: () => unknown) => void} after */
function hold(after) {
  const timer = setInterval(() => {}, 1_000_000);
  after(() => clearInterval(timer));
}

module.exports = {
  KINDS,
  closeAll,
  clusterAs,
  connections,
  hold,
  ioredisCluster,
  serverWith,
  startCluster,
  storeOn,
  together,
  until,
};
