'use strict';

const types = require('./types');
const { Census } = require('./membership');
const { encoded } = require('../errors');
const { filterNames } = require('./room-names');
const { Requests, timeoutError } = require('./requests');

/**
 * What an adapter lends to those who ask for it.
 * @typedef {object} Means
 * @property {string} uid
 * @property {number} requestsTimeout in ms
 * @property {boolean} partial whether requests give what has arrived when somebody does not answer
 * @property {{ request: string, response: string, native: string }} channels
 * @property {(channel: string, payload: string) => void} publish
 * @property {(args: string[]) => Promise<any[]>} pubsub sends `PUBSUB` with arguments
 * @property {(event: string, details: object) => void} emit
 */

/** The other servers of a namespace, and what this one asks of them. */
class Cluster {
  #means;
  #census;
  #requests;

  /** @param {Means} means */
  constructor(means) {
    this.#means = means;
    this.#census = new Census(means.channels, means.pubsub);
    this.#requests = new Requests(means.uid, means.requestsTimeout);
  }

  /** How many servers there are. @returns {Promise<number>} never rejects */
  count() {
    return this.#census.estimate();
  }

  /** Whether this server has made a request. @param {string} requestId */
  asked(requestId) {
    return this.#requests.has(requestId);
  }

  /** Takes a response. @param {any} response */
  take(response) {
    this.#requests.take(response);
  }

  /**
   * Keeps the callbacks of a broadcast with acknowledgements.
   * @param {string} requestId
   * @param {number} timeout how long they may come, in ms
   * @param {Function} count
   * @param {Function} ack
   */
  expectAcks(requestId, timeout, count, ack) {
    this.#requests.expectAcks(requestId, timeout, count, ack);
  }

  /**
   * Adds the rooms of the other servers.
   * @param {Set<string | number>} rooms of this one
   * @param {any} [opts]
   */
  async allRooms(rooms, opts) {
    const outcome = await this.#ask(await this.#census.take(), { type: types.ALL_ROOMS }, (response) => {
      if (!Array.isArray(response.rooms)) return false;
      for (const room of response.rooms) rooms.add(room);
      return true;
    });
    return this.#conclude(outcome, 'allRooms', rooms, opts);
  }

  /**
   * Adds the sockets of the other servers.
   * @param {any[]} sockets of this one
   * @param {any} opts
   */
  async fetchSockets(sockets, opts) {
    const request = { type: types.REMOTE_FETCH, opts: listsOf(opts) };
    const outcome = await this.#ask(await this.#census.take(), request, (response) => {
      if (!Array.isArray(response.sockets)) return false;
      for (const socket of response.sockets) sockets.push(socket);
      return true;
    });
    return this.#conclude(outcome, 'fetchSockets', sockets, opts);
  }

  /**
   * Adds the ids of sockets of the other servers.
   * @param {Set<string>} ids of this one
   * @param {any} opts
   */
  async fetchSocketIds(ids, opts) {
    const outcome = await this.#askForIds(await this.#census.take(), listsOf(opts), ids);
    return this.#conclude(outcome, 'fetchSocketIds', ids, opts);
  }

  /**
   * How many sockets there are.
   * @param {Set<string>} ids those of this one; those of the others are added where these tell them
   * @param {any} opts
   */
  async countSockets(ids, opts) {
    const census = await this.#census.take();
    let count = 0;
    const outcome = isNative(census)
      ? await this.#ask(census, { type: types.COUNT, opts: listsOf(opts) }, (response) => {
        if (typeof response.count !== 'number') return false;
        count += response.count;
        return true;
      }, true)
      : await this.#askForIds(census, listsOf(opts), ids);
    return this.#conclude(outcome, 'countSockets', ids.size + count, opts);
  }

  async #askForIds(census, lists, ids) {
    if (isNative(census)) return this.#ask(census, { type: types.IDS, opts: lists }, collectInto(ids), true);
    // Official servers tell the ids in rooms, and nothing of exceptions.
    const outcome = await this.#ask(census, { type: types.SOCKETS, rooms: lists.rooms }, collectInto(ids));
    if (lists.except.length === 0 || outcome.received < outcome.expected) return outcome;
    const excluded = new Set();
    const exceptions = await this.#ask(census, { type: types.SOCKETS, rooms: lists.except }, collectInto(excluded));
    for (const id of excluded) ids.delete(id);
    return exceptions;
  }

  /**
   * Has the other servers do something that nobody waits for.
   * @param {any} request
   * @throws {Error} `ERR_ENCODE`
   */
  tell(request) {
    const { uid, channels, publish } = this.#means;
    publish(channels.request, encoded(() => JSON.stringify({ uid, ...request })));
  }

  /**
   * Emits an event on the other servers.
   * @param {unknown[]} data
   * @param {(error: Error | null, responses: unknown[]) => void} ack
   */
  async emit(data, ack) {
    /** @type {any[]} */
    const responses = [];
    const census = await this.#census.take().catch((error) => error);
    if (census instanceof Error) return ack(census, responses);
    const outcome = await this.#ask(census, { type: types.SERVER_SIDE_EMIT, data }, (response) => {
      responses.push(response.data);
      return true;
    });
    const { expected, received } = outcome;
    if (received >= expected) return ack(null, responses);
    const message = `timeout reached: only ${received} responses received out of ${expected}`;
    ack(timeoutError(message, outcome, responses), responses);
  }

  /** Asks the other servers of a census, if there are any; with `natives`, on the channel of this package. */
  async #ask({ servers, uids }, request, take, natives = false) {
    const { uid, channels, publish } = this.#means;
    if (servers <= 1) return { expected: 0, received: 0, missing: [] };
    return this.#requests.ask(uids, servers - 1, (requestId) => {
      publish(natives ? channels.native : channels.request, JSON.stringify({ uid, requestId, ...request }));
    }, take);
  }

  /** What has arrived, or the official rejection; if `partial`, what has arrived and who is missing. */
  #conclude(outcome, request, value, opts) {
    const { expected, received, missing } = outcome;
    if (received >= expected) return value;
    if (!(opts?.partial ?? opts?.flags?.partial ?? this.#means.partial)) {
      throw timeoutError(`timeout reached while waiting for ${request} response`, outcome, value);
    }
    this.#means.emit('partial', { request, expected, received, missing });
    return typeof value === 'object' ? Object.assign(value, { partial: { expected, received, missing } }) : value;
  }

  /** Ends all requests with what they have got. */
  close() {
    this.#requests.close();
  }
}

/** Whether all servers of a census are of this package. */
function isNative({ servers, natives }) {
  return natives >= servers;
}

/** Takes the ids of a response. @param {Set<string>} ids */
function collectInto(ids) {
  return (/** @type {any} */ response) => {
    if (!Array.isArray(response.sockets)) return false;
    for (const id of response.sockets) ids.add(id);
    return true;
  };
}

/**
 * A filter as it crosses the wire.
 * @param {{ rooms?: Iterable<string | number>, except?: Iterable<string | number> }} filter
 */
function listsOf({ rooms, except }) {
  return { rooms: filterNames(rooms ?? []), except: filterNames(except ?? []) };
}

/**
 * A filter as the base class takes it.
 * @param {{ rooms?: Iterable<string | number>, except?: Iterable<string | number> }} filter
 */
function filterOf({ rooms, except }) {
  return { rooms: new Set(rooms), except: new Set(except) };
}

module.exports = { Cluster, filterOf, listsOf };
