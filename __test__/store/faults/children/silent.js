'use strict';

/**
 * A store with no listener for `error`; its parent reads what it writes to the console. Told by
 * messages when to go on, it tells when a connection is up or has failed to come back.
 */

const { RedisStore } = require('../../../..');

const url = process.argv[2];
const store = new RedisStore({ redisPub: url, redisSub: url, redisClient: url, offlineQueue: { messages: 5 } });

store.on('connect', ({ connection }) => process.send({ event: 'connect', connection }));
store.on('reconnecting', ({ connection, attempt }) => process.send({ event: 'reconnecting', connection, attempt }));
store.on('close', () => process.disconnect());
process.on('message', () => store.destroy());
