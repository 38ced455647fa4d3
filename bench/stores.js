'use strict';

const SocketIO = require('socket.io');

const { RedisStore } = require('..');
const { AGES, CPU } = require('./details');

/**
 * The implementations, by name. Each makes a store whose three clients point to one Redis.
 * @type {Record<string, (port: number, options?: object) => any>}
 */
const STORES = {
  'socket.io 0.9.19': (port, options) => javascriptStore(require('redis-0.7'), port, options),
  'socket.io 0.9.19, redis 3': (port, options) => javascriptStore(require('redis-3'), port, options),
  'socket.io-redis-native': nativeStore,
  'socket.io-redis-native, engine': nativeStore,
};

const OURS = 'socket.io-redis-native';
/** The same, with WebSockets that are native: see `store-node.js`. */
const WITH_ENGINE = 'socket.io-redis-native, engine';
const INCUMBENT = 'socket.io 0.9.19';
const REDIS_3 = 'socket.io 0.9.19, redis 3';

/**
 * Implementations that are compared with each other, and how they are shown.
 * @typedef {object} Family
 * @property {string[]} implementations
 * @property {string} ours
 * @property {Record<string, string>} columns implementations by their heads in the table
 * @property {{ head: string, incumbents: string[], against: string }[]} comparisons ours with the fastest of some
 *   incumbents: the column's head, and what the chart calls them
 * @property {{ head: string, figure: string, bytes?: boolean }[]} details further columns, for all implementations
 * @property {string} title of the chart, without the incumbents
 * @property {string} name in the files with the results
 */

/** @type {Family} */
const STORE_FAMILY = {
  implementations: [INCUMBENT, REDIS_3, OURS],
  ours: OURS,
  columns: { [INCUMBENT]: INCUMBENT, 'on redis 3': REDIS_3, [OURS]: OURS },
  comparisons: [{ head: 'ratio', incumbents: [INCUMBENT], against: INCUMBENT }],
  details: [CPU, { head: 'RSS MB', figure: 'rss', bytes: true }, ...AGES],
  title: `How many times better ${OURS} is than`,
  name: 'store',
};

function nativeStore(port, options) {
  const url = `redis://127.0.0.1:${port}`;
  return new RedisStore({ redisPub: url, redisSub: url, redisClient: url, ...options });
}

/** The JavaScript store as it comes, on a version of the module `redis`. */
function javascriptStore(redis, port, options) {
  const client = () => redis.createClient(port, '127.0.0.1');
  return new SocketIO.RedisStore({ redis, redisPub: client(), redisSub: client(), redisClient: client(), ...options });
}

module.exports = { INCUMBENT, OURS, STORE_FAMILY, STORES, WITH_ENGINE };
