'use strict';

const types = require('./types');
const { filterOf } = require('./cluster');
const { crossing } = require('./room-names');
const { emitHere, socketOf, socketsFor } = require('./socket-io');
const { attempt } = require('../backplane/attempt');
const { encodeError, encodeOrThrow, fieldError } = require('../errors');

/** How many rooms a socket joins or leaves, and how many names are encoded, at once. */
const SLICE = 200;
/** Fields of sockets that cannot be encoded, beyond which they are no longer reported. */
const MAX_REPORTS = 100;

/**
 * The adapter of this server, and what it does by itself.
 * @typedef {object} LocalAdapter
 * @property {any} adapter
 * @property {(packet: any, opts: any, count: Function, ack: Function) => void} broadcastWithAck
 * @property {(requestId: string) => boolean} hasRequest whether this server has made the request
 * @property {(request: any, response: string | Buffer) => void} respond
 * @property {(items: any[]) => string} encodeItems encodes some items of a list
 * @property {(socket: any, leftOut: (field: string, cause: unknown) => void) => string | Buffer} encodeSocket
 * @property {(head: any, list: 'rooms' | 'sockets', items: any[]) => string | Buffer} encodeList encodes a response
 *   for the wire, of such items or sockets
 * @property {(response: any) => string | Buffer} encodeResponse encodes a response for the wire
 * @property {(packet: any) => boolean} encodes whether a packet can be sent to clients
 * @property {(error: Error) => void} report
 * @property {(sid: any, pid: any) => void} released a socket may be on another server now
 */

/**
 * Handles the requests of other servers, as `@socket.io/redis-adapter` does. What concerns many sockets or
 * rooms is done in steps, between which the event loop may do other work.
 */
class RequestHandler {
  #localAdapter;
  /** The fields of sockets that could not be encoded, as far as they have been reported. @type {Set<string>} */
  #leftOut = new Set();

  /** @param {LocalAdapter} localAdapter */
  constructor(localAdapter) {
    this.#localAdapter = localAdapter;
  }

  /**
   * Does what a request asks for.
   * @param {any} request that is valid
   * @param {() => void} malformed counts one that turns out not to be
   * @returns {Generator<void, void>}
   */
  *handle(request, malformed) {
    const { adapter, hasRequest, released } = this.#localAdapter;
    // A server does its own part when it makes the request.
    if (request.uid === adapter.uid || hasRequest(request.requestId)) return;
    switch (request.type) {
      case types.SOCKETS:
        return yield* this.#replyWithIds(request, this.#select({ rooms: request.rooms }));
      case types.ALL_ROOMS:
        return yield* this.#replyWithNames(request, 'rooms', crossing(adapter.rooms.keys()));
      case types.JOIN:
        return yield* this.#change(request, (socket, rooms) => socket.join(rooms));
      case types.LEAVE:
        return yield* this.#change(request, leaveAll);
      case types.DISCONNECT:
        return yield* this.#disconnect(request);
      case types.JOIN_ONE:
        return this.#toSocket(request, (socket) => socket.join(request.room));
      case types.LEAVE_ONE:
        return this.#toSocket(request, (socket) => socket.leave(request.room));
      case types.DISCONNECT_ONE:
        return this.#toSocket(request, (socket) => socket.disconnect(request.close));
      case types.FETCH_SOCKETS:
        return yield* this.#describe(request);
      case types.SERVER_SIDE_EMIT:
        return this.#emit(request);
      case types.BROADCAST:
        return this.#broadcast(request, malformed);
      case types.COUNT_SOCKETS:
        return this.#reply(request, { count: this.#select(request.opts).length });
      case types.SOCKET_IDS:
        return yield* this.#replyWithIds(request, this.#select(request.opts));
      case types.TAKEN_OVER:
        return released([request.opts.rooms].flat()[0], [request.rooms].flat()[0]);
      default:
    }
  }

  /** The sockets here that a filter is for. */
  #select(filter) {
    return socketsFor(this.#localAdapter.adapter, filterOf(filter));
  }

  /** Has sockets join or leave rooms. @param {any} request @param {(socket: any, rooms: any[]) => void} change */
  *#change({ opts, rooms }, change) {
    const slices = sliced([rooms].flat());
    for (const socket of this.#select(opts)) {
      for (const slice of slices) {
        if (this.#isHere(socket)) attempt(change, null, [socket, slice]);
        yield;
      }
    }
  }

  *#disconnect({ opts, close }) {
    for (const socket of this.#select(opts)) {
      if (this.#isHere(socket)) attempt(socket.disconnect, socket, [Boolean(close)]);
      yield;
    }
  }

  /** A socket may have left between two steps, and would be in the rooms for ever. */
  #isHere(socket) {
    return socketOf(this.#localAdapter.adapter.nsp, socket.id) === socket;
  }

  #reply(request, fields) {
    const { encodeResponse, respond } = this.#localAdapter;
    respond(request, encodeResponse({ type: request.type, ...this.#head(request), ...fields }));
  }

  /** What each response begins with. */
  #head({ requestId }) {
    return { requestId, uid: this.#localAdapter.adapter.uid };
  }

  #replyWithIds(request, sockets) {
    return this.#replyWithNames(
      request,
      'sockets',
      sockets.map((/** @type {any} */ { id }) => id),
    );
  }

  *#replyWithNames(request, list, names) {
    const { encodeItems, encodeList, respond } = this.#localAdapter;
    const items = [];
    for (const slice of sliced(names)) {
      items.push(encodeItems(slice));
      yield;
    }
    respond(request, encodeList({ type: request.type, ...this.#head(request) }, list, items));
  }

  *#describe(request) {
    const { encodeList, encodeSocket, respond } = this.#localAdapter;
    const items = [];
    /** @type {Map<string, unknown>} */
    const leftOut = new Map();
    for (const socket of this.#select(request.opts)) {
      items.push(encodeSocket(describe(socket), (field, cause) => leftOut.set(field, cause)));
      yield;
    }
    respond(request, encodeList({ type: request.type, ...this.#head(request) }, 'sockets', items));
    for (const [field, cause] of leftOut) this.#reportLeftOut(field, cause);
  }

  /** Reports a field of a socket that cannot be encoded, once. */
  #reportLeftOut(field, cause) {
    // The names may be the application's data.
    if (this.#leftOut.has(field) || this.#leftOut.size >= MAX_REPORTS) return;
    this.#leftOut.add(field);
    this.#localAdapter.report(fieldError(field, cause));
  }

  /** Changes one socket, as older servers ask for by its id. */
  #toSocket(request, change) {
    const socket = socketOf(this.#localAdapter.adapter.nsp, request.sid);
    if (socket === undefined) return;
    attempt(change, null, [socket]);
    this.#reply(request, {});
  }

  #emit(request) {
    const { requestId, data } = request;
    const { nsp } = this.#localAdapter.adapter;
    const args = requestId === undefined ? data : [...data, this.#acknowledgement(request)];
    try {
      emitHere(nsp, args);
    } catch (error) {
      throw named(error, data[0]);
    }
  }

  #acknowledgement(request) {
    const { encodeResponse, respond } = this.#localAdapter;
    const head = this.#head(request);
    let called = false;
    return (/** @type {unknown} */ arg) => {
      if (called) return;
      called = true;
      const response = encodeOrThrow(() => encodeResponse({ type: types.SERVER_SIDE_EMIT, ...head, data: arg }));
      respond(request, response);
    };
  }

  #broadcast(request, malformed) {
    const { encodeResponse, encodes, report, respond } = this.#localAdapter;
    const head = this.#head(request);
    if (!encodes(request.packet)) return malformed();
    this.#localAdapter.broadcastWithAck(
      request.packet,
      { ...filterOf(request.opts), flags: { timeout: request.opts.flags?.timeout } },
      (clientCount) => {
        respond(request, encodeResponse({ type: types.CLIENT_COUNT, ...head, clientCount }));
      },
      (packet) => {
        // What a client has answered may be nested too deep, say; it must not end the server.
        let response;
        try {
          response = encodeResponse({ type: types.ACK, ...head, packet });
        } catch (cause) {
          return report(encodeError(cause));
        }
        respond(request, response);
      },
    );
  }
}

function leaveAll(socket, rooms) {
  for (const room of rooms) socket.leave(room);
}

/** @template T @param {T[]} items @returns {T[][]} */
function sliced(items) {
  const slices = [];
  for (let i = 0; i < items.length; i += SLICE) slices.push(items.slice(i, i + SLICE));
  return slices;
}

/**
 * What a listener of the application has thrown, with the name of the event, which only Redis knows: Node
 * prints it below the stack.
 * @param {unknown} thrown
 * @param {string | number} event
 */
function named(thrown, event) {
  if (thrown instanceof Error && Object.isExtensible(thrown)) {
    Object.defineProperty(thrown, 'serverSideEvent', { value: event, enumerable: true, configurable: true });
  }
  return thrown;
}

/** A socket as other servers get it. */
function describe({ id, handshake, rooms, data }) {
  return { id, handshake, rooms: crossing(rooms), data };
}

module.exports = { RequestHandler };
