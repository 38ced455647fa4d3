'use strict';

/** Counts what arrives, and tells when as many have arrived as were expected. */
class Arrivals {
  received = 0;
  #expected = Infinity;
  #settle = () => {};

  arrived() {
    this.received += 1;
    if (this.received === this.#expected) this.#settle();
  }

  /**
   * Counts from zero.
   * @param {number} [count] without it, they are only counted
   * @param {number} [patience] ms after which those that came are all
   * @returns {Promise<void>} resolved when `count` have arrived
   */
  expect(count = Infinity, patience) {
    this.received = 0;
    this.#expected = count;
    return new Promise((resolve) => {
      const timer = patience && setTimeout(resolve, patience);
      this.#settle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

module.exports = { Arrivals };
