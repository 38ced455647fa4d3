'use strict';

const SocketIO = require('socket.io');

const { RedisStore } = require('..');

/**
 * The contestants, by name. Each makes a store whose three clients point to one Redis.
 * @type {Record<string, (port: number, options?: object) => any>}
 */
const STORES = {
  'socket.io 0.9.19': (port, options) => javascriptStore(require('redis-0.7'), port, options),
  'socket.io 0.9.19, redis 3': (port, options) => javascriptStore(require('redis-3'), port, options),
  'socket.io-redis-native': (port, options) => {
    const url = `redis://127.0.0.1:${port}`;
    return new RedisStore({ redisPub: url, redisSub: url, redisClient: url, ...options });
  },
};

const OURS = 'socket.io-redis-native';
const INCUMBENT = 'socket.io 0.9.19';
const REDIS_3 = 'socket.io 0.9.19, redis 3';

/** The JavaScript store as it comes, on a version of the module `redis`. */
function javascriptStore(redis, port, options) {
  const client = () => redis.createClient(port, '127.0.0.1');
  return new SocketIO.RedisStore({ redis, redisPub: client(), redisSub: client(), redisClient: client(), ...options });
}

module.exports = { INCUMBENT, OURS, REDIS_3, STORES };
