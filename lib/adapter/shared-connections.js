'use strict';

const { Backplane } = require('../backplane');
const { NativeAdapter } = require('../backplane/binding');
const { flushAtExit, stopFlushingAtExit } = require('./exit');
const { useBaseOf } = require('./socket-io');

/** The events of a store's connections, which the adapter of each namespace emits too. */
const EVENTS = ['connect', 'disconnect', 'reconnecting', 'gap', 'close'];

/**
 * @typedef {ReturnType<typeof import('./options').readAdapterOptions>} Settings
 * @typedef {import('../endpoint').ParsedEndpoint} ParsedEndpoint
 * @typedef {{ pubClient: unknown, subClient: unknown }} Clients as they were passed
 */

/** What namespaces share: the connections, and their events. */
class SharedConnections {
  /** @type {Set<any>} */
  #adapters = new Set();
  #onLast;

  /**
   * @param {Settings} settings
   * @param {Clients} clients
   * @param {(emitter: any) => InstanceType<typeof Backplane>} makeBackplane for the emitter of its events
   * @param {(() => Promise<void>) | null} onLast called when the last namespace leaves
   */
  constructor(settings, { pubClient, subClient }, makeBackplane, onLast) {
    this.settings = settings;
    this.pubClient = pubClient;
    this.subClient = subClient;
    this.#onLast = onLast;
    /** The connections. */
    this.backplane = makeBackplane(this);
    /** The native side of the adapters on them. */
    this.native = new NativeAdapter(this.backplane.native);
  }

  /** Hands out what arrives. @returns {InstanceType<typeof import('../backplane/inbox').Inbox>} */
  get inbox() {
    return this.backplane.inbox;
  }

  /** What is counted, queued and connected. @returns {import('../..').BackplaneStats} */
  stats() {
    return this.backplane.stats();
  }

  /** @param {any} adapter */
  join(adapter) {
    this.#adapters.add(adapter);
  }

  /**
   * @param {any} adapter
   * @returns {Promise<void>} resolves once all that was published has left, if it was the last
   */
  async leave(adapter) {
    // The last one stays, to emit `close`.
    if (this.#adapters.size === 1 && this.#onLast !== null) return this.#onLast();
    this.#adapters.delete(adapter);
  }

  /**
   * Emits an event of the connections on the adapter of each namespace.
   * @param {string} event
   * @param {unknown} details
   */
  emit(event, details) {
    for (const adapter of [...this.#adapters]) {
      // An `error` without a listener would be thrown.
      if (event !== 'error' || adapter.listenerCount(event) > 0) adapter.emit(event, details);
    }
  }

  /**
   * How many listeners an event of the connections has.
   * @param {string} event
   */
  listenerCount(event) {
    return [...this.#adapters].reduce((sum, adapter) => sum + adapter.listenerCount(event), 0);
  }
}

/**
 * Adapters on connections of their own, which are open as long as there is a namespace.
 * @param {Settings} settings
 * @param {ParsedEndpoint} pub
 * @param {ParsedEndpoint} sub
 * @param {Clients} clients
 */
function adapterFactoryOnEndpoints(settings, pub, sub, clients) {
  /** @type {SharedConnections | null} */
  let connections = null;
  const open = () => {
    const endpoints = { pub: inNoDatabase(pub), sub: inNoDatabase(sub), cmd: inNoDatabase(pub) };
    const makeBackplane = (/** @type {any} */ emitter) => new Backplane(emitter, endpoints, settings.backplane);
    const close = () => {
      connections = null;
      stopFlushingAtExit(opened.backplane);
      return /** @type {Promise<void>} */ (
        new Promise((resolve) => {
          opened.onClosed = resolve;
          opened.backplane.close();
        })
      );
    };
    const opened = new OwnConnections(
      settings,
      clients,
      makeBackplane,
      close,
      addErrorListeners([pub.client, sub.client]),
    );
    flushAtExit(opened.backplane);
    return opened;
  };
  return factory(() => (connections ??= open()));
}

/**
 * Channels span databases, and the right to `SELECT` one may be missing.
 * @param {ParsedEndpoint} endpoint
 * @returns {ParsedEndpoint}
 */
function inNoDatabase(endpoint) {
  return { ...endpoint, read: () => ({ ...endpoint.read(), db: 0 }) };
}

/** Connections that are closed with the last namespace. */
class OwnConnections extends SharedConnections {
  #removeErrorListeners;

  /**
   * @param {Settings} settings
   * @param {Clients} clients
   * @param {(emitter: any) => InstanceType<typeof Backplane>} makeBackplane
   * @param {() => Promise<void>} onLast
   * @param {() => void} removeErrorListeners
   */
  constructor(settings, clients, makeBackplane, onLast, removeErrorListeners) {
    super(settings, clients, makeBackplane, onLast);
    this.#removeErrorListeners = removeErrorListeners;
    /** @type {() => void} */
    this.onClosed = () => {};
  }

  /** @param {string} event @param {unknown} details */
  emit(event, details) {
    super.emit(event, details);
    if (event !== 'close') return;
    this.#removeErrorListeners();
    this.onClosed();
  }
}

/**
 * Adapters on the connections of a store, which has to be destroyed.
 * @param {Settings} settings
 * @param {import('node:events').EventEmitter} store
 * @param {InstanceType<typeof Backplane>} backplane
 * @param {Clients} clients
 */
function adapterFactoryOnStore(settings, store, backplane, clients) {
  const connections = new SharedConnections(settings, clients, () => backplane, null);
  for (const event of EVENTS) store.on(event, (details) => connections.emit(event, details));
  store.once('close', () => stopFlushingAtExit(backplane));
  flushAtExit(backplane);
  return factory(() => connections);
}

/**
 * @param {() => SharedConnections} connectionsFor
 * @returns {import('../..').AdapterFactory}
 */
function factory(connectionsFor) {
  // A function, since Socket.IO calls it with `new`.
  return /** @type {any} */ (
    function RedisAdapterFactory(/** @type {any} */ nsp) {
      useBaseOf(nsp.server);
      // Only an application of Socket.IO 4 has the base class that this needs.
      const { RedisAdapter } = require('./redis-adapter');
      const connections = connectionsFor();
      const adapter = new RedisAdapter(nsp, connections);
      connections.join(adapter);
      return adapter;
    }
  );
}

/**
 * Keeps client objects from throwing an `error` without a listener, as the official adapter does.
 * @param {any[]} clients
 * @returns {() => void} removes the listeners
 */
function addErrorListeners(clients) {
  const emitters = [...new Set(clients)].filter((client) => typeof client?.on === 'function');
  /** @this {import('node:events').EventEmitter} */
  function onError() {
    if (this.listenerCount('error') === 1) console.warn("missing 'error' handler on this Redis client");
  }
  for (const client of emitters) client.on('error', onError);
  return () => {
    for (const client of emitters) client.removeListener('error', onError);
  };
}

module.exports = { adapterFactoryOnEndpoints, adapterFactoryOnStore, SharedConnections };
