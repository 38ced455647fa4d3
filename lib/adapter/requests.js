'use strict';

const types = require('./types');
const { clearTimeout, setTimeout } = require('../timers');

/**
 * What came of a request.
 * @typedef {object} Outcome
 * @property {number} expected how many servers were asked
 * @property {number} received how many have answered
 * @property {boolean} closed whether the namespace was closed before
 * @property {Set<string>} answered the uids of those that have, as far as is known: the answers of official
 *   servers carry none
 * @property {string[]} missing the uids of those that have not, as far as heartbeats tell
 */

/**
 * @typedef {object} Pending
 * @property {number} expected
 * @property {number} received
 * @property {Set<string>} answered
 * @property {Set<string>} named the others whose heartbeats come, or came when it was asked
 * @property {Set<string>} gone those that are gone
 * @property {number} unheard how many of these were not expected to answer
 * @property {(response: any) => boolean} accept reads a response; false when it is none
 * @property {(outcome: Outcome) => void} done
 * @property {NodeJS.Timeout} timer
 */

/** The requests of one server to the others. */
class Requests {
  #timeoutOf;
  #awaitResponses;
  /** Whether the native side passes responses on. */
  #awaits = false;
  #closed = false;
  /** What waits for responses, by its id. @type {Map<string, Pending>} */
  pending = new Map();
  /** Broadcasts with acknowledgements. @type {Map<string, { count: Function, ack: Function, timer: NodeJS.Timeout }>} */
  broadcasts = new Map();

  /**
   * @param {() => number} timeoutOf `requestsTimeout`, in ms, which may change
   * @param {(awaits: boolean) => void} awaitResponses called when the first request begins to wait, and
   *   when none does any more
   */
  constructor(timeoutOf, awaitResponses) {
    this.#timeoutOf = timeoutOf;
    this.#awaitResponses = awaitResponses;
  }

  /** After each change of what waits for responses. */
  #changed() {
    const awaits = this.pending.size + this.broadcasts.size > 0;
    if (awaits === this.#awaits) return;
    this.#awaits = awaits;
    this.#awaitResponses(awaits);
  }

  /** Whether this server has made the request. @param {string} requestId */
  has(requestId) {
    return this.pending.has(requestId) || this.broadcasts.has(requestId);
  }

  /**
   * Asks the other servers.
   * @param {number} expected how many are to answer
   * @param {(requestId: string) => void} publish
   * @param {(response: any) => boolean} accept reads a response; false when it is none
   * @param {object} [options]
   * @param {number} [options.timeout] in ms, where it is shorter than `requestsTimeout`
   * @param {string[]} [options.named] the uids of others whose heartbeats come
   * @param {string[]} [options.gone] the uids of those that are gone, and expected to answer
   * @param {number} [options.unheard] how many of the `named` are not expected to answer
   * @returns {Promise<Outcome>} once all have answered that are not gone, or their time is up
   */
  ask(expected, publish, accept, { timeout = Infinity, named = [], gone = [], unheard = 0 } = {}) {
    const answered = new Set();
    if (this.#closed) return Promise.resolve({ expected, received: 0, closed: true, answered, missing: [] });
    const requestId = newId();
    return new Promise((done) => {
      const time = Math.min(timeout, this.#timeoutOf());
      const timer = setTimeout(() => this.#finish(requestId), time);
      const servers = { named: new Set(named), gone: new Set(gone), unheard };
      this.pending.set(requestId, { expected, received: 0, answered, ...servers, accept, done, timer });
      this.#changed();
      publish(requestId);
      // All that is left may be gone.
      if (gone.length > 0) this.#check(requestId);
    });
  }

  /**
   * Registers the callbacks of a broadcast with acknowledgements.
   * @param {string} requestId
   * @param {number} timeout how long they may come, in ms
   * @param {Function} count
   * @param {Function} ack
   */
  registerAcks(requestId, timeout, count, ack) {
    const timer = setTimeout(() => {
      this.broadcasts.delete(requestId);
      this.#changed();
    }, timeout);
    timer.unref();
    this.broadcasts.set(requestId, { count, ack, timer });
    this.#changed();
  }

  /** Handles a response. @param {any} response */
  onResponse(response) {
    const requestId = response?.requestId;
    const broadcast = this.broadcasts.get(requestId);
    if (broadcast) {
      if (response.type === types.CLIENT_COUNT) {
        if (typeof response.clientCount === 'number') broadcast.count(response.clientCount);
      } else if (response.type === types.ACK) broadcast.ack(response.packet);
      return;
    }
    const pending = this.pending.get(requestId);
    if (pending === undefined || !pending.accept(response)) return;
    pending.received++;
    if (typeof response.uid === 'string') pending.answered.add(response.uid);
    this.#check(requestId);
  }

  /** Servers are gone: nothing waits for their answers. @param {string[]} uids */
  onLeft(uids) {
    for (const [requestId, { named, answered, gone }] of [...this.pending]) {
      for (const uid of uids) if (named.has(uid) && !answered.has(uid)) gone.add(uid);
      this.#check(requestId);
    }
  }

  /** Finishes a request when nobody is left who may answer. */
  #check(requestId) {
    const { expected, received, gone, unheard } = /** @type {Pending} */ (this.pending.get(requestId));
    if (received + Math.max(0, gone.size - unheard) >= expected) this.#finish(requestId);
  }

  #finish(requestId, closed = false) {
    const pending = this.pending.get(requestId);
    if (pending === undefined) return;
    this.pending.delete(requestId);
    this.#changed();
    clearTimeout(pending.timer);
    const { expected, received, answered, named, gone, done } = pending;
    const missing = [...new Set([...gone, ...named])].filter((uid) => !answered.has(uid));
    done({ expected, received, closed, answered, missing });
  }

  /** Finishes all requests with what they have got. */
  close() {
    this.#closed = true;
    for (const requestId of [...this.pending.keys()]) this.#finish(requestId, true);
    for (const { timer } of this.broadcasts.values()) clearTimeout(timer);
    this.broadcasts.clear();
    this.#changed();
  }
}

/**
 * Not all servers have answered in time.
 * @param {string} message as the official adapter words it
 * @param {{ expected: number, received: number, missing: string[] }} outcome
 * @param {unknown} responses what has arrived
 */
function timeoutError(message, { expected, received, missing }, responses) {
  return Object.assign(new Error(message), { code: 'ERR_REQUEST_TIMEOUT', expected, received, missing, responses });
}

/** Unique in a cluster, as text that needs no escaping. */
function newId() {
  // As node:crypto takes a third of the time that loading the package would take.
  return require('node:crypto').randomBytes(9).toString('base64url');
}

module.exports = { newId, Requests, timeoutError };
