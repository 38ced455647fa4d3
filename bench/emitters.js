'use strict';

const original = require('@socket.io/redis-emitter');

const { Emitter } = require('..');
const { CPU } = require('./details');

const OURS = 'Emitter';
const ON_REDIS = '@socket.io/redis-emitter, redis 6';
const ON_IOREDIS = '@socket.io/redis-emitter, ioredis 6';

/** The implementations, by name. @type {Record<string, (port: number) => Promise<any>>} */
const EMITTERS = {
  [ON_REDIS]: async (port) => {
    const client = require('redis-6').createClient({ url: `redis://127.0.0.1:${port}` });
    await client.connect();
    return new original.Emitter(client);
  },
  [ON_IOREDIS]: async (port) => new original.Emitter(new (require('ioredis-6').Redis)(port, '127.0.0.1')),
  [OURS]: async (port) => {
    const emitter = new Emitter(`redis://127.0.0.1:${port}`);
    await emitter.ready();
    return emitter;
  },
};

/** @type {import('./stores').Family} */
const EMITTER_FAMILY = {
  implementations: Object.keys(EMITTERS),
  ours: OURS,
  columns: { 'redis-emitter, redis 6': ON_REDIS, 'redis-emitter, ioredis 6': ON_IOREDIS, [OURS]: OURS },
  comparisons: [
    {
      head: 'ratio',
      incumbents: [ON_REDIS, ON_IOREDIS],
      against: 'the faster of @socket.io/redis-emitter on redis 6 and on ioredis 6',
    },
  ],
  details: [CPU, { head: 'peak RSS MB', figure: 'peak', bytes: true }],
  title: `How many times better ${OURS} is than`,
  name: 'emitter',
};

/** @param {string} name @param {number} port of Redis */
function startEmitter(name, port) {
  return EMITTERS[name](port);
}

module.exports = { EMITTER_FAMILY, startEmitter };
