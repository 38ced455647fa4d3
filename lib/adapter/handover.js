'use strict';

const { setImmediate, setTimeout } = require('../timers');

/** How long entries are handed out between two stops, in ms, at least. */
const PAUSE = 5;

/**
 * Stops a stream for moments in which sockets that come back take over: what is up to there they have missed, and
 * what is behind it they get like all others. Those that come at the same time share a stop.
 */
class Handover {
  #hold;
  #release;
  /** @type {((stopped: Promise<string | null>) => Promise<unknown>)[]} */
  #waiting = [];
  #isStopped = false;

  /**
   * @param {() => Promise<string | null>} hold stops it, and says behind which entry
   * @param {() => void} release
   */
  constructor(hold, release) {
    this.#hold = hold;
    this.#release = release;
  }

  /**
   * Calls back when the stream is about to stand still. It does then until the microtasks are done that what is
   * returned resolves.
   * @template T
   * @param {(stopped: Promise<string | null>) => Promise<T>} callback gets what resolves once it stands still, with the
   *   id of the last entry that was handed out, null where there was none
   * @returns {Promise<T>}
   */
  stop(callback) {
    return new Promise((resolve, reject) => {
      this.#waiting.push(async (stopped) => {
        try {
          resolve(await callback(stopped));
        } catch (error) {
          reject(error);
        }
      });
      if (!this.#isStopped) this.#stop();
    });
  }

  async #stop() {
    this.#isStopped = true;
    const stopped = this.#hold();
    // What throws here is what the callbacks get too.
    await Promise.allSettled([stopped, ...this.#waiting.splice(0).map((callback) => callback(stopped))]);
    setImmediate(() => this.#goOn());
  }

  #goOn() {
    this.#release();
    setTimeout(() => {
      this.#isStopped = false;
      if (this.#waiting.length > 0) this.#stop();
    }, PAUSE);
  }
}

module.exports = { Handover };
