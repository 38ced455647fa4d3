'use strict';

const original = require('@socket.io/redis-emitter');

const { Emitter, StreamsEmitter } = require('..');
const { STREAMS_ON_IOREDIS, STREAMS_ON_REDIS, startServer } = require('./adapters');
const { besideOfficial } = require('./family');

const OURS = 'Emitter';
const ON_REDIS = '@socket.io/redis-emitter, redis 6';
const ON_IOREDIS = '@socket.io/redis-emitter, ioredis 6';
const STREAMS_OURS = 'StreamsEmitter';

/** The implementations, by name. @type {Record<string, (port: number) => Promise<any>>} */
const EMITTERS = {
  [ON_REDIS]: async (port) => {
    const client = require('redis-6').createClient({ url: `redis://127.0.0.1:${port}` });
    await client.connect();
    return new original.Emitter(client);
  },
  [ON_IOREDIS]: async (port) => new original.Emitter(new (require('ioredis-6').Redis)(port, '127.0.0.1')),
  [OURS]: (port) => ready(new Emitter(`redis://127.0.0.1:${port}`)),
  // There is no official emitter for streams: a process without clients has to be a server.
  [STREAMS_ON_REDIS]: (port) => startServer(STREAMS_ON_REDIS, port),
  [STREAMS_ON_IOREDIS]: (port) => startServer(STREAMS_ON_IOREDIS, port),
  [STREAMS_OURS]: (port) => ready(new StreamsEmitter(`redis://127.0.0.1:${port}`)),
};

async function ready(emitter) {
  await emitter.ready();
  return emitter;
}

const EMITTER_FAMILY = besideOfficial({
  name: 'emitter',
  ours: OURS,
  head: OURS,
  better: `${OURS} is`,
  incumbents: [ON_REDIS, ON_IOREDIS],
  official: '@socket.io/redis-emitter',
  short: 'redis-emitter',
});

/** The same on streams. */
const STREAMS_EMITTER_FAMILY = besideOfficial({
  name: 'streams-emitter',
  ours: STREAMS_OURS,
  head: STREAMS_OURS,
  better: `${STREAMS_OURS} is`,
  incumbents: [STREAMS_ON_REDIS, STREAMS_ON_IOREDIS],
  official: '@socket.io/redis-streams-adapter in a server without clients',
  short: 'redis-streams-adapter, no clients',
});

/** @param {string} name @param {number} port of Redis */
function startEmitter(name, port) {
  return EMITTERS[name](port);
}

module.exports = { EMITTER_FAMILY, startEmitter, STREAMS_EMITTER_FAMILY };
