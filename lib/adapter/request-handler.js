'use strict';

const types = require('./types');
const { filterOf } = require('./cluster');
const { crossing } = require('./room-names');
const { emitHere, socketOf } = require('./socket-io');
const { encodeError, encodeOrThrow, fieldError } = require('../errors');

/** Fields of sockets that cannot be encoded, beyond which they are no longer reported. */
const MAX_REPORTS = 100;

/**
 * The adapter of this server, and the methods of its base class, which concern this server alone.
 * @typedef {object} LocalAdapter
 * @property {any} adapter
 * @property {(rooms: Set<string | number>) => Promise<Set<string>>} sockets
 * @property {(opts: any) => Promise<any[]>} fetchSockets
 * @property {(opts: any, rooms: any[]) => void} addSockets
 * @property {(opts: any, rooms: any[]) => void} delSockets
 * @property {(opts: any, close: boolean) => void} disconnectSockets
 * @property {(packet: any, opts: any, count: Function, ack: Function) => void} broadcastWithAck
 * @property {(requestId: string) => boolean} hasRequest whether this server has made the request
 * @property {(request: any, response: string | Buffer) => void} respond
 * @property {(response: string | Buffer) => void} respondToAll
 * @property {(response: any, leftOut?: (field: string, cause: unknown) => void) => string | Buffer} encodeResponse
 *   encodes a response for the wire; `leftOut` is called with what of a socket cannot be encoded
 * @property {(packet: any) => boolean} encodes whether a packet can be sent to clients
 * @property {() => void} malformed counts a request that makes no sense
 * @property {(error: Error) => void} report
 */

/** Handles the requests of other servers, as `@socket.io/redis-adapter` does. */
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
   * @param {any} request
   */
  async handle(request) {
    const localAdapter = this.#localAdapter;
    // A server does its own part when it makes the request.
    if (request.uid === localAdapter.adapter.uid || localAdapter.hasRequest(request.requestId)) return;
    switch (request.type) {
      case types.SOCKETS:
        return this.#reply(request, { sockets: [...(await localAdapter.sockets(new Set(request.rooms)))] });
      case types.ALL_ROOMS:
        return this.#reply(request, { rooms: crossing(localAdapter.adapter.rooms.keys()) });
      case types.JOIN:
        return localAdapter.addSockets(filterOf(request.opts), request.rooms);
      case types.LEAVE:
        return localAdapter.delSockets(filterOf(request.opts), request.rooms);
      case types.DISCONNECT:
        return localAdapter.disconnectSockets(filterOf(request.opts), request.close);
      case types.JOIN_ONE:
        return this.#toSocket(request, (socket) => socket.join(request.room));
      case types.LEAVE_ONE:
        return this.#toSocket(request, (socket) => socket.leave(request.room));
      case types.DISCONNECT_ONE:
        return this.#toSocket(request, (socket) => socket.disconnect(request.close));
      case types.FETCH_SOCKETS:
        return this.#reply(request, {
          sockets: (await localAdapter.fetchSockets(filterOf(request.opts))).map(describe),
        });
      case types.SERVER_SIDE_EMIT:
        return this.#emit(request);
      case types.BROADCAST:
        return this.#broadcast(request);
      case types.COUNT_SOCKETS:
        return this.#reply(request, { count: (await localAdapter.fetchSockets(filterOf(request.opts))).length });
      case types.SOCKET_IDS:
        return this.#reply(request, {
          sockets: (await localAdapter.fetchSockets(filterOf(request.opts))).map(({ id }) => id),
        });
      default:
    }
  }

  #reply(request, fields) {
    const {
      adapter: { uid },
      encodeResponse,
      respond,
    } = this.#localAdapter;
    const response = { type: request.type, requestId: request.requestId, uid, ...fields };
    /** @type {Map<string, unknown>} */
    const leftOut = new Map();
    respond(
      request,
      encodeResponse(response, (field, cause) => leftOut.set(field, cause)),
    );
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
    change(socket);
    this.#reply(request, {});
  }

  #emit({ requestId, data }) {
    if (requestId === undefined) return emitHere(this.#localAdapter.adapter.nsp, data);
    let called = false;
    const {
      adapter: { uid },
      encodeResponse,
      respondToAll,
    } = this.#localAdapter;
    const callback = (/** @type {unknown} */ arg) => {
      if (called) return;
      called = true;
      const response = { type: types.SERVER_SIDE_EMIT, requestId, uid, data: arg };
      respondToAll(encodeOrThrow(() => encodeResponse(response)));
    };
    emitHere(this.#localAdapter.adapter.nsp, [...data, callback]);
  }

  #broadcast(request) {
    const { requestId } = request;
    const {
      adapter: { uid },
      encodeResponse,
      encodes,
      malformed,
      report,
      respond,
    } = this.#localAdapter;
    if (!encodes(request.packet)) return malformed();
    this.#localAdapter.broadcastWithAck(
      request.packet,
      { ...filterOf(request.opts), flags: { timeout: request.opts.flags?.timeout } },
      (clientCount) => {
        respond(request, encodeResponse({ type: types.CLIENT_COUNT, requestId, uid, clientCount }));
      },
      (packet) => {
        // What a client has answered may be nested too deep, say; it must not end the server.
        let response;
        try {
          response = encodeResponse({ type: types.ACK, requestId, uid, packet });
        } catch (cause) {
          return report(encodeError(cause));
        }
        respond(request, response);
      },
    );
  }
}

/** A socket as other servers get it. */
function describe({ id, handshake, rooms, data }) {
  return { id, handshake, rooms: crossing(rooms), data };
}

module.exports = { RequestHandler };
