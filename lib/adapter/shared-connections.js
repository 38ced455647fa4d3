'use strict';

const { Backplane } = require('../backplane');
const { flushAtExit, forget } = require('./exit');

/** The events of a store's connections, which the adapter of each namespace emits too. */
const EVENTS = ['connect', 'disconnect', 'reconnecting', 'gap', 'close'];

/**
 * @typedef {ReturnType<typeof import('./options').readAdapterOptions>} Settings
 * @typedef {import('../endpoint').ParsedEndpoint} ParsedEndpoint
 * @typedef {{ pubClient: unknown, subClient: unknown }} Clients as they were passed
 */

/** What namespaces share: the connections, and what these have to tell. */
class Hub {
  /** @type {Set<any>} */
  #adapters = new Set();
  #onLast;

  /**
   * @param {Settings} settings
   * @param {Clients} clients
   * @param {(() => Promise<void>) | null} onLast called when the last namespace leaves
   */
  constructor(settings, { pubClient, subClient }, onLast) {
    this.settings = settings;
    this.pubClient = pubClient;
    this.subClient = subClient;
    this.#onLast = onLast;
    /** @type {any} The connections. */
    this.backplane = undefined;
  }

  /** The native side of the connections. @returns {import('../native').NativeBackplane} */
  get native() {
    return this.backplane.native;
  }

  /** What hands out what arrives. @returns {InstanceType<typeof import('../backplane/inbox').Deliveries>} */
  get deliveries() {
    return this.backplane.deliveries;
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
    // The last one stays to hear of the end.
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
   * How many listen to an event of the connections.
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
function onEndpoints(settings, pub, sub, clients) {
  /** @type {Hub | null} */
  let hub = null;
  const open = () => {
    const close = () => {
      hub = null;
      forget(backplane);
      return /** @type {Promise<void>} */ (new Promise((resolve) => {
        opened.onClosed = resolve;
        backplane.close();
      }));
    };
    const opened = new OwnHub(settings, clients, close, hear([pub.client, sub.client]));
    // No message is marked by a node id here; the uid of a namespace marks them.
    const options = { ...settings.backplane, nodeId: '0', messagePack: false, raw: false };
    const backplane = new Backplane(/** @type {any} */ (opened), { pub, sub, cmd: pub }, options);
    opened.backplane = backplane;
    flushAtExit(backplane);
    return opened;
  };
  return factory(() => (hub ??= open()));
}

/** A hub that ends with its connections. */
class OwnHub extends Hub {
  #unhear;

  /**
   * @param {Settings} settings
   * @param {Clients} clients
   * @param {() => Promise<void>} onLast
   * @param {() => void} unhear
   */
  constructor(settings, clients, onLast, unhear) {
    super(settings, clients, onLast);
    this.#unhear = unhear;
    /** @type {() => void} */
    this.onClosed = () => {};
  }

  /** @param {string} event @param {unknown} details */
  emit(event, details) {
    super.emit(event, details);
    if (event !== 'close') return;
    this.#unhear();
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
function onStore(settings, store, backplane, clients) {
  const hub = new Hub(settings, clients, null);
  hub.backplane = backplane;
  for (const event of EVENTS) store.on(event, (details) => hub.emit(event, details));
  store.once('close', () => forget(backplane));
  flushAtExit(backplane);
  return factory(() => hub);
}

/**
 * @param {() => Hub} hubOf
 * @returns {import('../..').AdapterFactory}
 */
function factory(hubOf) {
  // A function, since Socket.IO calls it with `new`.
  return /** @type {any} */ (function RedisAdapterFactory(/** @type {any} */ nsp) {
    // Not before somebody uses Socket.IO 4: it stands on a class of that.
    const { RedisAdapter } = require('./redis-adapter');
    const hub = hubOf();
    const adapter = new RedisAdapter(nsp, hub);
    hub.join(adapter);
    return adapter;
  });
}

/**
 * Has client objects never throw an `error` that nobody listens for, as the official adapter does.
 * @param {any[]} clients
 * @returns {() => void} takes it back
 */
function hear(clients) {
  const heard = [...new Set(clients)].filter((client) => typeof client?.on === 'function');
  /** @this {import('node:events').EventEmitter} */
  function onError() {
    if (this.listenerCount('error') === 1) console.warn("missing 'error' handler on this Redis client");
  }
  for (const client of heard) client.on('error', onError);
  return () => {
    for (const client of heard) client.removeListener('error', onError);
  };
}

module.exports = { Hub, onEndpoints, onStore };
