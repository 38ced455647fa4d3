'use strict';

const { VOLATILE } = require('./dispatch');

/** What an entry of a batch is; the words behind it are told in `src/delivery/chunk.rs`. */
const ARGS = 0;
const DISPATCH = 1;
const RAW = 2;
const REPLY = 3;

/** What a reply is. */
const INTEGER = 1;
const STRING = 2;
const ERROR = 3;

const MAX_TICKET = 0xffffffff;

/**
 * A Buffer with the methods behind `toString(encoding, start, end)`, which are faster to call.
 * @typedef {Buffer & Record<'latin1Slice' | 'utf8Slice', (start?: number, end?: number) => string>} Bytes
 */

/**
 * Hands what the native side has received to those who wait for it: messages to consumers,
 * replies to callbacks, events to the reporter. In the order in which it was received.
 */
class Deliveries {
  /** @type {Map<string, number>} */
  #ids = new Map();
  /** @type {Map<number, { name: string, consumers: Function[] }>} */
  #channels = new Map();
  /** @type {Map<number, Function>} */
  #callbacks = new Map();
  #ticket = 0;

  /** @param {InstanceType<typeof import('./reporter').Reporter>} reporter */
  constructor(reporter) {
    this.reporter = reporter;
    /** @type {InstanceType<typeof import('./unpacker').Unpacker> | null} For payloads that only JavaScript unpacks. */
    this.unpacker = null;
  }

  /**
   * A ticket under which `callback` is called with the reply to a request.
   * @param {Function} [callback]
   * @returns {number} 0 when there is none
   */
  expect(callback) {
    if (typeof callback !== 'function') return 0;
    this.#ticket = this.#ticket === MAX_TICKET ? 1 : this.#ticket + 1;
    this.#callbacks.set(this.#ticket, callback);
    return this.#ticket;
  }

  /**
   * Adds a consumer to a channel.
   * @param {number} id the native side's number for it
   * @param {string} name
   * @param {Function} consumer
   */
  add(id, name, consumer) {
    const consumers = this.#channels.get(id)?.consumers ?? [];
    // A new array, since the old one may be being walked.
    this.#channels.set(id, { name, consumers: [...consumers, consumer] });
    this.#ids.set(name, id);
  }

  /**
   * Removes all consumers of a channel.
   * @param {string} name
   */
  remove(name) {
    const id = this.#ids.get(name);
    if (id === undefined) return;
    this.#ids.delete(name);
    this.#channels.delete(id);
  }

  /**
   * Hands out one batch. What a consumer throws is an uncaught exception, after the batch.
   * @param {{ bytes: any, wide: boolean, index: Uint32Array }} batch
   */
  deliver({ bytes, wide, index }) {
    const slice = sliceOf(bytes, wide);
    let start = 0;
    for (let i = 0; i < index.length;) {
      switch (index[i]) {
        case ARGS: {
          const end = start + index[i + 2];
          this.#args(index[i + 1], slice(start, end));
          start = end;
          i += 3;
          break;
        }
        case DISPATCH: {
          const room = start + index[i + 3];
          const packet = room + index[i + 4];
          const end = packet + index[i + 5];
          this.#dispatch(
            index[i + 1],
            slice(start, room),
            slice(room, packet),
            VOLATILE[index[i + 2]],
            slice(packet, end),
          );
          start = end;
          i += 6;
          break;
        }
        case RAW: {
          const end = start + index[i + 2];
          this.#raw(index[i + 1], bytes.subarray(start, end));
          start = end;
          i += 3;
          break;
        }
        case REPLY: {
          const end = start + index[i + 3];
          this.#reply(index[i + 1], index[i + 2], slice(start, end));
          start = end;
          i += 4;
          break;
        }
        default: {
          const end = start + index[i + 1];
          attempt(this.reporter.event, this.reporter, [JSON.parse(slice(start, end))]);
          start = end;
          i += 2;
        }
      }
    }
    this.unpacker?.count();
  }

  // Every consumer gets arguments of its own, as from 0.9's store: it may change them.

  #args(id, text) {
    const channel = this.#channels.get(id);
    if (channel === undefined) return;
    for (const consumer of channel.consumers) attempt(consumer, null, JSON.parse(text));
  }

  #dispatch(id, room, packet, volatile, exceptions) {
    const channel = this.#channels.get(id);
    if (channel === undefined) return;
    for (const consumer of channel.consumers) {
      // Not by `attempt`, whose array of arguments would show here.
      try {
        consumer(room, packet, volatile, exceptions === '' ? [] : JSON.parse(exceptions));
      } catch (error) {
        rethrow(error);
      }
    }
  }

  #raw(id, payload) {
    const channel = this.#channels.get(id);
    if (channel === undefined) return;
    this.unpacker?.unpack(channel.name, payload, channel.consumers, attempt);
  }

  #reply(ticket, kind, text) {
    const callback = this.#callbacks.get(ticket);
    if (callback === undefined) return;
    this.#callbacks.delete(ticket);
    if (kind === ERROR) {
      attempt(callback, null, [this.reporter.toError(JSON.parse(text))]);
    } else {
      attempt(callback, null, [null, kind === STRING ? text : kind === INTEGER ? Number(text) : null]);
    }
  }
}

/**
 * @param {Bytes} bytes
 * @param {boolean} wide whether there is a byte that is not ASCII
 * @returns {(start: number, end: number) => string}
 */
function sliceOf(bytes, wide) {
  return wide ? (start, end) => bytes.utf8Slice(start, end) : (start, end) => bytes.latin1Slice(start, end);
}

/** Calls the application, whose exceptions are its own and must not stop the batch. */
function attempt(fn, self, args) {
  try {
    fn.apply(self, args);
  } catch (error) {
    rethrow(error);
  }
}

/** Makes it an uncaught exception, after the batch. */
function rethrow(error) {
  queueMicrotask(() => {
    throw error;
  });
}

module.exports = { Deliveries };
