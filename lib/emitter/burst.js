'use strict';

/** How many characters are handed over together, about. */
const MAX_LENGTH = 64 * 1024;
/** What ends each room and each packet. There is none in JSON text. */
const END = '\0';

/**
 * What was emitted in one callback of the event loop, on its way to the native side in one call: calls take longer than
 * what they do. It leaves at the end of the callback, and before anything else is asked of the native side.
 */
class Burst {
  #native;
  #beforeDrain;
  /** The namespace of all of it. */
  #id = 0;
  #parts = '';

  /**
   * @param {any} native a `NativeAdapter`
   * @param {(callback: () => void) => void} beforeDrain calls back once, at the end of the callback of the event loop
   */
  constructor(native, beforeDrain) {
    this.#native = native;
    this.#beforeDrain = beforeDrain;
  }

  /**
   * Adds a broadcast.
   * @param {number} id the namespace's number
   * @param {string} room empty where it is for all
   * @param {string} text the packet
   */
  add(id, room, text) {
    if (id !== this.#id) this.flush();
    this.#id = id;
    if (this.#parts === '') this.#beforeDrain(this.flush);
    this.#parts += room + END + text + END;
    if (this.#parts.length > MAX_LENGTH) this.flush();
  }

  /** Hands it over. */
  flush = () => {
    const parts = this.#parts;
    if (parts === '') return;
    this.#parts = '';
    this.#native.broadcastBurst(this.#id, parts);
  };
}

module.exports = { Burst, END };
