'use strict';

const { encodeError } = require('../errors');
const { setImmediate } = require('../timers');

/** @typedef {InstanceType<typeof import('../backplane').Backplane>} Backplane */

/**
 * @typedef {object} Parts
 * @property {Backplane} backplane
 * @property {import('../native').NativeStore} native
 * @property {string} keyPrefix what stands before each client's id, as `redisClient` puts it there
 * @property {(key: unknown) => boolean} wantsBytes whether the value of a key is given as a Buffer
 */

/**
 * What each store is made of. Not properties of it, so that `new Client(store, id)` is all that it
 * takes, as in 0.9, and nothing private shows.
 * @type {WeakMap<object, Parts>}
 */
const parts = new WeakMap();

/**
 * The data of one client, in a Redis hash whose key is the client's id, as 0.9's
 * `RedisStore.Client` keeps it. Every callback gets `(error)` or `(null, value)`; an error has a
 * `code`: `ERR_COMMAND_TIMEOUT`, `ERR_QUEUE_FULL`, `ERR_REDIS_REPLY` or `ERR_CLOSED`, or
 * `ERR_ENCODE` for an id, a key or a value that cannot be text. Without a callback an error is an
 * `error` event of the store.
 */
class Client {
  #native;
  #events;
  #inbox;
  #keyPrefix;
  #wantsBytes;

  /**
   * @param {any} store the RedisStore
   * @param {string} id
   */
  constructor(store, id) {
    const { backplane, native, keyPrefix, wantsBytes } = /** @type {Parts} */ (parts.get(store));
    this.store = store;
    this.id = id;
    this.#native = native;
    this.#events = backplane.events;
    this.#inbox = backplane.inbox;
    this.#keyPrefix = keyPrefix;
    this.#wantsBytes = wantsBytes;
  }

  /**
   * @param {string} key
   * @param {(error: Error | null, value?: string | Buffer | null) => void} [fn] `null` for a missing key; a
   *   Buffer where `redisClient` gives one (`return_buffers`; with `detect_buffers` for a key that is one)
   * @returns {this}
   */
  get(key, fn) {
    const texts = this.#texts([key], fn);
    if (texts === undefined) return this;
    this.#native.get(texts[0], texts[1], this.#inbox.registerCallback(fn, this.#wantsBytes(key)));
    return this;
  }

  /**
   * @param {string} key
   * @param {unknown} value a Buffer as it is, anything else as `String(value)`
   * @param {(error: Error | null, added?: number) => void} [fn] 1 for a new key, 0 for an old one
   * @returns {this}
   */
  set(key, value, fn) {
    const isBuffer = Buffer.isBuffer(value);
    const texts = this.#texts(isBuffer ? [key] : [key, value], fn);
    if (texts) this.#native.set(texts[0], texts[1], isBuffer ? value : texts[2], this.#inbox.registerCallback(fn));
    return this;
  }

  /**
   * @param {string} key
   * @param {(error: Error | null, deleted?: number) => void} [fn] 1, or 0 for a missing key
   * @returns {this}
   */
  del(key, fn) {
    const texts = this.#texts([key], fn);
    if (texts) this.#native.del(texts[0], texts[1], this.#inbox.registerCallback(fn));
    return this;
  }

  /**
   * @param {string} key
   * @param {(error: Error | null, has?: boolean) => void} [fn]
   * @returns {this}
   */
  has(key, fn) {
    const callback = fn && ((error, has) => (error ? fn(error) : fn(null, has === 1)));
    const texts = this.#texts([key], fn);
    if (texts) this.#native.has(texts[0], texts[1], this.#inbox.registerCallback(callback));
    return this;
  }

  /**
   * Deletes all the data, or lets it expire.
   * @param {number} [expiration] seconds
   * @returns {this}
   */
  destroy(expiration) {
    const texts = this.#texts([]);
    if (texts === undefined) return this;
    if (typeof expiration === 'number') {
      // Redis takes whole seconds; anything it would refuse leaves the data as it is.
      if (Number.isFinite(expiration)) this.#native.expire(texts[0], Math.ceil(expiration));
    } else {
      this.#native.destroy(texts[0]);
    }
    return this;
  }

  /**
   * The id and other arguments of a command as text. They may come from the application's clients, so
   * what cannot be text is an error of this command, and not thrown.
   * @param {unknown[]} args
   * @param {(error: Error) => void} [fn]
   * @returns {string[] | undefined} nothing when the error is on its way
   */
  #texts(args, fn) {
    try {
      return [`${this.#keyPrefix}${this.id}`, ...args.map(String)];
    } catch (cause) {
      const error = encodeError(cause);
      if (typeof fn === 'function') setImmediate(fn, error);
      else this.#events.emitError(error);
      return undefined;
    }
  }
}

module.exports = { Client, parts };
