'use strict';

/** The two that go through the same faults side by side: this package, and the official adapter on `redis` or ioredis. */

const fs = require('node:fs');

const { createAdapter, createShardedAdapter, RedisStore } = require('../..');

const OURS = 'socket.io-redis-native';
const OFFICIAL = '@socket.io/redis-adapter';

/**
 * How a node gets to Redis.
 * @typedef {object} Way
 * @property {string} [url] of the one server
 * @property {{ host: string, port: number }[]} [sentinels]
 * @property {{ host: string, port: number }[]} [cluster]
 * @property {boolean} [sharded] sharded pub/sub
 * @property {string} [ca] a file with the authorities to trust, which may change
 * @property {string} [user]
 * @property {string} [passwordFile] a file with the user's password, which may change
 * @property {Record<string, any>} [options] of this package alone
 */

/** @param {Way} way */
function credentialsOf({ user, passwordFile }) {
  if (!passwordFile) return {};
  const credentials = async () => ({ username: user, password: fs.readFileSync(passwordFile, 'utf8') });
  return { credentialsProvider: { type: 'async-credentials-provider', credentials } };
}

/** @param {Way} way @returns {any} an endpoint of this package */
function endpointOf(way) {
  const { url, sentinels, cluster, ca } = way;
  if (sentinels) return { sentinels, name: 'mymaster' };
  if (cluster) return { cluster };
  return { url, ...(ca ? { tls: { ca: fs.readFileSync(ca, 'utf8') } } : {}), ...credentialsOf(way) };
}

/** @param {Way} way @returns {Promise<any[]>} the official adapter's clients: publisher and subscriber */
async function clientsOf(way) {
  const { url, sentinels, cluster, ca } = way;
  if (sentinels) {
    const pub = new (require('ioredis-6').Redis)({ sentinels, name: 'mymaster' });
    return [pub, pub.duplicate()];
  }
  const redis = require('redis-6');
  const pub = cluster
    ? redis.createCluster({ rootNodes: cluster.map(({ host, port }) => ({ url: `redis://${host}:${port}` })) })
    : redis.createClient({
        url,
        ...(ca ? { socket: { tls: true, ca: fs.readFileSync(ca) } } : {}),
        ...credentialsOf(way),
      });
  const clients = [pub, pub.duplicate()];
  for (const client of clients) client.on('error', () => {});
  await Promise.all(clients.map((client) => client.connect()));
  return clients;
}

/** @type {Record<string, (way: Way) => Promise<{ adapter: any, store?: any }>>} */
const SIDES = {
  async [OURS](way) {
    const endpoint = endpointOf(way);
    const adapter = way.sharded
      ? createShardedAdapter(endpoint, endpoint, { channelPrefix: 'ours', ...way.options })
      : createAdapter(endpoint, endpoint, { key: 'ours', ...way.options });
    const store = new RedisStore({ redisPub: endpoint, redisSub: endpoint, redisClient: endpoint, ...way.options });
    return { adapter, store };
  },

  async [OFFICIAL](way) {
    const clients = await clientsOf(way);
    for (const client of clients) client.on('error', () => {});
    const official = require('@socket.io/redis-adapter');
    const adapter = way.sharded
      ? official.createShardedAdapter(clients[0], clients[1], { channelPrefix: 'official' })
      : official.createAdapter(clients[0], clients[1], { key: 'official' });
    return { adapter };
  },
};

module.exports = { OFFICIAL, OURS, SIDES };
