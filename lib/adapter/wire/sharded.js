'use strict';

/**
 * The wire of `@socket.io/redis-adapter`'s sharded adapter: `{ type, data, uid, nsp }`, with the numbers and shapes
 * of socket.io-adapter's `ClusterAdapter`. All is JSON, but for data that holds binary, which notepack.io packs.
 */

const { MAX_ARGS_DEPTH, MAX_DEPTH } = require('./bounds');
const classic = require('./classic');
const { ENVELOPE, LISTS, always, hasBinary, listsIn, pack, toJson, unpack } = require('./common');
const { parseInSlices } = require('./json');
const { isFilter, isId, isPacket, isRequest, isResponse } = require('./valid');
const { shardedChannelsOf } = require('../channels');
const types = require('../types');
const { isObject } = require('../../values');

/**
 * @typedef {import('./common').Parser} Parser
 * @typedef {import('./valid').Limits} Limits
 */

/** What is asked, and under which type it is answered. @type {[string, number | string, (number | string)?][]} */
const TYPES = [
  [types.BROADCAST, 3],
  [types.JOIN, 4],
  [types.LEAVE, 5],
  [types.DISCONNECT, 6],
  [types.FETCH_SOCKETS, 7, 8],
  [types.SERVER_SIDE_EMIT, 9, 10],
  // Only among servers of this package, on a channel of their own.
  [types.ALL_ROOMS, 'rooms', 'rooms'],
  [types.COUNT_SOCKETS, 'count', 'count'],
  [types.SOCKET_IDS, 'ids', 'ids'],
  [types.TAKEN_OVER, 'taken'],
];
/** @type {Map<unknown, string>} */
const requestTypes = new Map(TYPES.map(([type, onWire]) => [onWire, type]));
const onWire = new Map(TYPES.map(([type, request]) => [type, request]));
/** @type {[string, number | string | undefined][]} */
const ANSWERS = [
  ...TYPES.map(([type, , answer]) => /** @type {any} */ ([type, answer])),
  [types.CLIENT_COUNT, 11],
  [types.ACK, 12],
];
const answersOnWire = new Map(ANSWERS);
/** @type {Map<unknown, string>} */
const answerTypes = new Map(
  ANSWERS.filter(([, answer]) => answer !== undefined).map(([type, answer]) => [answer, type]),
);
/** The requests that concern one socket are those for all in the room that it has under its id. @type {Record<string, string>} */
const FOR_ONE = {
  [types.JOIN_ONE]: types.JOIN,
  [types.LEAVE_ONE]: types.LEAVE,
  [types.DISCONNECT_ONE]: types.DISCONNECT,
};

/**
 * Encodes a broadcast that the native side does not encode.
 * @param {{ uid: string, packet: any, opts: any }} broadcast
 * @param {() => Parser} parserOf loads the parser; called only when it is needed
 * @param {string} nsp the namespace
 * @returns {string | Buffer}
 * @throws what the parser or JSON throws; a RangeError when the packet's data is nested too deep
 */
function encodeBroadcast({ uid, packet, opts }, parserOf, nsp) {
  return encode({ type: onWire.get(types.BROADCAST), data: { packet: bare(packet), opts }, uid, nsp }, 3, parserOf);
}

/** A packet as the official adapter publishes it: it gets its namespace where it arrives. */
function bare({ type, data, id }) {
  return { type, data, id };
}

/**
 * Encodes a request.
 * @param {any} request see `types.js`
 * @param {() => Parser} parserOf loads the parser; called only when it is needed
 * @param {string} nsp the namespace
 * @returns {string | Buffer}
 * @throws what the parser or JSON throws; a RangeError when the data is nested too deep
 */
function encodeRequest(request, parserOf, nsp) {
  return encode(requestMessage(request, nsp), 3, parserOf);
}

/** A request as a message. @param {any} request see `types.js` @param {string} nsp the namespace @returns {any} */
function requestMessage(request, nsp) {
  const { uid, requestId, packet, opts, rooms, close, data, sid, room } = request;
  const message = (/** @type {string} */ type, /** @type {object} */ data) => ({
    type: onWire.get(type),
    data,
    uid,
    nsp,
  });
  switch (request.type) {
    case types.SOCKETS:
      return message(types.FETCH_SOCKETS, { opts: filterFor(rooms), requestId });
    case types.BROADCAST:
      return message(types.BROADCAST, { packet: bare(packet), requestId, opts });
    case types.SERVER_SIDE_EMIT:
      return message(types.SERVER_SIDE_EMIT, { requestId, packet: data });
    case types.JOIN_ONE:
    case types.LEAVE_ONE:
    case types.DISCONNECT_ONE:
      return message(/** @type {string} */ (FOR_ONE[request.type]), { opts: filterFor([sid]), rooms: [room], close });
    default:
      // JSON leaves out what is undefined.
      return message(request.type, { opts: opts && { ...opts, flags: {} }, rooms, close, requestId });
  }
}

function filterFor(rooms) {
  return { rooms, except: [], flags: {} };
}

/**
 * Encodes a response.
 * @param {any} response see `types.js`
 * @param {() => Parser} parserOf loads the parser; called only when it is needed
 * @param {string} nsp the namespace
 * @returns {string | Buffer}
 * @throws what the parser or JSON throws; a RangeError when the data is nested too deep
 */
function encodeResponse(response, parserOf, nsp) {
  return encode(responseMessage(response, nsp), 2, parserOf);
}

/** A response as a message. @param {any} response see `types.js` @param {string} nsp the namespace */
function responseMessage({ type, requestId, uid, packet, clientCount, data, count }, nsp) {
  const fields = { requestId, clientCount, count, packet: type === types.SERVER_SIDE_EMIT ? data : packet };
  return { type: answersOnWire.get(type), data: fields, uid, nsp };
}

/**
 * Encodes a response that is a list, whose items may be encoded at different times.
 * @param {{ type: string, requestId: any, uid: string }} response
 * @param {'rooms' | 'sockets'} name
 * @param {(string | Buffer)[]} items of `encodeItems` or `encodeSocket`
 * @param {() => Parser} parserOf loads the parser; called only when it is needed
 * @param {string} nsp the namespace
 * @returns {string | Buffer}
 */
function encodeList(response, name, items, parserOf, nsp) {
  if (!items.every((item) => typeof item === 'string')) return packList(response, name, items, parserOf, nsp);
  const { type, requestId, uid } = response;
  const head = { type: answersOnWire.get(type), uid, nsp };
  const data = `${JSON.stringify({ requestId, [name]: 0 }).slice(0, -2)}[${items.join(',')}]}`;
  return `${JSON.stringify(head).slice(0, -1)},"data":${data}}`;
}

/** The same, packed. Each item that is JSON is one value. */
function packList({ type, requestId, uid }, name, items, parserOf, nsp) {
  const head = { type: answersOnWire.get(type), uid, nsp };
  const { encode } = parserOf();
  const packed = items.map((item) => (typeof item === 'string' ? encode(JSON.parse(item)) : item));
  // The empty list is the last byte; another one is its length and its items.
  const before = encode({ ...head, data: { requestId, [name]: [] } });
  const length = Buffer.alloc(5, 0xdd);
  length.writeUInt32BE(items.length, 1);
  return Buffer.concat([before.subarray(0, -1), length, ...packed]);
}

/**
 * A socket as JSON, or packed where something in it is binary; what cannot be encoded is left out.
 * @param {{ id: string, handshake: any, rooms: any[], data: any }} socket
 * @param {(field: string, cause: unknown) => void} leftOut called with what is left out
 * @param {() => Parser} parserOf loads the parser; called only when it is needed
 * @returns {string | Buffer}
 */
function encodeSocket(socket, leftOut, parserOf) {
  const { id, handshake, rooms, data } = socket;
  try {
    if (!hasBinary(data) && !hasBinary(handshake)) return classic.encodeSocket(socket, leftOut);
    return pack({ id, handshake: { ...handshake, sessionStore: undefined }, rooms, data }, MAX_DEPTH + 1, parserOf);
  } catch {
    return classic.encodeSocket(socket, leftOut);
  }
}

/** @param {any} message @param {number} depth at which its data lies @param {() => Parser} parserOf */
function encode(message, depth, parserOf) {
  const most = MAX_ARGS_DEPTH + depth;
  return hasBinary(message.data) ? pack(message, most, parserOf) : toJson(message, most);
}

/**
 * Decodes a broadcast that the native side does not decode.
 * @param {Buffer} payload
 * @param {() => Parser} parserOf loads the parser
 * @param {Limits} limits
 * @param {string} nsp the namespace
 * @returns {{ uid: any, packet: any, opts: any } | null | undefined} null when it is for another namespace, nothing
 *   when it is not valid
 */
function decodeBroadcast(payload, parserOf, limits, nsp) {
  try {
    const message = isJson(payload) ? JSON.parse(payload.toString()) : unpack(payload, parserOf, limits);
    if (!isObject(message)) return undefined;
    if (message.nsp !== nsp) return null;
    const { uid, data } = message;
    const isValid = isId(uid) && isFilter(data.opts, limits) && isPacket(data.packet, limits);
    return isValid ? { uid, packet: bare(data.packet), opts: data.opts } : undefined;
  } catch {
    return undefined;
  }
}

/** 0x7b is "{". */
function isJson(payload) {
  return payload[0] === 0x7b;
}

/**
 * Decodes a request of another server, which the native side has seen to be for this namespace.
 * @param {Buffer} payload
 * @param {() => Parser} parserOf loads the parser; called only when it is needed
 * @param {Limits} limits
 * @returns {Generator<void, any>} in slices: see `types.js`; without a type when it is of one that is not known,
 *   nothing when it is not valid
 */
function* decodeRequest(payload, parserOf, limits) {
  try {
    const message = yield* parse(payload, parserOf, limits);
    if (!isObject(message)) return undefined;
    const type = requestTypes.get(message.type);
    // Heartbeats are of adapters that are not on this wire, and carry no data.
    if (type === undefined) return {};
    const { uid, data } = message;
    if (!isObject(data)) return undefined;
    const { requestId, packet, opts, rooms, close } = data;
    const request = { type, uid, requestId, opts, rooms, close, packet, data: packet };
    return isRequest(request, limits) && isAnswerable(request) ? request : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the answer that a request wants has a place to go to. */
function isAnswerable({ type, uid, requestId }) {
  if (type === types.BROADCAST && requestId === undefined) return false;
  return requestId === undefined || typeof uid === 'string';
}

/**
 * Decodes a response of another server.
 * @param {Buffer} payload
 * @param {() => Parser} parserOf loads the parser; called only when it is needed
 * @param {Limits} limits
 * @param {(requestId: any) => boolean} isAwaited whether this server has made the request
 * @returns {Generator<void, any>} in slices: see `types.js`; null when it is not awaited, nothing when it is not valid
 */
function* decodeResponse(payload, parserOf, limits, isAwaited) {
  try {
    const message = yield* parse(payload, parserOf, limits, ({ data }) => isAwaited(data?.requestId));
    if (message === undefined) return null;
    if (!isObject(message) || !isObject(message.data)) return undefined;
    const { requestId, packet, clientCount, count } = message.data;
    if (!isAwaited(requestId)) return isId(requestId) ? null : undefined;
    const type = answerTypes.get(message.type);
    const response = { type, requestId, uid: message.uid, packet, clientCount, data: packet, count };
    if (type === undefined || !isResponse(response, limits)) return undefined;
    const lists = yield* listsIn(message.data, limits);
    if (lists === undefined) return undefined;
    // Official servers answer with the sockets where ids are asked for.
    const ids = lists.ids ?? lists.sockets?.map((/** @type {any} */ { id }) => id);
    return { ...response, ...lists, ids };
  } catch {
    return undefined;
  }
}

/** Takes JSON, in slices, or what the parser has packed apart. */
function* parse(payload, parserOf, limits, isWanted = always) {
  if (!isJson(payload)) return unpack(payload, parserOf, limits);
  const most = { values: limits.values + ENVELOPE, bytes: limits.bytes };
  return yield* parseInSlices(payload, most, LISTS, isWanted, 'data');
}

/**
 * What Redis is asked in the place of this `PUBSUB`; nothing for a search, since channels of servers have the names
 * that those of rooms may have.
 * @param {string[]} args
 * @returns {string[] | null}
 */
function pubsub([subcommand, ...names]) {
  return subcommand === 'NUMSUB' ? ['SHARDNUMSUB', ...names] : null;
}

module.exports = {
  /** What `AdapterWire` calls it. */
  NAME: /** @type {const} */ ('Sharded'),
  /** Whether its channels are of shards. */
  IS_SHARDED: true,
  /** Whether each server hears the channel for responses to it alone. */
  HEARS_OWN: true,
  /** Whether servers of every age answer a request for nothing, by which they are told from monitors. */
  ANSWERS_ROLL_CALL: false,
  /** Whether official servers tell their rooms, and answer what changes one socket. */
  ANSWERS_ALL: false,
  /** Whether what is binary becomes JSON. */
  PLAINTEXT: false,
  /** Whether sockets can be recovered. */
  RECOVERS: false,
  channelsOf: shardedChannelsOf,
  pubsub,
  bare,
  packList,
  requestMessage,
  responseMessage,
  encodeBroadcast,
  encodeItems: classic.encodeItems,
  encodeList,
  encodeRequest,
  encodeResponse,
  encodeSocket,
  decodeBroadcast,
  decodeRequest,
  decodeResponse,
};
