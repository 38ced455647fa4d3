'use strict';

const types = require('./types');
const { Membership } = require('./membership');
const { crosses, filterNames } = require('./room-names');
const { newId, Requests, timeoutError } = require('./requests');
const { rethrow } = require('../backplane/attempt');
const { closedError, encodeOrThrow } = require('../errors');

const NOTHING = () => {};

/** What changes one socket, by the names of the methods. @type {Record<string, string>} */
const CHANGES = {
  [types.JOIN_ONE]: 'remoteJoin',
  [types.LEAVE_ONE]: 'remoteLeave',
  [types.DISCONNECT_ONE]: 'remoteDisconnect',
};

/**
 * What the requests of an adapter need.
 * @typedef {object} Context
 * @property {string} uid
 * @property {() => number} timeoutOf how long the others have to answer, in ms
 * @property {boolean} partial whether requests give what has arrived when a server does not answer
 * @property {import('./channels').Channels} channels
 * @property {{ ANSWERS_ROLL_CALL: boolean, ANSWERS_ALL: boolean }} wire
 * @property {(request: any) => any} encode encodes a request for the wire
 * @property {(channel: string, payload: any, here: () => void) => void} publish sends it, and has this server do
 *   its part, maybe later
 * @property {(args: string[]) => Promise<any[]>} pubsub sends `PUBSUB` with arguments
 * @property {() => import('../native').NativePeers | null} peers the other servers that heartbeats tell of, if any do
 * @property {(awaits: boolean) => void} awaitResponses says whether responses are passed on
 * @property {(event: string, details: object) => void} emit
 * @property {boolean} [isServer] whether this is a server, as it is by default
 */

/** The other servers of a namespace, and what this one asks of them. */
class Cluster {
  #context;
  #membership;
  #requests;

  /** @param {Context} context */
  constructor(context) {
    const { uid, channels, pubsub, wire, peers, isServer } = context;
    this.#context = context;
    this.#requests = new Requests(context.timeoutOf, context.awaitResponses);
    // Where nothing tells monitors from servers that are silent, all count as servers, as officially.
    const rollCall = wire.ANSWERS_ROLL_CALL
      ? this.#rollCall.bind(this)
      : async (/** @type {number} */ expected) => expected;
    this.#membership = new Membership({ uid, channels, pubsub, rollCall, peers, isServer });
  }

  /** Servers of this package are gone, as their heartbeats tell. @param {string[]} uids */
  onLeft(uids) {
    this.#requests.onLeft(uids);
  }

  /** How many servers there are. @returns {Promise<number>} rejects when Redis refuses to say */
  count() {
    return this.#membership.estimate();
  }

  /** How many other servers there are. @returns {Promise<number>} rejects when Redis does not say */
  async countOthers() {
    return (await this.#membership.count()).servers - 1;
  }

  /** What waits for responses. @returns {Map<string, unknown>} */
  get requests() {
    return this.#requests.pending;
  }

  /** The broadcasts whose acknowledgements may still come. @returns {Map<string, unknown>} */
  get ackRequests() {
    return this.#requests.broadcasts;
  }

  /** Whether this server has made a request. @param {string} requestId */
  hasRequest(requestId) {
    return this.#requests.has(requestId);
  }

  /**
   * Whether a server is known to hear what is sent to it alone. It is found out, for the next time.
   * @param {unknown} uid
   */
  hears(uid) {
    return typeof uid === 'string' && this.#membership.hears(uid);
  }

  /** Handles a response. @param {any} response */
  onResponse(response) {
    // Only servers of this package have their uid in responses.
    if (typeof response.uid === 'string') this.#membership.saw(response.uid);
    this.#requests.onResponse(response);
  }

  /**
   * Adds the rooms of the other servers.
   * @param {Set<string | number>} rooms of this one
   * @param {any} [opts]
   */
  async allRooms(rooms, opts) {
    const membership = await this.#membership.count();
    const outcome =
      this.#context.wire.ANSWERS_ALL || membership.allNative
        ? await this.#ask(
            membership,
            { type: types.ALL_ROOMS },
            (response) => addAll(rooms, response.rooms),
            !this.#context.wire.ANSWERS_ALL,
          )
        : // Whose rooms are all those of its sockets.
          await this.#ask(membership, { type: types.FETCH_SOCKETS, opts: listsOf({}) }, ({ sockets }) => {
            const isList = Array.isArray(sockets);
            if (isList) for (const socket of sockets) addAll(rooms, socket.rooms.filter(crosses));
            return isList;
          });
    return this.#conclude(outcome, 'allRooms', rooms, opts);
  }

  /**
   * Adds the sockets of the other servers.
   * @param {any[]} sockets of this one
   * @param {any} opts
   */
  async fetchSockets(sockets, opts) {
    const request = { type: types.FETCH_SOCKETS, opts: listsOf(opts) };
    const outcome = await this.#ask(await this.#membership.count(), request, (response) => {
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
    const outcome = await this.#askIds(await this.#membership.count(), listsOf(opts), ids);
    return this.#conclude(outcome, 'fetchSocketIds', ids, opts);
  }

  /**
   * The same as `adapter.sockets()` of older versions asks for it.
   * @param {Set<string>} ids of this one
   * @param {{ rooms: Set<string | number> }} opts
   */
  async sockets(ids, opts) {
    const outcome = await this.#askIds(await this.#membership.count(), listsOf(opts), ids);
    return this.#conclude(outcome, 'sockets', ids, opts);
  }

  /**
   * Has the server that a socket is on change it.
   * @param {{ type: string, sid: string }} request
   * @throws {Error} `ERR_REQUEST_TIMEOUT` when there is no answer: no server has the socket, perhaps
   */
  async changeOne(request) {
    if (!this.#context.wire.ANSWERS_ALL) return this.publish(request);
    const outcome = await this.#ask({ servers: 2 }, request, () => true);
    if (outcome.closed) throw closedError();
    if (outcome.received < outcome.expected) {
      const message = `timeout reached while waiting for ${CHANGES[request.type]} response`;
      throw timeoutError(message, outcome, undefined);
    }
  }

  /**
   * How many sockets there are.
   * @param {Set<string>} ids those of this server; those of others are added where their answers name them
   * @param {any} opts
   */
  async countSockets(ids, opts) {
    const membership = await this.#membership.count();
    let count = 0;
    const outcome = membership.allNative
      ? await this.#ask(
          membership,
          { type: types.COUNT_SOCKETS, opts: listsOf(opts) },
          (response) => {
            if (typeof response.count !== 'number') return false;
            count += response.count;
            return true;
          },
          true,
        )
      : await this.#askIds(membership, listsOf(opts), ids);
    return this.#conclude(outcome, 'countSockets', ids.size + count, opts);
  }

  async #askIds(membership, lists, ids) {
    if (membership.allNative) {
      return this.#ask(membership, { type: types.SOCKET_IDS, opts: lists }, collectInto(ids), true);
    }
    // Official servers answer with the ids in rooms, and know no exceptions.
    const outcome = await this.#ask(membership, { type: types.SOCKETS, rooms: lists.rooms }, collectInto(ids));
    if (lists.except.length === 0 || outcome.received < outcome.expected) return outcome;
    const excluded = new Set();
    const exceptions = await this.#ask(membership, { type: types.SOCKETS, rooms: lists.except }, collectInto(excluded));
    for (const id of excluded) ids.delete(id);
    return exceptions;
  }

  /**
   * Publishes a request without a response.
   * @param {any} request
   * @param {() => void} [here] does this server's part
   * @throws {Error} `ERR_ENCODE`
   */
  publish(request, here = NOTHING) {
    this.#send(this.#context.channels.requests, request, here);
  }

  /** The same to servers of this package alone. @param {any} request */
  tell(request) {
    this.#send(this.#context.channels.nativeRequests, request, NOTHING);
  }

  #send(channel, request, here) {
    const { uid, encode, publish } = this.#context;
    publish(
      channel,
      encodeOrThrow(() => encode({ uid, ...request })),
      here,
    );
  }

  /**
   * Publishes a broadcast with acknowledgements.
   * @param {{ packet: any, isText: boolean, opts: any }} broadcast
   * @param {{ timeout: number, count: Function, ack: Function }} acks `timeout`: how long they may come, in ms
   * @throws {Error} `ERR_ENCODE`
   */
  broadcast(broadcast, { timeout, count, ack }) {
    const { uid, channels, encode, publish } = this.#context;
    const requestId = newId();
    const payload = encodeOrThrow(() => encode({ type: types.BROADCAST, uid, requestId, ...broadcast }));
    this.#requests.registerAcks(requestId, timeout, count, ack);
    publish(channels.requests, payload, NOTHING);
  }

  /**
   * Emits an event on the other servers.
   * @param {any[]} packet its name and arguments; an acknowledgement may be the last
   * @throws {Error} `ERR_ENCODE`
   */
  serverSideEmit(packet) {
    const ack = packet[packet.length - 1];
    if (typeof ack !== 'function') return this.publish({ type: types.SERVER_SIDE_EMIT, data: packet });
    const data = packet.slice(0, -1);
    encodeOrThrow(() => JSON.stringify(data));
    this.#emit(data, ack).catch(rethrow);
  }

  /**
   * @param {unknown[]} data
   * @param {(error: Error | null, responses: unknown[]) => void} ack
   */
  async #emit(data, ack) {
    /** @type {any[]} */
    const responses = [];
    const membership = await this.#membership.count().catch((error) => error);
    if (membership instanceof Error) return ack(membership, responses);
    const outcome = await this.#ask(membership, { type: types.SERVER_SIDE_EMIT, data }, (response) => {
      responses.push(response.data);
      return true;
    });
    const { expected, received, closed } = outcome;
    if (received >= expected) return ack(null, responses);
    if (closed) return ack(closedError(), responses);
    const message = `timeout reached: only ${received} responses received out of ${expected}`;
    ack(timeoutError(message, outcome, responses), responses);
  }

  /** Sends a request to the other servers, if there are any; with `natives`, on the channel of this package. */
  async #ask({ servers, ...known }, request, accept, natives = false) {
    if (servers <= 1) return { expected: 0, received: 0, closed: false, missing: [] };
    const { channels } = this.#context;
    const channel = natives ? channels.nativeRequests : channels.requests;
    const outcome = await this.#requests.ask(servers - 1, this.#sender(channel, request), accept, known);
    const { expected, received, closed, answered } = outcome;
    const count = expected - received;
    if (closed || count <= 0) return { expected, received, closed, missing: [] };
    if (outcome.missing.length >= count) return { expected, received, closed, missing: outcome.missing };
    const found = await this.#membership.missing(answered, count);
    return { expected, received, closed, missing: [...new Set([...outcome.missing, ...found])] };
  }

  /** Asks what servers of every age answer at once. @returns {Promise<number>} how many answers have come */
  async #rollCall(expected, timeout) {
    if (expected <= 0) return 0;
    // No socket is in a room of this name.
    const request = { type: types.SOCKETS, rooms: [newId()] };
    const send = this.#sender(this.#context.channels.requests, request);
    const outcome = await this.#requests.ask(expected, send, ({ ids }) => Array.isArray(ids), { timeout });
    if (outcome.closed) throw closedError();
    return outcome.received;
  }

  #sender(channel, request) {
    const { uid, encode, publish } = this.#context;
    return (/** @type {string} */ requestId) => publish(channel, encode({ uid, requestId, ...request }), NOTHING);
  }

  /** What has arrived, or the official rejection; if `partial`, what has arrived and which servers are missing. */
  #conclude(outcome, request, value, opts) {
    const { expected, received, closed, missing } = outcome;
    if (received >= expected) return value;
    if (closed) throw closedError();
    if (!(opts?.partial ?? opts?.flags?.partial ?? this.#context.partial)) {
      throw timeoutError(`timeout reached while waiting for ${request} response`, outcome, value);
    }
    this.#context.emit('partial', { request, expected, received, missing });
    return typeof value === 'object' ? Object.assign(value, { partial: { expected, received, missing } }) : value;
  }

  /** Ends all requests with what they have got. */
  close() {
    this.#requests.close();
  }
}

/** Adds the items of a list to a set. @param {Set<any>} set @param {any} list @returns {boolean} whether it is one */
function addAll(set, list) {
  if (!Array.isArray(list)) return false;
  for (const item of list) set.add(item);
  return true;
}

/** Takes the ids of a response. @param {Set<string>} ids */
function collectInto(ids) {
  return (/** @type {any} */ response) => addAll(ids, response.ids);
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
