'use strict';

/** What has arrived and what is waited for: the tests wait for events, never for time. */
class Inbox {
  /** @type {any[]} */
  #items = [];
  /** @type {Set<{ matches: (item: any) => boolean, through: boolean, resolve: Function, reject: Function }>} */
  #waiting = new Set();
  /** @type {Error | null} */
  #ended = null;

  /** @param {any} item what has arrived */
  push(item) {
    this.#items.push(item);
    for (const waiter of this.#waiting) {
      if (!waiter.matches(item)) continue;
      this.#waiting.delete(waiter);
      waiter.resolve(this.#remove(this.#items.length - 1, waiter.through));
      return;
    }
  }

  /**
   * Nothing will arrive any more.
   * @param {Error} error what those who wait, and will wait, are rejected with
   */
  end(error) {
    this.#ended ??= error;
    for (const waiter of this.#waiting) waiter.reject(this.#ended);
    this.#waiting.clear();
  }

  /**
   * The first item that matches, which leaves the inbox; those before it stay.
   * @param {(item: any) => boolean} matches
   * @returns {Promise<any>}
   */
  take(matches) {
    return this.#wait(matches, false);
  }

  /**
   * All items up to and with the first that matches; they leave the inbox.
   * @param {(item: any) => boolean} matches
   * @returns {Promise<any[]>}
   */
  through(matches) {
    return this.#wait(matches, true);
  }

  #wait(matches, through) {
    return new Promise((resolve, reject) => {
      const index = this.#items.findIndex(matches);
      if (index >= 0) resolve(this.#remove(index, through));
      else if (this.#ended) reject(this.#ended);
      else this.#waiting.add({ matches, through, resolve, reject });
    });
  }

  #remove(index, through) {
    return through ? this.#items.splice(0, index + 1) : this.#items.splice(index, 1)[0];
  }
}

module.exports = { Inbox };
