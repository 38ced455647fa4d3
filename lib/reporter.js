'use strict';

/** Emits the events of the native side on the store. */
class Reporter {
  #emitter;
  /** The connections whose outage the console has been told of. */
  #warned = new Set();

  /** @param {import('node:events').EventEmitter} emitter the store */
  constructor(emitter) {
    this.#emitter = emitter;
  }

  /**
   * Emits one event. Its shapes are those of `Event` in `src/delivery/event.rs`.
   * @param {{ event: string, connection?: string, error?: { code: string, message: string } }} event
   */
  event({ event, error, ...details }) {
    if (event === 'connect') this.#warned.delete(details.connection);
    if (event === 'error') {
      this.error(Object.assign(this.toError(error), details));
    } else if (error) {
      this.#emitter.emit(event, { ...details, error: this.toError(error) });
    } else {
      this.#emitter.emit(event, details);
    }
  }

  /**
   * Emits `error`, which never throws: where nobody listens, the console is told, once in each
   * outage of a connection.
   * @param {Error & { code?: string, connection?: string | null }} error
   */
  error(error) {
    if (this.#emitter.listenerCount('error') > 0) {
      this.#emitter.emit('error', error);
      return;
    }
    if (error.code === 'ERR_CONNECT' || error.code === 'ERR_REFUSED' || error.code === 'ERR_CONNECTION_LOST') {
      if (this.#warned.has(error.connection)) return;
      this.#warned.add(error.connection);
    }
    console.warn(`[socket.io-redis-native] ${error.code}: ${error.message}`);
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

module.exports = { Reporter };
