'use strict';

const { adapterOnStore, createAdapter, createShardedAdapter, createStreamsAdapter } = require('./lib/adapter');
const { Emitter, StreamsEmitter } = require('./lib/emitter');
const { parts } = require('./lib/store/client');
const { RedisStore: Store } = require('./lib/store/redis-store');
const { WebSocketServer } = require('./lib/websocket/web-socket-server');

/**
 * The store of Socket.IO 0.9, which can also carry adapters of Socket.IO 4: the store and the adapter
 * know nothing of each other.
 */
class RedisStore extends Store {
  /**
   * An adapter for Socket.IO 4 on this store's connections: `new Server({ adapter: store.adapter() })`.
   * From then on the store no longer keeps the process alive; `destroy()` closes the connections.
   * @param {import('.').AdapterOptions} [options]
   * @returns {import('.').AdapterFactory}
   * @throws {TypeError} `ERR_INVALID_OPTION`, which names the option
   */
  adapter(options = {}) {
    return adapterOnStore(this, /** @type {any} */ (parts.get(this)).backplane, options);
  }
}

/** What only an application of Socket.IO 4 has the base class for. */
const optional = {
  /** The class of the adapters, or `undefined`. @returns {any} */
  get RedisAdapter() {
    try {
      return require('./lib/adapter/redis-adapter').RedisAdapter;
    } catch (/** @type {any} */ error) {
      if (error.code === 'ERR_SOCKET_IO_MISSING') return undefined;
      throw error;
    }
  },
};

// The function itself, as of `@socket.io/redis-adapter`; with the names that `import` and `require` take from it.
module.exports = createAdapter;
module.exports.createAdapter = createAdapter;
module.exports.createShardedAdapter = createShardedAdapter;
module.exports.createStreamsAdapter = createStreamsAdapter;
module.exports.Emitter = Emitter;
module.exports.StreamsEmitter = StreamsEmitter;
module.exports.RedisStore = RedisStore;
module.exports.WebSocketServer = WebSocketServer;
module.exports.default = createAdapter;
// As what finds the names of a module for `import` understands it. Loaded when it is asked for.
Object.defineProperty(module.exports, 'RedisAdapter', {
  enumerable: true,
  get() {
    return optional.RedisAdapter;
  },
});
