'use strict';

/** What only an outage brings; everything else is emitted each time. */
const OUTAGE = new Set(['ERR_CONNECT', 'ERR_REFUSED', 'ERR_CONNECTION_LOST', 'ERR_QUEUE_FULL']);

/** Emits the events of the native side. */
class EventSink {
  #emitter;
  /** The connections that are away: an outage lasts as long as there are any. */
  #away = new Set();
  #warned = false;
  #onClose;

  /**
   * @param {import('node:events').EventEmitter} emitter a store, or the connections that namespaces share
   * @param {() => void} onClose called before the listeners for `close` are
   */
  constructor(emitter, onClose) {
    this.#emitter = emitter;
    this.#onClose = onClose;
  }

  /**
   * Emits one event. Its shapes are those of `Event` in `src/event_loop/event.rs`.
   * @param {any} event
   */
  emit({ event, error, ...details }) {
    if (event === 'connect') this.#reconnected(details.connection);
    if (event === 'close') this.#onClose();
    if (event === 'disconnect') this.#away.add(details.connection);
    if (event === 'error') {
      this.emitError(Object.assign(this.toError(error), details));
    } else if (error) {
      this.#emitter.emit(event, { ...details, error: this.toError(error) });
    } else {
      this.#emitter.emit(event, details);
    }
  }

  #reconnected(connection) {
    this.#away.delete(connection);
    if (this.#away.size === 0) this.#warned = false;
  }

  /**
   * Emits `error`, which never throws: without a listener it goes to the console, once in an
   * outage.
   * @param {any} error
   */
  emitError(error) {
    const outage = OUTAGE.has(error.code);
    if (outage) this.#away.add(error.connection);
    if (this.#emitter.listenerCount('error') > 0) {
      this.#emitter.emit('error', error);
    } else if (!outage || !this.#warned) {
      this.#warned ||= outage;
      console.warn(`[socket.io-redis-native] ${error.code}: ${error.message}`);
    }
  }

  /**
   * An Error from what crossed from the native side.
   * @param {{ code: string, message: string, cause?: string | null }} failure
   * @returns {Error & { code: string }}
   */
  toError({ code, message, cause }) {
    const error = cause ? new Error(message, { cause: new Error(cause) }) : new Error(message);
    return Object.assign(error, { code });
  }
}

module.exports = { EventSink };
