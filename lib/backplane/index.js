'use strict';

const { NativeBackplane } = require('./binding');
const { EventSink } = require('./event-sink');
const { Inbox } = require('./inbox');
const { Turns } = require('./turns');
const { clearImmediate, clearInterval, queueMicrotask, setImmediate, setInterval } = require('../timers');

/**
 * A timer that never fires (the longest that Node takes) keeps the process alive, and what it holds.
 */
const FOREVER = 2 ** 31 - 1;

/** The states of a connection that publishes. */
const UP = new Set(['connected', 'stalled']);
/** Whether that connection is up, and Redis answers on it. */
const isAnswering = (/** @type {any} */ { links }) => links[0].state === 'connected';

/**
 * One node's connections to Redis, with what crosses between the native side and JavaScript. A
 * RedisStore has one, and so has what `createAdapter` makes.
 *
 * It keeps the process alive until it is closed, or until `unref()`.
 */
class Backplane {
  #endpoints;
  #connecting;
  #connected = false;
  #closed = false;
  #flush;
  #alive;
  /** What is to be done before the next drain. @type {Set<() => void>} */
  #due = new Set();
  /** What waits until chunks are handed out. @type {{ chunk: number, callback: () => void }[]} */
  #drained = [];
  /** @type {() => void} */
  #onClosed = () => {};
  /** Held here: the native side does not hold it. */
  #turns = new Turns({ drain: () => this.#take(), inboxOf: () => this.inbox });

  /**
   * @param {import('node:events').EventEmitter} emitter what emits the events
   * @param {Record<'pub' | 'sub' | 'cmd', import('../endpoint').ParsedEndpoint>} endpoints
   * @param {import('../native').NativeOptions} options
   */
  constructor(emitter, endpoints, options) {
    this.#endpoints = endpoints;
    this.#flush = options.commandTimeout;
    /** Emits the events. */
    this.events = new EventSink(emitter, () => {
      clearInterval(this.#alive);
      this.#onClosed();
    });
    /** Resolves with the event `close`, when all that was queued is dealt with. @type {Promise<void>} */
    this.closed = new Promise((resolve) => {
      this.#onClosed = resolve;
    });
    /** Hands out what arrives. */
    this.inbox = new Inbox(this.events);
    /** The native side. */
    this.native = new NativeBackplane(options, this.#turns.waker());
    this.#alive = setInterval(() => this, FOREVER);
    // The application may still call auth() or select() on its clients, until its turn is over.
    this.#connecting = setImmediate(() => this.#connect());
  }

  #connect() {
    this.#connected = true;
    try {
      const { pub, sub, cmd } = this.#endpoints;
      this.native.connect(pub.read(), sub.read(), cmd.read());
    } catch (error) {
      this.events.emitError(error);
    }
  }

  /** Takes a batch. The native side decides by what is due for which sockets a message is. */
  #take() {
    this.#doDue();
    const batch = this.native.drain();
    if (this.#drained.length > 0) this.#callDrained(batch === null ? Infinity : batch.number);
    return batch;
  }

  #callDrained(next) {
    while (this.#drained.length > 0 && this.#drained[0].chunk <= next) this.#drained.shift()?.callback();
  }

  /**
   * Calls back once all chunks before one are handed out, and before that one is.
   * @param {number} chunk its number, no smaller than in the call before
   * @param {() => void} callback
   */
  whenDrained(chunk, callback) {
    this.#drained.push({ chunk, callback });
  }

  /**
   * Calls back once: at the end of the current callback of the event loop, or before anything else
   * arrives, before it is closed, and before its figures are read.
   * @param {() => void} callback
   */
  beforeDrain(callback) {
    if (this.#due.size === 0) queueMicrotask(() => this.#doDue());
    this.#due.add(callback);
  }

  #doDue() {
    if (this.#due.size === 0) return;
    const due = this.#due;
    this.#due = new Set();
    for (const callback of due) callback();
  }

  /**
   * Closes the connections once what is queued has left, for at most `commandTimeout` if Redis is
   * away; then the event `close` follows.
   */
  close() {
    if (this.#closed) return;
    this.#doDue();
    this.#closed = true;
    clearImmediate(this.#connecting);
    if (!this.#connected) this.#connect();
    // Nothing else may hold the process until all has left.
    this.ref();
    this.native.close(this.#flush);
  }

  /** Lets the process exit although the connections are open. */
  unref() {
    this.#alive.unref();
  }

  /** Takes `unref()` back. */
  ref() {
    this.#alive.ref();
  }

  /** Whether it has been closed; what is queued may still be leaving. */
  get isClosed() {
    return this.#closed;
  }

  /** Whether the publishing connection is up. */
  get isUp() {
    return UP.has(this.native.stats().links[0].state);
  }

  /** Whether the publishing connection is up, and Redis answers on it. */
  get isAnswering() {
    return isAnswering(this.native.stats());
  }

  /** Whether something that was published is about to leave: Redis is there, and has not answered. */
  get isPublishing() {
    const stats = this.#stats();
    return stats.depths[0] > 0 && isAnswering(stats);
  }

  /** Whether something that was published or asked has not been answered. */
  get busy() {
    const [publishes, , commands] = this.#stats().depths;
    return !this.#closed && (publishes + commands > 0 || this.inbox.hasCallbacks);
  }

  /** Grows with all that Redis has answered. */
  get progress() {
    return this.#stats().published + this.inbox.answered;
  }

  #stats() {
    this.#doDue();
    return this.native.stats();
  }

  /**
   * What has been counted, how full the queues are, and how the connections are.
   * @returns {import('../..').BackplaneStats}
   */
  stats() {
    const { depths, links, refused, heartbeat, ...counters } = this.#stats();
    const [publish, publishBytes, command, commandBytes, mailbox, mailboxBytes] = depths;
    const [pub, sub, cmd] = links;
    return {
      ...counters,
      heartbeat: /** @type {any} */ (heartbeat),
      queues: {
        publish: { messages: publish, bytes: publishBytes },
        command: { messages: command, bytes: commandBytes },
        mailbox: { messages: mailbox, bytes: mailboxBytes },
      },
      connections: /** @type {any} */ ({ pub, sub: { ...sub, refused }, cmd }),
    };
  }
}

module.exports = { Backplane };
