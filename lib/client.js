'use strict';

/** @typedef {InstanceType<typeof import('./backplane').Backplane>} Backplane */

/**
 * The backplane of each store. Not a property of it, so that `new Client(store, id)` is all that it
 * takes, as in 0.9, and nothing private shows.
 * @type {WeakMap<object, Backplane>}
 */
const inner = new WeakMap();

/**
 * The data of one client, in a Redis hash whose key is the client's id, as 0.9's
 * `RedisStore.Client` keeps it. Every callback gets `(error)` or `(null, value)`; an error has a
 * `code`: `ERR_COMMAND_TIMEOUT`, `ERR_QUEUE_FULL`, `ERR_REDIS_REPLY` or `ERR_STORE_DESTROYED`.
 * Without a callback an error is an `error` event of the store.
 */
class Client {
  #native;
  #key;
  #deliveries;

  /**
   * @param {any} store the RedisStore
   * @param {string} id
   */
  constructor(store, id) {
    const { native, deliveries } = /** @type {Backplane} */ (inner.get(store));
    this.store = store;
    this.id = id;
    this.#key = String(id);
    this.#native = native;
    this.#deliveries = deliveries;
  }

  /**
   * @param {string} key
   * @param {(error: Error | null, value?: string | null) => void} [fn] `null` for a missing key
   * @returns {this}
   */
  get(key, fn) {
    this.#native.get(this.#key, String(key), this.#deliveries.expect(fn));
    return this;
  }

  /**
   * @param {string} key
   * @param {unknown} value a Buffer as it is, anything else as `String(value)`
   * @param {(error: Error | null, added?: number) => void} [fn] 1 for a new key, 0 for an old one
   * @returns {this}
   */
  set(key, value, fn) {
    const bytes = Buffer.isBuffer(value) ? value : String(value);
    this.#native.set(this.#key, String(key), bytes, this.#deliveries.expect(fn));
    return this;
  }

  /**
   * @param {string} key
   * @param {(error: Error | null, deleted?: number) => void} [fn] 1, or 0 for a missing key
   * @returns {this}
   */
  del(key, fn) {
    this.#native.del(this.#key, String(key), this.#deliveries.expect(fn));
    return this;
  }

  /**
   * @param {string} key
   * @param {(error: Error | null, has?: boolean) => void} [fn]
   * @returns {this}
   */
  has(key, fn) {
    const answer = fn && ((error, has) => (error ? fn(error) : fn(null, has === 1)));
    this.#native.has(this.#key, String(key), this.#deliveries.expect(answer));
    return this;
  }

  /**
   * Deletes all the data, or lets it expire.
   * @param {number} [expiration] seconds
   * @returns {this}
   */
  destroy(expiration) {
    if (typeof expiration === 'number') {
      // Redis takes whole seconds; anything it would refuse leaves the data as it is.
      if (Number.isFinite(expiration)) this.#native.expire(this.#key, Math.ceil(expiration));
    } else {
      this.#native.destroy(this.#key);
    }
    return this;
  }
}

module.exports = { Client, inner };
