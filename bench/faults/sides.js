'use strict';

/** Who go through the same faults side by side: this package, and an official adapter on `redis` or ioredis. */

const fs = require('node:fs');

const { createAdapter, createShardedAdapter, createStreamsAdapter, RedisStore } = require('../..');

const OURS = 'socket.io-redis-native';
const OFFICIAL = '@socket.io/redis-adapter';
const OFFICIAL_STREAMS = '@socket.io/redis-streams-adapter';

/** More than is sent: a stream drops nothing. */
const MAX_LENGTH = 1_000_000;
/** What they call their channels and streams. @type {Record<string, string>} */
const PREFIXES = { [OURS]: 'ours', [OFFICIAL]: 'official', [OFFICIAL_STREAMS]: 'official' };

/**
 * How a node gets to Redis.
 * @typedef {object} Way
 * @property {string} [url] of the one server
 * @property {{ host: string, port: number }[]} [sentinels]
 * @property {{ host: string, port: number }[]} [cluster]
 * @property {boolean} [sharded] sharded pub/sub
 * @property {boolean} [streams] Redis streams
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

/** @param {Way} way @returns {any} a client for an official adapter */
function clientOf(way) {
  const { url, sentinels, cluster, ca } = way;
  if (sentinels) return new (require('ioredis-6').Redis)({ sentinels, name: 'mymaster' });
  const redis = require('redis-6');
  if (cluster) {
    return redis.createCluster({ rootNodes: cluster.map(({ host, port }) => ({ url: `redis://${host}:${port}` })) });
  }
  return redis.createClient({
    url,
    ...(ca ? { socket: { tls: true, ca: fs.readFileSync(ca) } } : {}),
    ...credentialsOf(way),
  });
}

/** @param {any[]} clients those of ioredis connect by themselves @returns {Promise<any[]>} the same, connected */
async function connected(clients) {
  for (const client of clients) client.on('error', () => {});
  await Promise.all(clients.map((client) => (client.status === undefined ? client.connect() : undefined)));
  return clients;
}

/** @param {string} side what both adapters for streams are told */
function streamsOptions(side) {
  return { streamName: PREFIXES[side], channelPrefix: PREFIXES[side], maxLen: MAX_LENGTH };
}

/** @type {Record<string, (way: Way) => Promise<{ adapter: any, store?: any }>>} */
const SIDES = {
  async [OURS](way) {
    const endpoint = endpointOf(way);
    if (way.streams) return { adapter: createStreamsAdapter(endpoint, { ...streamsOptions(OURS), ...way.options }) };
    const prefix = PREFIXES[OURS];
    const adapter = way.sharded
      ? createShardedAdapter(endpoint, endpoint, { channelPrefix: prefix, ...way.options })
      : createAdapter(endpoint, endpoint, { key: prefix, ...way.options });
    const store = new RedisStore({ redisPub: endpoint, redisSub: endpoint, redisClient: endpoint, ...way.options });
    return { adapter, store };
  },

  async [OFFICIAL](way) {
    const pub = clientOf(way);
    const clients = await connected([pub, pub.duplicate()]);
    const official = require('@socket.io/redis-adapter');
    const adapter = way.sharded
      ? official.createShardedAdapter(clients[0], clients[1], { channelPrefix: PREFIXES[OFFICIAL] })
      : official.createAdapter(clients[0], clients[1], { key: PREFIXES[OFFICIAL] });
    return { adapter };
  },

  async [OFFICIAL_STREAMS](way) {
    // It makes further clients of the one that it is given.
    const [client] = await connected([clientOf(way)]);
    const { createAdapter } = require('@socket.io/redis-streams-adapter');
    return { adapter: createAdapter(client, streamsOptions(OFFICIAL_STREAMS)) };
  },
};

module.exports = { OFFICIAL, OFFICIAL_STREAMS, OURS, PREFIXES, SIDES };
