'use strict';

const { channel } = require('node:diagnostics_channel');
const { attempt } = require('./attempt');

/** What is published to whoever traces, by event. Held here: Node forgets channels that nobody holds. */
const TRACED = Object.fromEntries(
  ['connect', 'disconnect', 'reconnecting', 'gap', 'error', 'close'].map((event) => [
    event,
    channel(`socket.io-redis-native:${event}`),
  ]),
);
/** What only an outage brings; everything else is emitted each time. */
const OUTAGE = new Set(['ERR_CONNECT', 'ERR_SENTINEL', 'ERR_REFUSED', 'ERR_CONNECTION_LOST', 'ERR_QUEUE_FULL']);
/** Each channel that Redis refuses brings one. */
const REFUSED = 'ERR_SUBSCRIPTION_REFUSED';
/** Redis refuses all of them. */
const UNSUPPORTED = 'ERR_SHARDED_UNSUPPORTED';

/**
 * @typedef {object} Emitter
 * @property {(event: any, details: any) => unknown} emit
 * @property {(event: any) => number} listenerCount
 */

/** Emits the events of the native side. */
class EventSink {
  /** @type {Set<Emitter>} */
  #emitters;
  /** The connections that are away or degraded: it lasts as long as there are any. */
  #away = new Set();
  /** What the console has been warned of since. @type {Set<unknown>} */
  #warned = new Set();
  /** What process warnings were about. @type {Set<string>} */
  #warnings = new Set();
  #closed = false;
  #onClose;

  /**
   * @param {Emitter} emitter a store, or the connections that namespaces share
   * @param {() => void} onClose called before the listeners for `close` are
   */
  constructor(emitter, onClose) {
    this.#emitters = new Set([emitter]);
    this.#onClose = onClose;
    /** Whether Redis refuses subscriptions. */
    this.isDegraded = false;
    /**
     * What is to know who is gone, each as the channel of requests and the uid.
     * @type {Set<(peers: { left: [string, string][] }) => void>}
     */
    this.peerListeners = new Set();
  }

  /**
   * Emits one event, unless it comes after `close`. Its shapes are those of `Event` in
   * `src/event_loop/event.rs`.
   * @param {any} event
   */
  emit({ event, error, ...details }) {
    if (this.#closed) return;
    if (event === 'peers') {
      for (const listener of [...this.peerListeners]) listener(/** @type {any} */ (details));
      return;
    }
    if (event === 'connect') this.#reconnected(details.connection);
    if (event === 'close') this.#close();
    if (event === 'disconnect') this.#away.add(details.connection);
    if (event === 'warning') {
      this.#warn(details);
    } else if (event === 'error') {
      this.emitError(Object.assign(this.toError(error), details));
    } else {
      const all = error ? { ...details, error: this.toError(error) } : details;
      trace(event, all);
      this.#emit(event, all);
    }
  }

  /** Has another one emit the events too. @param {Emitter} emitter */
  follow(emitter) {
    this.#emitters.add(emitter);
  }

  /** Takes that back. @param {Emitter} emitter */
  unfollow(emitter) {
    this.#emitters.delete(emitter);
  }

  /** What a listener throws becomes an uncaught exception, and hides the event from no other one. */
  #emit(event, details) {
    for (const emitter of [...this.#emitters]) {
      // An `error` without a listener would be thrown.
      if (event === 'error' && emitter.listenerCount(event) === 0) continue;
      attempt(emitter.emit, emitter, [event, details]);
    }
  }

  #reconnected(connection) {
    if (connection === 'sub') this.isDegraded = false;
    this.#away.delete(connection);
    if (this.#away.size > 0) return;
    if (this.#warned.has(OUTAGE)) print('Redis is back: all connections are up.');
    this.#warned.clear();
  }

  #close() {
    this.#closed = true;
    this.#onClose();
  }

  /** Emits a process warning, once for each server. */
  #warn({ endpoint, code, message }) {
    const about = `${code} ${endpoint}`;
    if (this.#warnings.has(about)) return;
    this.#warnings.add(about);
    process.emitWarning(`${message} (${endpoint})`, { type: 'SocketIORedisWarning', code });
  }

  /**
   * Emits `error`, which never throws: without a listener it goes to the console, once in an
   * outage, whose end is told there too, and once as long as Redis refuses subscriptions.
   * @param {any} error
   */
  emitError(error) {
    if (this.#closed) return;
    trace('error', error);
    const isRefusal = error.code === REFUSED || error.code === UNSUPPORTED;
    this.isDegraded ||= isRefusal;
    const lasting = OUTAGE.has(error.code) ? OUTAGE : isRefusal ? REFUSED : null;
    if (lasting) this.#away.add(error.connection);
    if ([...this.#emitters].some((emitter) => emitter.listenerCount('error') > 0)) {
      this.#emit('error', error);
    } else if (!lasting || !this.#warned.has(lasting)) {
      if (lasting) this.#warned.add(lasting);
      const retried = lasting === OUTAGE ? ' (told once; it connects again as soon as Redis lets it)' : '';
      print(`${error.code}: ${error.message}${retried}`);
    }
  }

  /**
   * An Error from what crossed from the native side.
   * @param {{ code: string, message: string, cause?: string | null, command?: string, channel?: string }} failure
   *   with `command` and `channel` of a refused subscription
   * @returns {Error & { code: string }}
   */
  toError({ message, cause, ...details }) {
    const error = cause ? new Error(message, { cause: new Error(cause) }) : new Error(message);
    return Object.assign(error, details);
  }
}

/** @param {string} event @param {unknown} details what its listeners get */
function trace(event, details) {
  const traced = TRACED[event];
  if (traced?.hasSubscribers) traced.publish(details);
}

/** @param {string} text */
function print(text) {
  console.warn(`[socket.io-redis-native] ${text}`);
}

module.exports = { EventSink };
