'use strict';

const { AdapterWire, NativeAdapter } = require('../backplane/binding');
const { attempt } = require('../backplane/attempt');
const { streamNames } = require('./stream-options');
const { closedError } = require('../errors');

/**
 * @typedef {ReturnType<typeof import('./options').readAdapterOptions>} Settings
 * @typedef {{ pubClient: unknown, subClient: unknown }} Clients as they were passed
 */

/** What namespaces share: the connections, and their events. */
class SharedConnections {
  /** @type {Set<any>} */
  #adapters = new Set();
  #onFirst;
  #onLast;
  /** What waits for the publishing connection. @type {Set<{ resolve: () => void, reject: (error: Error) => void }>} */
  #waiting = new Set();

  /**
   * @param {Settings} settings
   * @param {Clients} clients
   * @param {(emitter: any) => InstanceType<typeof import('../backplane').Backplane>} makeBackplane for the emitter
   *   of its events
   * @param {{ onFirst?: (connections: SharedConnections) => void, onLast: (connections: SharedConnections) => boolean }} ends
   *   called when the first namespace comes and the last one leaves; `onLast` says whether its adapter still
   *   emits events
   */
  constructor(settings, { pubClient, subClient }, makeBackplane, { onFirst, onLast }) {
    this.settings = settings;
    this.pubClient = pubClient;
    this.subClient = subClient;
    this.#onFirst = onFirst;
    this.#onLast = onLast;
    /** The connections. */
    this.backplane = makeBackplane(this);
    /** The native side of the adapters on them. */
    this.native = new NativeAdapter(
      this.backplane.native,
      AdapterWire[settings.wire.NAME],
      settings.streams === null ? undefined : nativeStreams(settings.streams),
    );
  }

  /** Whether the publishing connection is up, as far as events tell. */
  isPublishing = false;

  /** Hands out what arrives. @returns {InstanceType<typeof import('../backplane/inbox').Inbox>} */
  get inbox() {
    return this.backplane.inbox;
  }

  /** Those of the namespaces that are open. @returns {any[]} */
  get adapters() {
    return [...this.#adapters];
  }

  /** What is counted, queued and connected. @returns {import('../..').BackplaneStats} */
  stats() {
    return this.backplane.stats();
  }

  /** @param {any} adapter */
  join(adapter) {
    this.#adapters.add(adapter);
    if (this.#adapters.size === 1) this.#onFirst?.(this);
  }

  /** @param {any} adapter */
  leave(adapter) {
    if (this.#adapters.size === 1 && this.#onLast(this)) return;
    this.#adapters.delete(adapter);
  }

  /** @returns {Promise<void>} resolves once the publishing connection is up; rejects when it is closed */
  publishing() {
    if (this.backplane.isUp) return Promise.resolve();
    return new Promise((resolve, reject) => {
      if (this.backplane.isClosed) reject(closedError());
      else this.#waiting.add({ resolve, reject });
    });
  }

  /**
   * Emits an event of the connections on the adapter of each namespace. What a listener throws becomes an
   * uncaught exception, and hides the event from no other one.
   * @param {string} event
   * @param {any} details
   */
  emit(event, details) {
    if (details?.connection === 'pub') this.#onPublishing(event);
    if (event === 'close') this.#settle(({ reject }) => reject(closedError()));
    for (const adapter of this.adapters) {
      // An `error` without a listener would be thrown.
      if (event === 'error' && adapter.listenerCount(event) === 0) continue;
      attempt(adapter.emit, adapter, [event, details]);
    }
  }

  #onPublishing(event) {
    if (event === 'connect') {
      this.isPublishing = true;
      this.#settle(({ resolve }) => resolve());
    } else if (event === 'disconnect') this.isPublishing = false;
  }

  #settle(how) {
    this.#waiting.forEach(how);
    this.#waiting.clear();
  }

  /**
   * How many listeners an event of the connections has.
   * @param {string} event
   * @returns {number}
   */
  listenerCount(event) {
    return this.adapters.reduce((sum, adapter) => sum + adapter.listenerCount(event), 0);
  }
}

/** @param {NonNullable<Settings['streams']>} streams */
function nativeStreams(streams) {
  const { maxLen, readCount, blockTime, useShardedPubSub: sharded } = streams;
  return { names: streamNames(streams), maxLen, readCount, blockTime, sharded };
}

module.exports = { SharedConnections };
