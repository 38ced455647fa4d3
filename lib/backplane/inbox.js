'use strict';

const {
  ENTRY_ARGS,
  ENTRY_BROADCAST,
  ENTRY_DISPATCH,
  ENTRY_PAYLOAD,
  ENTRY_RAW,
  ENTRY_REPLY,
  OPTIONAL_FALSE,
  OPTIONAL_TRUE,
  REPLY_ERROR,
  REPLY_INTEGER,
  REPLY_LIST,
  REPLY_STRING,
} = require('./binding');
const { attempt, rethrow } = require('./attempt');
const { now } = require('../timers');

const MAX_TICKET = 0xffffffff;

/**
 * A Buffer with the methods behind `toString(encoding, start, end)`, which are faster to call.
 * @typedef {Buffer & Record<'latin1Slice' | 'utf8Slice', (start?: number, end?: number) => string>} Bytes
 */

/**
 * @typedef {object} Batch
 * @property {Bytes} bytes
 * @property {boolean} wide whether there is a byte in its text that is not ASCII
 * @property {Uint32Array} index
 */

/**
 * A broadcast, ready for sockets.
 * @typedef {object} Broadcast
 * @property {number} flags see `broadcast_flags` in `src/adapter/entry.rs`
 * @property {string} rooms
 * @property {string} except
 * @property {string} text the packet as Socket.IO text
 * @property {Bytes} bytes
 * @property {number} frame where the packet's WebSocket frame begins in `bytes`
 * @property {number} end where it ends
 * @property {Buffer[]} attachments
 */

/**
 * A namespace of Socket.IO 4.
 * @typedef {object} Receiver
 * @property {(broadcast: Broadcast) => Iterator<void> | void} onBroadcast gives the steps of what takes long:
 *   whatever comes behind it waits until they are done
 * @property {(kind: number, channel: string, payload: Buffer) => Iterator<void> | void} onPayload the same
 */

/**
 * Reads payloads with the application's own `unpack`.
 * @typedef {object} Unpacker
 * @property {(channel: string, payload: Bytes, consumers: Function[], attempt: (fn: Function, self: null, args: unknown[], channel?: string) => void) => void} unpack
 * @property {() => void} count called at the end of each batch
 */

/**
 * Hands out what the native side has received, in the order in which it was received: messages to
 * consumers, replies to callbacks, broadcasts to namespaces, events to the event sink.
 */
class Inbox {
  /** @type {Map<string, number>} */
  #ids = new Map();
  /** @type {Map<number, { name: string, consumers: Function[] }>} */
  #channels = new Map();
  /** @type {Map<number, Function>} */
  #callbacks = new Map();
  /** The tickets of requests whose replies are wanted as bytes. @type {Set<number>} */
  #asBytes = new Set();
  #ticket = 0;
  /** @type {Map<number, Receiver>} */
  #namespaces = new Map();
  /** What of a batch is not handed out yet. @type {Batch | null} */
  #batch = null;
  /** Where its next entry begins: in its index, and in its bytes. */
  #next = 0;
  #start = 0;
  /** What of its last entry is not done yet. @type {{ namespace: number, steps: Iterator<void> } | null} */
  #rest = null;

  #events;

  /** @param {InstanceType<typeof import('./event-sink').EventSink>} events */
  constructor(events) {
    this.#events = events;
    /**
     * The exceptions that a consumer gets now with a `dispatch` which the native side has taken apart: by these a call
     * for it is known from others. @type {unknown[] | null}
     */
    this.dispatched = null;
    /** How many replies have come. */
    this.answered = 0;
    /** @type {Unpacker | null} For payloads that only JavaScript unpacks. */
    this.unpacker = null;
  }

  /**
   * Registers the callback that gets the reply to a request.
   * @param {Function} [callback]
   * @param {boolean} [asBytes] whether it gets a Buffer instead of a string
   * @returns {number} the ticket of the request; 0 when there is no callback
   */
  registerCallback(callback, asBytes = false) {
    if (typeof callback !== 'function') return 0;
    this.#ticket = this.#ticket === MAX_TICKET ? 1 : this.#ticket + 1;
    this.#callbacks.set(this.#ticket, callback);
    if (asBytes) this.#asBytes.add(this.#ticket);
    return this.#ticket;
  }

  /**
   * Adds a consumer to a channel.
   * @param {number} id the native side's number for it
   * @param {string} name
   * @param {Function} consumer
   */
  addConsumer(id, name, consumer) {
    const consumers = this.#channels.get(id)?.consumers ?? [];
    // A new array, since the old one may be being walked.
    this.#channels.set(id, { name, consumers: [...consumers, consumer] });
    this.#ids.set(name, id);
  }

  /**
   * Removes all consumers of a channel.
   * @param {string} name
   */
  removeConsumers(name) {
    const id = this.#ids.get(name);
    if (id === undefined) return;
    this.#ids.delete(name);
    this.#channels.delete(id);
  }

  /**
   * Adds a namespace of Socket.IO 4.
   * @param {number} id the native side's number for it
   * @param {Receiver} receiver
   */
  addNamespace(id, receiver) {
    this.#namespaces.set(id, receiver);
  }

  /** @param {number} id */
  removeNamespace(id) {
    this.#namespaces.delete(id);
    if (this.#rest?.namespace === id) this.#rest = null;
  }

  /**
   * Hands out one batch, as far as the time goes. What a consumer throws is an uncaught exception,
   * after the batch.
   * @param {any} batch a `NativeBatch`
   * @param {number} deadline as `now()` of `lib/timers.js` has it
   * @returns {boolean} whether that was all of it
   */
  deliver(batch, deadline) {
    this.#batch = batch;
    this.#next = this.#start = 0;
    return this.resume(deadline);
  }

  /** Whether a callback waits for a reply. */
  get hasCallbacks() {
    return this.#callbacks.size > 0;
  }

  /** Whether there is something left of the last batch. */
  get isBusy() {
    return this.#batch !== null;
  }

  /**
   * Hands out what is left of the last batch, as far as the time goes.
   * @param {number} deadline as `now()` of `lib/timers.js` has it
   * @returns {boolean} whether that was all of it
   */
  resume(deadline) {
    const batch = this.#batch;
    if (batch === null) return true;
    if (!this.#goOn(deadline)) return false;
    const slice = sliceOf(batch.bytes, batch.wide);
    while (this.#next < batch.index.length) {
      this.#entry(batch.index, this.#next, this.#start, slice, batch.bytes);
      if (this.#rest !== null && !this.#goOn(deadline)) return false;
      // Much cheaper to know than what any entry takes.
      if (now() > deadline && this.#next < batch.index.length) return false;
    }
    this.#batch = null;
    this.unpacker?.count();
    return true;
  }

  /** Goes on with what takes long, as far as the time goes. @returns {boolean} whether that was all of it */
  #goOn(deadline) {
    const rest = this.#rest;
    // A step may have closed the namespace.
    while (rest !== null && this.#rest === rest) {
      try {
        if (rest.steps.next().done) this.#rest = null;
        else if (now() > deadline) return false;
      } catch (error) {
        this.#rest = null;
        rethrow(error);
      }
    }
    return true;
  }

  /** Hands out the entry whose words begin at `i` and whose bytes begin at `start`. */
  #entry(index, i, start, slice, bytes) {
    switch (index[i]) {
      case ENTRY_ARGS: {
        const end = this.#pass(i + 3, start + index[i + 2]);
        this.#args(index[i + 1], slice(start, end));
        break;
      }
      case ENTRY_DISPATCH: {
        const room = start + index[i + 3];
        const packet = room + index[i + 4];
        const end = this.#pass(i + 6, packet + index[i + 5]);
        const volatile = optional(index[i + 2]);
        this.#dispatch(index[i + 1], slice(start, room), slice(room, packet), volatile, slice(packet, end));
        break;
      }
      case ENTRY_RAW: {
        const end = this.#pass(i + 3, start + index[i + 2]);
        this.#raw(index[i + 1], bytes.subarray(start, end));
        break;
      }
      case ENTRY_REPLY: {
        const end = this.#pass(i + 4, start + index[i + 3]);
        const isText = !this.#asBytes.delete(index[i + 1]) || index[i + 2] !== REPLY_STRING;
        const read = isText ? () => slice(start, end) : () => Buffer.from(bytes.subarray(start, end));
        this.#reply(index[i + 1], index[i + 2], read);
        break;
      }
      case ENTRY_BROADCAST:
        this.#broadcast(index, i, start, slice, bytes);
        break;
      case ENTRY_PAYLOAD: {
        const channel = start + index[i + 3];
        const end = this.#pass(i + 5, channel + index[i + 4]);
        this.#payload(index[i + 1], index[i + 2], bytes.utf8Slice(start, channel), bytes.subarray(channel, end));
        break;
      }
      default: {
        const end = this.#pass(i + 2, start + index[i + 1]);
        attempt(this.#events.emit, this.#events, [JSON.parse(slice(start, end))]);
      }
    }
  }

  /** The next entry begins there: whatever this one does, it is over. */
  #pass(next, end) {
    this.#next = next;
    this.#start = end;
    return end;
  }

  #broadcast(index, i, start, slice, bytes) {
    const except = start + index[i + 3];
    const frame = except + index[i + 4];
    const packet = frame + index[i + 5];
    const end = packet + index[i + 6];
    const count = index[i + 7];
    const attachments = count === 0 ? NONE : cut(bytes, end, index, i + 8, count);
    this.#pass(
      i + 8 + count,
      attachments.reduce((at, part) => at + part.length, end),
    );
    const id = index[i + 1];
    const namespace = this.#namespaces.get(id);
    if (namespace === undefined) return;
    try {
      const steps = namespace.onBroadcast({
        flags: index[i + 2],
        rooms: slice(start, except),
        except: except === frame ? '' : slice(except, frame),
        text: slice(packet, end),
        bytes,
        frame,
        end,
        attachments,
      });
      if (steps) this.#rest = { namespace: id, steps };
    } catch (error) {
      rethrow(error);
    }
  }

  #payload(id, kind, channel, payload) {
    const namespace = this.#namespaces.get(id);
    if (namespace === undefined) return;
    try {
      const steps = namespace.onPayload(kind, channel, payload);
      if (steps) this.#rest = { namespace: id, steps };
    } catch (error) {
      rethrow(error);
    }
  }

  // Every consumer gets arguments of its own, as from 0.9's store: it may change them.

  #args(id, text) {
    const channel = this.#channels.get(id);
    if (channel === undefined) return;
    for (const consumer of channel.consumers) attempt(consumer, null, JSON.parse(text), channel.name);
  }

  #dispatch(id, room, packet, volatile, exceptions) {
    const channel = this.#channels.get(id);
    if (channel === undefined) return;
    for (const consumer of channel.consumers) {
      // Not by `attempt`, whose array of arguments would show here.
      try {
        const ids = exceptions === '' ? [] : JSON.parse(exceptions);
        this.dispatched = ids;
        consumer(room, packet, volatile, ids);
      } catch (error) {
        rethrow(error, channel.name);
      }
    }
    this.dispatched = null;
  }

  #raw(id, payload) {
    const channel = this.#channels.get(id);
    if (channel === undefined) return;
    this.unpacker?.unpack(channel.name, payload, channel.consumers, attempt);
  }

  #reply(ticket, kind, read) {
    const callback = this.#callbacks.get(ticket);
    if (callback === undefined) return;
    this.#callbacks.delete(ticket);
    this.answered++;
    attempt(callback, null, this.#outcome(kind, read));
  }

  /** What the callback of a reply gets. */
  #outcome(kind, read) {
    try {
      return kind === REPLY_ERROR ? [this.#events.toError(JSON.parse(read()))] : [null, valueOf(kind, read())];
    } catch (error) {
      // Node's: the value is too long for a string.
      return [error];
    }
  }
}

/** What a reply means. */
function valueOf(kind, text) {
  switch (kind) {
    case REPLY_STRING:
      return text;
    case REPLY_INTEGER:
      return Number(text);
    case REPLY_LIST:
      return JSON.parse(text);
    default:
      return null;
  }
}

/** What a word of the index means. */
function optional(word) {
  return word === OPTIONAL_TRUE ? true : word === OPTIONAL_FALSE ? false : null;
}

/** @type {Buffer[]} */
const NONE = [];

/** The attachments of a broadcast. Copies: a socket may hold them for long, and not all of the batch with them. */
function cut(bytes, start, index, i, count) {
  return Array.from({ length: count }, (_, at) => {
    const end = start + index[i + at];
    const part = Buffer.from(bytes.subarray(start, end));
    start = end;
    return part;
  });
}

/**
 * @param {Bytes} bytes
 * @param {boolean} wide whether there is a byte that is not ASCII
 * @returns {(start: number, end: number) => string}
 */
function sliceOf(bytes, wide) {
  return wide ? (start, end) => bytes.utf8Slice(start, end) : (start, end) => bytes.latin1Slice(start, end);
}

module.exports = { Inbox };
