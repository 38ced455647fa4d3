'use strict';

/** Destroys its store in the middle of an outage, tells what came of what it had asked, and ends. */

const { once } = require('node:events');

const { RedisStore } = require('../../../..');

const url = process.argv[2];
const store = new RedisStore({ redisPub: url, redisSub: url, redisClient: url, commandTimeout: 400 });
store.on('error', () => {});

/** @type {string[]} */
const codes = [];
const gaps = [];
store.on('gap', (gap) => gaps.push(gap));
store.once('close', () => {
  process.send({ codes, gaps, stats: store.stats() });
  process.disconnect();
});

process.once('message', async () => {
  const client = store.client('1');
  for (let i = 0; i < 10; i++) store.publish('leaving', i);
  for (let i = 0; i < 5; i++) client.get('key', (error) => codes.push(error.code));
  store.destroy();
  store.destroy();
  client.get('key', (error) => codes.push(`late ${error.code}`));
});

once(store, 'connect').then(() => process.send('connected'));
store.once('disconnect', () => process.send('disconnected'));
