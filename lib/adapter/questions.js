'use strict';

/** Questions to the native side that have no answer yet; they end when what has asked them closes. */
class Questions {
  #inbox;
  /** @type {Set<(error: Error) => void>} */
  #open = new Set();

  /** @param {{ registerCallback: (callback: Function) => number }} inbox */
  constructor(inbox) {
    this.#inbox = inbox;
  }

  /** How many have no answer. */
  get size() {
    return this.#open.size;
  }

  /**
   * Asks.
   * @param {(ticket: number) => void} send
   * @returns {Promise<any>} the answer
   */
  ask(send) {
    return new Promise((resolve, reject) => {
      this.#open.add(reject);
      const answer = (/** @type {Error | null} */ error, /** @type {any} */ value) => {
        this.#open.delete(reject);
        if (error) reject(error);
        else resolve(value);
      };
      send(this.#inbox.registerCallback(answer));
    });
  }

  /**
   * Asks several things at once.
   * @param {number} count
   * @param {(tickets: number[]) => void} send
   * @returns {Promise<any>[]} the answers, which need not be waited for
   */
  askEach(count, send) {
    /** @type {number[]} */
    const tickets = [];
    const answers = Array.from({ length: count }, () => this.ask((ticket) => tickets.push(ticket)));
    // Where it is awaited it rejects all the same.
    for (const answer of answers) answer.catch(() => {});
    send(tickets);
    return answers;
  }

  /** @param {Error} error of all that has no answer */
  close(error) {
    for (const reject of this.#open) reject(error);
    this.#open.clear();
  }
}

module.exports = { Questions };
