'use strict';

const { WS_BINARY, WS_CLOSED, WS_ERROR, WS_PING, WS_PONG, WS_SENT, WS_TEXT } = require('../backplane/binding');
const { rethrow } = require('../backplane/attempt');
const { now } = require('../timers');

/**
 * What a connection hears of the native side.
 * @typedef {object} Receiver
 * @property {(data: string | Buffer, isBinary: boolean) => void} onMessage
 * @property {(data: Buffer) => void} onPing
 * @property {(data: Buffer) => void} onPong
 * @property {() => void} onSent what was given a ticket first has left
 * @property {(code: string, message: string) => void} onError
 * @property {(code: number, reason: string) => void} onClosed the last
 */

/** Takes batches of the native side apart: messages of clients, and what has become of what was sent. */
class Messages {
  /** @type {Map<number, Receiver>} */
  #receivers;
  /** What of a batch is not handed out yet. @type {any} */
  #batch = null;
  /** Where its next entry begins: in its index, and in its bytes. */
  #next = 0;
  #start = 0;

  /** @param {Map<number, Receiver>} receivers by the connections' numbers */
  constructor(receivers) {
    this.#receivers = receivers;
  }

  /** Whether there is something left of the last batch. */
  get isBusy() {
    return this.#batch !== null;
  }

  /**
   * Hands out one batch, as far as the time goes. What a listener throws is an uncaught exception, after the batch.
   * @param {any} batch a `NativeBatch`
   * @param {number} deadline as `now()` of `lib/timers.js` has it
   * @returns {boolean} whether that was all of it
   */
  deliver(batch, deadline) {
    this.#batch = batch;
    this.#next = this.#start = 0;
    return this.resume(deadline);
  }

  /** Hands out what is left of the last batch. @param {number} deadline @returns {boolean} whether that was all of it */
  resume(deadline) {
    const batch = this.#batch;
    if (batch === null) return true;
    while (this.#next < batch.index.length) {
      try {
        this.#entry(batch);
      } catch (error) {
        rethrow(error);
      }
      if (now() > deadline && this.#next < batch.index.length) return false;
    }
    this.#batch = null;
    return true;
  }

  #entry({ bytes, wide, index }) {
    const at = this.#next;
    const receiver = this.#receivers.get(index[at + 1]);
    switch (index[at]) {
      case WS_TEXT: {
        const start = this.#pass(3, index[at + 2]);
        const text = wide ? bytes.utf8Slice(start, this.#start) : bytes.latin1Slice(start, this.#start);
        receiver?.onMessage(text, false);
        break;
      }
      case WS_BINARY:
        receiver?.onMessage(this.#copy(bytes, index[at + 2]), true);
        break;
      case WS_PING:
        receiver?.onPing(this.#copy(bytes, index[at + 2]));
        break;
      case WS_PONG:
        receiver?.onPong(this.#copy(bytes, index[at + 2]));
        break;
      case WS_SENT:
        this.#pass(2, 0);
        receiver?.onSent();
        break;
      case WS_ERROR: {
        const start = this.#pass(4, index[at + 2] + index[at + 3]);
        const code = start + index[at + 2];
        receiver?.onError(bytes.latin1Slice(start, code), bytes.latin1Slice(code, this.#start));
        break;
      }
      case WS_CLOSED: {
        const start = this.#pass(4, index[at + 3]);
        receiver?.onClosed(index[at + 2], bytes.utf8Slice(start, this.#start));
      }
    }
  }

  /** The next entry begins behind so many words and bytes, whatever this one does. @returns {number} where its bytes begin */
  #pass(words, length) {
    const start = this.#start;
    this.#next += words;
    this.#start += length;
    return start;
  }

  /** A copy: the application may hold it for long, and not all of the batch with it. */
  #copy(bytes, length) {
    const start = this.#pass(3, length);
    return Buffer.from(bytes.subarray(start, this.#start));
  }
}

module.exports = { Messages };
