'use strict';

const { NativeBackplane } = require('./binding');
const { EventSink } = require('./event-sink');
const { Inbox } = require('./inbox');

/**
 * A timer that never fires (the longest that Node takes) keeps the process alive, and what it holds.
 */
const FOREVER = 2 ** 31 - 1;

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
  /** Whether a turn of the event loop is reserved for the messages that wait. */
  #scheduled = false;

  /**
   * @param {import('node:events').EventEmitter} emitter what emits the events
   * @param {Record<'pub' | 'sub' | 'cmd', import('../endpoint').ParsedEndpoint>} endpoints
   * @param {import('../native').NativeOptions} options
   */
  constructor(emitter, endpoints, options) {
    this.#endpoints = endpoints;
    this.#flush = options.commandTimeout;
    /** Emits the events. */
    this.events = new EventSink(emitter, () => clearInterval(this.#alive));
    /** Hands out what arrives. */
    this.inbox = new Inbox(this.events);
    /** The native side. */
    this.native = new NativeBackplane(options, Backplane.#waker(this));
    this.#alive = setInterval(() => this, FOREVER);
    // The application may still call auth() or select() on its clients, until its turn is over.
    this.#connecting = setImmediate(() => this.#connect());
  }

  #connect() {
    this.#connected = true;
    try {
      const { pub, sub, cmd } = this.#endpoints;
      const read = (/** @type {import('../endpoint').ParsedEndpoint} */ endpoint) => JSON.stringify(endpoint.read());
      this.native.connect(read(pub), read(sub), read(cmd));
    } catch (error) {
      this.events.emitError(error);
    }
  }

  /**
   * What the native side calls. It holds what it is given, and the backplane holds it: a plain
   * reference would be a cycle that no garbage collector sees.
   */
  static #waker(backplane) {
    const reference = new WeakRef(backplane);
    return () => {
      const alive = reference.deref();
      if (alive && !alive.#scheduled) alive.#drain();
    };
  }

  /** Hands out one batch, or the rest of one, a turn. The native side takes a batch for handled when the next is drained. */
  #drain() {
    this.#scheduled = false;
    let more;
    if (this.inbox.isBusy) {
      this.inbox.resume();
      more = true;
    } else {
      const batch = this.native.drain();
      if (batch === null) return;
      more = !this.inbox.deliver(batch) || batch.more;
    }
    if (!more) return;
    // Timers and sockets get their turn before the rest.
    this.#scheduled = true;
    setImmediate(() => this.#drain());
  }

  /**
   * Closes the connections once what is queued has left, for at most `commandTimeout` if Redis is
   * away; then the event `close` follows.
   */
  close() {
    if (this.#closed) return;
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

  /** Whether something that was published or asked has not been answered. */
  get busy() {
    const [publishes, , commands] = this.native.stats().depths;
    return !this.#closed && (publishes + commands > 0 || this.inbox.hasCallbacks);
  }

  /** Grows with all that Redis has answered. */
  get progress() {
    return this.native.stats().published + this.inbox.answered;
  }

  /**
   * What has been counted, how full the queues are, and how the connections are.
   * @returns {import('../..').BackplaneStats}
   */
  stats() {
    const { depths, links, ...counters } = this.native.stats();
    const [publish, publishBytes, command, commandBytes, mailbox, mailboxBytes] = depths;
    const [pub, sub, cmd] = links;
    return {
      ...counters,
      queues: {
        publish: { messages: publish, bytes: publishBytes },
        command: { messages: command, bytes: commandBytes },
        mailbox: { messages: mailbox, bytes: mailboxBytes },
      },
      connections: /** @type {any} */ ({ pub, sub, cmd }),
    };
  }
}

module.exports = { Backplane };
