'use strict';

const { MAX_ARGS } = require('./server-messages');

/**
 * Unpacks messages with the application's own `unpack`, and drops the node's own, as 0.9's store
 * does in JavaScript.
 */
class Unpacker {
  #store;
  #backplane;
  #native;
  #buffers;
  #delivered = 0;
  #own = 0;

  /**
   * @param {{ nodeId: string | number, unpack: Function }} store
   * @param {import('../native').NativeBackplane} backplane
   * @param {import('../native').NativeStore} native
   * @param {boolean} buffers whether `unpack` gets Buffers, as from a client with `return_buffers`
   */
  constructor(store, backplane, native, buffers) {
    this.#store = store;
    this.#backplane = backplane;
    this.#native = native;
    this.#buffers = buffers;
  }

  /**
   * Hands one message to the consumers of its channel.
   * @param {string} channel
   * @param {import('../backplane/inbox').Bytes} payload
   * @param {Function[]} consumers
   * @param {(fn: Function, self: null, args: unknown[], channel: string) => void} attempt
   */
  unpack(channel, payload, consumers, attempt) {
    for (const [position, consumer] of consumers.entries()) {
      const message = this.#read(channel, payload);
      if (message === undefined) return;
      if (position === 0) message.own ? this.#own++ : this.#delivered++;
      if (!message.own) attempt(consumer, null, message.args, channel);
    }
  }

  #read(channel, payload) {
    try {
      // A copy, since the application may keep it and the batch is one memory.
      const message = this.#store.unpack(this.#buffers ? Buffer.from(payload) : payload.utf8Slice());
      const args = message.args ?? [];
      // eslint-disable-next-line eqeqeq -- as 0.9's store does: 5 and '5' are the same node
      const own = this.#store.nodeId == message.nodeId;
      if (typeof message === 'object' && Array.isArray(args) && args.length <= MAX_ARGS) return { own, args };
    } catch {
      // Counted below, like any other payload that is no message: an id may be an object that cannot be text, a
      // payload too long for a string.
    }
    this.#backplane.malformed(channel);
    return undefined;
  }

  /** Adds what was counted since the last time to the store's figures. */
  count() {
    this.#native.unpacked(this.#delivered, this.#own);
    this.#delivered = 0;
    this.#own = 0;
  }
}

module.exports = { Unpacker };
