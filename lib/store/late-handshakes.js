'use strict';

const { clearTimeout, setTimeout } = require('../timers');

/** How long a client may be ahead of the message about its handshake, in ms. Redis takes one, in most networks. */
const AHEAD_MS = 500;
/** How many requests may wait at a time. Others are handled at once. */
const MAX_WAITING = 1000;

/** The managers that have requests wait. @type {WeakMap<object, LateHandshakes>} */
const ofManagers = new WeakMap();

/**
 * Requests of clients that have shaken hands with another server. 0.9 answers a handshake before Redis has brought it
 * to the other servers. Without sticky sessions a client may be faster, and 0.9 refuses it: "client not handshaken".
 * So a request of a client that is not known waits until it is, for at most half a second.
 */
class LateHandshakes {
  #manager;
  /** By the client's id, in the order in which they came. @type {Map<string, (() => void)[]>} */
  #waiting = new Map();
  #count = 0;
  /** Those that have waited in vain. @type {WeakSet<object>} */
  #late = new WeakSet();

  /** @param {any} manager of 0.9 */
  constructor(manager) {
    this.#manager = manager;
    const { handleClient } = manager;
    manager.handleClient = (/** @type {any} */ data, /** @type {any} */ req) => {
      if (this.#isAhead(data, req)) this.#wait(data, req);
      else handleClient.call(manager, data, req);
    };
  }

  #isAhead({ id, query, transport }, req) {
    const { handshaken } = this.#manager;
    if (Object.hasOwn(handshaken, id) || this.#late.has(req) || this.#count >= MAX_WAITING) return false;
    return query.disconnect === undefined && this.#manager.get('transports').includes(transport);
  }

  #wait(data, req) {
    const { head, socket } = req;
    const ignore = () => {};
    // Nobody else listens to what has been upgraded.
    socket.on('error', ignore);
    const handle = () => {
      clearTimeout(timer);
      this.#count--;
      socket.off('error', ignore);
      if (socket.destroyed) return;
      this.#late.add(req);
      // The manager takes it away when it thinks that the upgrade is over.
      if (head) req.head = head;
      this.#manager.handleClient(data, req);
      if (head) req.head = null;
    };
    const timer = setTimeout(() => this.#known(data.id), AHEAD_MS).unref();
    this.#count++;
    this.#waiting.set(data.id, [...(this.#waiting.get(data.id) ?? []), handle]);
  }

  /** Handles what has waited for a client to be known. */
  #known(id) {
    const waiting = this.#waiting.get(id) ?? [];
    this.#waiting.delete(id);
    for (const handle of waiting) handle();
  }

  /**
   * A consumer of `handshake` after which the requests of that client are handled.
   * @param {(...args: any[]) => void} consumer
   * @returns {(...args: any[]) => void}
   */
  after(consumer) {
    return (...args) => {
      consumer(...args);
      this.#known(args[0]);
    };
  }
}

/**
 * A consumer of `handshake` that has the requests of clients wait for it, where a manager of 0.9 subscribes.
 * @param {any} manager
 * @param {(...args: any[]) => void} consumer
 * @returns {(...args: any[]) => void}
 */
function awaitingHandshakes(manager, consumer) {
  if (typeof manager?.handleClient !== 'function') return consumer;
  const handshakes = ofManagers.get(manager) ?? new LateHandshakes(manager);
  ofManagers.set(manager, handshakes);
  return handshakes.after(consumer);
}

module.exports = { awaitingHandshakes };
