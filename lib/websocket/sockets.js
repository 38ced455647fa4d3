'use strict';

const { NativeWebSockets } = require('../backplane/binding');
const { Messages } = require('./messages');
const { handOver } = require('./node-socket');
const { Turns } = require('../backplane/turns');
const { clearInterval, nextTick, setInterval } = require('../timers');

/** A timer that never fires (the longest that Node takes) keeps the process alive. */
const FOREVER = 2 ** 31 - 1;
/** What may wait for a busy event loop. */
const MAILBOX = { messages: 10_000, bytes: 64 * 1024 * 1024 };

/** The native connections of this environment, and what crosses between them and JavaScript. */
class Sockets {
  /** @type {Map<number, any>} */
  #receivers = new Map();
  #messages = new Messages(this.#receivers);
  /** Held here: the native side does not hold it. */
  #turns = new Turns({ drain: () => this.native.drain(), inboxOf: () => this.#messages });
  #flushing = false;
  /** Keeps the process alive as long as there are connections, as their sockets would. @type {any} */
  #alive = null;

  /** @param {number} threads */
  constructor(threads) {
    /** The native side. */
    this.native = new NativeWebSockets({ threads, ...MAILBOX }, this.#turns.waker());
  }

  /**
   * Has the native side own the connection of a socket.
   * @param {any} socket Node's
   * @param {Buffer} head what the HTTP parser has read beyond the request
   * @param {string} response what is written first
   * @param {{ maxPayload: number, maxBufferedAmount: number }} limits in bytes
   * @param {(last?: Buffer) => void} end ends the native connection
   * @returns {{ id: number, rest: Buffer | undefined }} the connection's number; or, where it cannot be had, all that
   *   had been read
   */
  adopt(socket, head, response, limits, end) {
    let id = 0;
    const adopt = (/** @type {number} */ descriptor, /** @type {Buffer} */ read) => {
      id = this.native.adopt(descriptor, read, response, limits);
    };
    const rest = handOver(socket, head, Buffer.byteLength(response), adopt, end);
    return { id, rest };
  }

  /**
   * Adds a connection.
   * @param {number} id
   * @param {import('./messages').Receiver} receiver
   */
  add(id, receiver) {
    if (this.#receivers.size === 0) this.#alive = setInterval(() => this, FOREVER);
    this.#receivers.set(id, receiver);
  }

  /** Removes a connection that is gone. @param {number} id */
  remove(id) {
    this.#receivers.delete(id);
    if (this.#receivers.size === 0) clearInterval(this.#alive);
  }

  /** Has all commands of this tick carried out at its end. */
  flushSoon() {
    if (this.#flushing) return;
    this.#flushing = true;
    nextTick(() => {
      this.#flushing = false;
      this.native.flush();
    });
  }
}

/** @type {Sockets | undefined} */
let sockets;

/**
 * The native connections of this environment, made when they are asked for first.
 * @param {number} [threads] counts at the first call
 * @returns {Sockets}
 */
function socketsOf(threads = defaultThreads()) {
  sockets ??= new Sockets(threads);
  return sockets;
}

/** Half of the processors: the event loop and Redis's threads need theirs. */
function defaultThreads() {
  const { availableParallelism, cpus } = require('node:os');
  const processors = availableParallelism?.() ?? cpus().length;
  return Math.min(Math.max(Math.floor(processors / 2), 1), 4);
}

module.exports = { socketsOf };
