'use strict';

/**
 * The least that shows that the native part works on this platform: it is loaded, a store's threads
 * run (no Redis is there, which they tell), and all of it ends by itself. Needs no node_modules.
 */

const { RedisStore } = require('..');

/** A port where nobody listens: it needs privileges, and nothing is assigned to it. */
const NOBODY = 'redis://127.0.0.1:1';
const HANGS = 30000;

const store = new RedisStore({ redisPub: NOBODY, redisSub: NOBODY, redisClient: NOBODY, commandTimeout: 100 });
store.once('error', ({ message }) => {
  console.log(`${process.platform}-${process.arch}, Node ${process.version}: ${message}`);
  store.on('error', () => {});
  store.destroy();
});
store.on('close', () => clearTimeout(hangs));
const hangs = setTimeout(() => {
  throw new Error('the store did not end');
}, HANGS);
