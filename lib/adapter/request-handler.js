'use strict';

const types = require('./types');
const { filterOf } = require('./cluster');
const { encodeError, encoded } = require('../errors');
const { crossing } = require('./room-names');

/**
 * What an adapter lends to those who answer for it: itself, and the methods of its base class, which
 * concern this server alone.
 * @typedef {object} Local
 * @property {any} adapter
 * @property {(rooms: Set<string | number>) => Promise<Set<string>>} sockets
 * @property {(opts: any) => Promise<any[]>} fetchSockets
 * @property {(opts: any, rooms: any[]) => void} addSockets
 * @property {(opts: any, rooms: any[]) => void} delSockets
 * @property {(opts: any, close: boolean) => void} disconnectSockets
 * @property {(packet: any, opts: any, count: Function, ack: Function) => void} broadcastWithAck
 * @property {(requestId: string) => boolean} asked whether this server has made the request
 * @property {(request: any, response: string | Buffer) => void} respond
 * @property {(response: string) => void} respondToAll
 * @property {(packet: any) => boolean} encodes whether a packet can be sent to clients
 * @property {() => void} malformed counts a request that makes no sense
 * @property {(error: Error) => void} report
 */

/** Answers the requests of other servers, as `@socket.io/redis-adapter` does. */
class Answers {
  #local;

  /** @param {Local} local */
  constructor(local) {
    this.#local = local;
  }

  /**
   * Does what a request asks for.
   * @param {any} request
   */
  async answer(request) {
    const local = this.#local;
    // A server does its own part when it makes the request.
    if (request.uid === local.adapter.uid || local.asked(request.requestId)) return;
    switch (request.type) {
      case types.SOCKETS:
        return this.#reply(request, { sockets: [...await local.sockets(new Set(request.rooms))] });
      case types.ALL_ROOMS:
        return this.#reply(request, { rooms: crossing(local.adapter.rooms.keys()) });
      case types.REMOTE_JOIN:
        if (request.opts) return local.addSockets(filterOf(request.opts), request.rooms);
        return this.#toSocket(request, (socket) => socket.join(request.room));
      case types.REMOTE_LEAVE:
        if (request.opts) return local.delSockets(filterOf(request.opts), request.rooms);
        return this.#toSocket(request, (socket) => socket.leave(request.room));
      case types.REMOTE_DISCONNECT:
        if (request.opts) return local.disconnectSockets(filterOf(request.opts), request.close);
        return this.#toSocket(request, (socket) => socket.disconnect(request.close));
      case types.REMOTE_FETCH:
        return this.#fetch(request);
      case types.SERVER_SIDE_EMIT:
        return this.#emit(request);
      case types.BROADCAST:
        return this.#broadcast(request);
      case types.COUNT:
        return this.#reply(request, { count: (await local.fetchSockets(filterOf(request.opts))).length });
      case types.IDS:
        return this.#reply(request, { sockets: (await local.fetchSockets(filterOf(request.opts))).map(({ id }) => id) });
      default:
    }
  }

  #reply(request, fields) {
    const { uid } = this.#local.adapter;
    this.#local.respond(request, JSON.stringify({ requestId: request.requestId, uid, ...fields }));
  }

  /** The shape of older servers: one socket, by its id. */
  #toSocket(request, change) {
    const socket = this.#local.adapter.nsp.sockets.get(request.sid);
    if (socket === undefined) return;
    change(socket);
    this.#reply(request, {});
  }

  async #fetch(request) {
    const sockets = await this.#local.fetchSockets(filterOf(request.opts));
    const { uid } = this.#local.adapter;
    const head = JSON.stringify({ requestId: request.requestId, uid });
    this.#local.respond(request, `${head.slice(0, -1)},"sockets":[${sockets.map(describe).join(',')}]}`);
  }

  #emit({ requestId, data }) {
    if (requestId === undefined) return this.#local.adapter.nsp._onServerSideEmit(data);
    let called = false;
    const { adapter: { uid }, respondToAll } = this.#local;
    const callback = (/** @type {unknown} */ arg) => {
      if (called) return;
      called = true;
      const response = { type: types.SERVER_SIDE_EMIT, requestId, uid, data: arg };
      respondToAll(encoded(() => JSON.stringify(response)));
    };
    this.#local.adapter.nsp._onServerSideEmit([...data, callback]);
  }

  #broadcast(request) {
    const { requestId } = request;
    const { adapter: { parser, uid }, encodes, malformed, report, respond } = this.#local;
    if (!encodes(request.packet)) return malformed();
    this.#local.broadcastWithAck(
      request.packet,
      filterOf(request.opts),
      (clientCount) => {
        respond(request, JSON.stringify({ type: types.BROADCAST_CLIENT_COUNT, requestId, uid, clientCount }));
      },
      (packet) => {
        // What a client has answered may be nested too deep, say; it must not end the server.
        let response;
        try {
          response = parser.encode({ type: types.BROADCAST_ACK, requestId, uid, packet });
        } catch (cause) {
          return report(encodeError(cause));
        }
        respond(request, response);
      },
    );
  }
}

/**
 * A socket as JSON; where its data or its handshake cannot be JSON, without it, so that the one who asks
 * gets an answer.
 */
function describe({ id, handshake, rooms, data }) {
  // A session store may be circular, and is of no use elsewhere.
  const plain = { ...handshake, sessionStore: undefined };
  const whole = { id, handshake: plain, rooms: crossing(rooms), data };
  return toJson(whole)
    ?? toJson({ ...whole, handshake: { ...plain, auth: {} }, data: {} })
    ?? JSON.stringify({ ...whole, handshake: {}, data: {} });
}

function toJson(value) {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

module.exports = { Answers };
