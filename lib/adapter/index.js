'use strict';

const { adapterFactoryOnEndpoints, adapterFactoryOnStore } = require('./factories');
const { CLASSIC, SHARDED, STREAMS, isOptions, readAdapterOptions, refuseOptions } = require('./options');
const { parseEndpoint } = require('../endpoint');

/**
 * Makes the adapter of Socket.IO 4, in the place of `@socket.io/redis-adapter`'s.
 *
 * ```js
 * const io = new Server({ adapter: createAdapter(pubClient, subClient) });
 * const io = new Server({ adapter: createAdapter('redis://localhost:6379', { key: 'chat' }) });
 * ```
 *
 * The clients are only asked where they point; nothing is ever sent through them.
 * @param {import('../..').RedisEndpoint} [pubClient] where to publish. Default: `localhost:6379`
 * @param {import('../..').RedisEndpoint | import('../..').CreateAdapterOptions} [subClient] where to
 *   subscribe. Default: where to publish. Options may stand in its place
 * @param {import('../..').CreateAdapterOptions} [opts]
 * @returns {import('../..').AdapterFactory}
 * @throws {TypeError} `ERR_INVALID_OPTION`, which names the option
 */
function createAdapter(pubClient, subClient, opts) {
  return create(CLASSIC, pubClient, subClient, opts);
}

/**
 * Makes the adapter of Socket.IO 4 on sharded channels (Redis 7), in the place of `@socket.io/redis-adapter`'s
 * function of that name.
 * @param {import('../..').RedisEndpoint} [pubClient] where to publish. Default: `localhost:6379`
 * @param {import('../..').RedisEndpoint | import('../..').CreateShardedAdapterOptions} [subClient] where to
 *   subscribe. Default: where to publish. Options may stand in its place
 * @param {import('../..').CreateShardedAdapterOptions} [opts]
 * @returns {import('../..').AdapterFactory}
 * @throws {TypeError} `ERR_INVALID_OPTION`, which names the option
 */
function createShardedAdapter(pubClient, subClient, opts) {
  return create(SHARDED, pubClient, subClient, opts);
}

/**
 * Makes the adapter of Socket.IO 4 on streams, in the place of `createAdapter` of `@socket.io/redis-streams-adapter`.
 *
 * ```js
 * const io = new Server({ adapter: createStreamsAdapter(client), connectionStateRecovery: {} });
 * ```
 * @param {import('../..').RedisEndpoint} [client] where Redis is. Default: `localhost:6379`
 * @param {import('../..').CreateStreamsAdapterOptions} [opts]
 * @returns {import('../..').AdapterFactory}
 * @throws {TypeError} `ERR_INVALID_OPTION`, which names the option
 */
function createStreamsAdapter(client, opts) {
  refuseOptions('client', client, STREAMS);
  const settings = readAdapterOptions(opts ?? {}, true, STREAMS);
  const endpoint = parseEndpoint('client', client);
  return adapterFactoryOnEndpoints(settings, endpoint, endpoint, { pubClient: client, subClient: client });
}

/** @param {import('./options').Kind} kind @param {any} pubClient @param {any} subClient @param {any} opts */
function create(kind, pubClient, subClient, opts) {
  if (opts === undefined && isOptions(subClient, kind)) {
    opts = subClient ?? undefined;
    subClient = undefined;
  }
  refuseOptions('pubClient', pubClient, kind);
  refuseOptions('subClient', subClient, kind);
  const settings = readAdapterOptions(opts ?? {}, true, kind);
  const pub = parseEndpoint('pubClient', pubClient);
  const sub = subClient === undefined || subClient === null ? pub : parseEndpoint('subClient', subClient);
  return adapterFactoryOnEndpoints(settings, pub, sub, { pubClient, subClient: subClient ?? pubClient });
}

/**
 * The adapter of Socket.IO 4 on the connections of a RedisStore.
 * @param {any} store
 * @param {InstanceType<typeof import('../backplane').Backplane>} backplane
 * @param {import('../..').AdapterOptions} options
 * @returns {import('../..').AdapterFactory}
 */
function adapterOnStore(store, backplane, options) {
  const settings = readAdapterOptions(options, false, CLASSIC);
  return adapterFactoryOnStore(settings, backplane, { pubClient: store.pub, subClient: store.sub });
}

module.exports = { adapterOnStore, createAdapter, createShardedAdapter, createStreamsAdapter };
