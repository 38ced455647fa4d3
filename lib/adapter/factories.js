'use strict';

const { Backplane } = require('../backplane');
const { heartbeatChannel } = require('./channels');
const { flushAtExit } = require('./exit');
const { SharedConnections } = require('./shared-connections');
const { useBaseOf } = require('./socket-io');
const { inNoDatabase } = require('../endpoint');
const { closedError } = require('../errors');

/**
 * @typedef {import('./shared-connections').Settings} Settings
 * @typedef {import('./shared-connections').Clients} Clients
 * @typedef {import('../endpoint').ParsedEndpoint} ParsedEndpoint
 */

/**
 * Adapters on connections of their own, which are open as long as there is a namespace.
 * @param {Settings} settings
 * @param {ParsedEndpoint} pub
 * @param {ParsedEndpoint} sub
 * @param {Clients} clients
 */
function adapterFactoryOnEndpoints(settings, pub, sub, clients) {
  const own = settings.streams === null ? inNoDatabase(pub) : pub;
  const endpoints = { pub: own, sub: inNoDatabase(sub), cmd: own };
  /** Those that are open. @type {InstanceType<typeof SharedConnections> | null} */
  let current = null;
  /** The ends of those that are closing. @type {Set<Promise<void>>} */
  const closing = new Set();

  const open = () => {
    const removeErrorListeners = addErrorListeners([pub.client, sub.client]);
    const onLast = (/** @type {InstanceType<typeof SharedConnections>} */ { backplane }) => {
      current = null;
      removeErrorListeners();
      closing.add(ended);
      backplane.close();
      // It emits `close`.
      return true;
    };
    const makeBackplane = (/** @type {any} */ emitter) => {
      const backplane = new Backplane(emitter, endpoints, settings.backplane);
      if (settings.heartbeat) backplane.native.beat(heartbeatChannel(settings.key), settings.wire.IS_SHARDED);
      return backplane;
    };
    const opened = new SharedConnections(settings, clients, makeBackplane, { onLast });
    const ended = opened.backplane.closed.then(() => void closing.delete(ended));
    flushAtExit(opened.backplane);
    return opened;
  };

  return factory(
    () => (current ??= open()),
    () => current?.adapters ?? [],
    () => Promise.all(closing),
  );
}

/**
 * Adapters on the connections of a store, which has to be destroyed.
 * @param {Settings} settings
 * @param {InstanceType<typeof Backplane>} backplane
 * @param {Clients} clients
 */
function adapterFactoryOnStore(settings, backplane, clients) {
  const { events } = backplane;
  const connections = new SharedConnections(settings, clients, () => backplane, {
    onFirst: (emitter) => events.follow(emitter),
    onLast: (emitter) => {
      events.unfollow(emitter);
      return false;
    },
  });
  flushAtExit(backplane);
  return factory(
    () => connections,
    () => connections.adapters,
    async () => {},
  );
}

/**
 * @param {() => InstanceType<typeof SharedConnections>} connectionsFor opens connections where there are none
 * @param {() => any[]} adaptersOf those of the namespaces that are open
 * @param {() => Promise<unknown>} closed resolves when the connections that were opened are closed
 * @returns {import('../..').AdapterFactory}
 */
function factory(connectionsFor, adaptersOf, closed) {
  // A function, since Socket.IO calls it with `new`.
  function RedisAdapterFactory(/** @type {any} */ nsp) {
    useBaseOf(nsp.server);
    // Only an application of Socket.IO 4 has the base class that this needs.
    const { RedisAdapter } = require('./redis-adapter');
    const replaced = nsp.adapter;
    const adapter = new RedisAdapter(nsp, connectionsFor);
    // After `io.adapter(…)`, which closes nothing. The new one is there first, as they may share connections.
    if (replaced instanceof RedisAdapter) replaced.close();
    return adapter;
  }

  async function close() {
    await Promise.all(adaptersOf().map((adapter) => adapter.close()));
    await closed();
  }

  async function ready() {
    const adapters = adaptersOf();
    if (adapters.length === 0)
      throw closedError('No namespace uses this adapter: pass it to a Server, and ask it then.');
    await Promise.all(adapters.map((adapter) => adapter.ready()));
  }

  return /** @type {any} */ (Object.assign(RedisAdapterFactory, { close, ready }));
}

/**
 * Keeps client objects from throwing an `error` without a listener, as the official adapter does. It says so
 * once for each, and not at each attempt of the client to connect.
 * @param {any[]} clients
 * @returns {() => void} removes the listeners
 */
function addErrorListeners(clients) {
  const emitters = [...new Set(clients)].filter((client) => typeof client?.on === 'function');
  const warned = new WeakSet();
  /** @this {import('node:events').EventEmitter} */
  function onError() {
    if (this.listenerCount('error') > 1 || warned.has(this)) return;
    warned.add(this);
    console.warn("missing 'error' handler on this Redis client");
  }
  for (const client of emitters) client.on('error', onError);
  return () => {
    for (const client of emitters) client.removeListener('error', onError);
  };
}

module.exports = { adapterFactoryOnEndpoints, adapterFactoryOnStore };
