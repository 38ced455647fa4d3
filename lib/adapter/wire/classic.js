'use strict';

/**
 * The wire of `@socket.io/redis-adapter`: its numbers, its shapes, and what is JSON. Broadcasts, those with
 * acknowledgements and the acknowledgements themselves are packed by a parser, all else is JSON.
 */

const { MAX_ARGS_DEPTH, MAX_DEPTH } = require('./bounds');
const { ENVELOPE, LISTS, always, listsIn, pack, toJson, unpack } = require('./common');
const { parseInSlices } = require('./json');
const { isFilter, isPacket, isRequest, isResponse, isId } = require('./valid');
const { channelsOf } = require('../channels');
const types = require('../types');
const { isObject } = require('../../values');

/**
 * @typedef {import('./common').Parser} Parser
 * @typedef {import('./valid').Limits} Limits
 */

/** @type {[string, number | string][]} */
const TYPES = [
  [types.SOCKETS, 0],
  [types.ALL_ROOMS, 1],
  [types.JOIN, 2],
  [types.LEAVE, 3],
  [types.DISCONNECT, 4],
  [types.FETCH_SOCKETS, 5],
  [types.SERVER_SIDE_EMIT, 6],
  [types.BROADCAST, 7],
  [types.CLIENT_COUNT, 8],
  [types.ACK, 9],
  // Only among servers of this package, on a channel of their own.
  [types.COUNT_SOCKETS, 'count'],
  [types.SOCKET_IDS, 'ids'],
];
/** @type {Map<unknown, string>} */
const fromWire = new Map(TYPES.map(([type, onWire]) => [onWire, type]));

/** In the shape of older servers, without `opts`, these are for one socket. @type {Record<string, string>} */
const FOR_ONE = {
  [types.JOIN]: types.JOIN_ONE,
  [types.LEAVE]: types.LEAVE_ONE,
  [types.DISCONNECT]: types.DISCONNECT_ONE,
};
const toWire = new Map(TYPES);
for (const [type, forOne] of Object.entries(FOR_ONE)) toWire.set(forOne, /** @type {number} */ (toWire.get(type)));

/**
 * Encodes a broadcast that the native side does not encode.
 * @param {{ uid: string, packet: any, opts: any }} broadcast
 * @param {() => Parser} parserOf loads the parser
 * @returns {Buffer}
 * @throws what the parser throws; a RangeError when the packet's data is nested too deep
 */
function encodeBroadcast({ uid, packet, opts }, parserOf) {
  return pack([uid, packet, opts], MAX_ARGS_DEPTH + 2, parserOf);
}

/**
 * Encodes a request.
 * @param {any} request see `types.js`
 * @param {() => Parser} parserOf loads the parser; called only when it is needed
 * @returns {string | Buffer}
 * @throws what the parser or JSON throws; a RangeError when the data is nested too deep
 */
function encodeRequest(request, parserOf) {
  const { uid, requestId, packet, isText, opts, rooms, close, data, sid, room } = request;
  const type = toWire.get(request.type);
  if (request.type === types.BROADCAST) {
    const message = { uid, requestId, type, packet, opts };
    // Adapters before 7.1 end their server at a request that is not JSON, and let this one pass.
    return isText ? toJson(message, MAX_ARGS_DEPTH + 2) : pack(message, MAX_ARGS_DEPTH + 2, parserOf);
  }
  // JSON leaves out what is undefined.
  return toJson({ uid, requestId, type, opts, rooms, close, data, sid, room }, MAX_ARGS_DEPTH + 1);
}

/**
 * Encodes a response.
 * @param {any} response see `types.js`
 * @param {() => Parser} parserOf loads the parser; called only when it is needed
 * @returns {string | Buffer}
 * @throws what the parser or JSON throws; a RangeError when the data is nested too deep
 */
function encodeResponse(response, parserOf) {
  const { requestId, uid, packet, clientCount, data, count } = response;
  const type = toWire.get(response.type);
  switch (response.type) {
    case types.ACK:
      return pack({ type, requestId, uid, packet }, MAX_DEPTH + 1, parserOf);
    case types.CLIENT_COUNT:
    case types.SERVER_SIDE_EMIT:
      return toJson({ type, requestId, uid, clientCount, data }, MAX_DEPTH + 1);
    default:
      return JSON.stringify({ requestId, uid, count });
  }
}

/**
 * Encodes a response that is a list, whose items may be encoded at different times.
 * @param {{ requestId: any, uid: string }} response
 * @param {'rooms' | 'sockets'} name
 * @param {string[]} items of `encodeItems` or `encodeSocket`
 */
function encodeList({ requestId, uid }, name, items) {
  return `${JSON.stringify({ requestId, uid }).slice(0, -1)},"${name}":[${items.join(',')}]}`;
}

/** Some items of a list. @param {(string | number)[]} items at least one */
function encodeItems(items) {
  return JSON.stringify(items).slice(1, -1);
}

/**
 * A socket as JSON; what of its handshake and its data cannot be JSON is left out, so that the server that
 * asks gets an answer.
 * @param {{ id: string, handshake: any, rooms: any[], data: any }} socket
 * @param {(field: string, cause: unknown) => void} leftOut called with what is left out
 */
function encodeSocket({ id, handshake, rooms, data }, leftOut) {
  try {
    return toJson({ id, handshake: withoutStore(handshake), rooms, data }, MAX_DEPTH + 1);
  } catch {
    const head = JSON.stringify({ id, rooms }).slice(0, -1);
    const fields = encodeFields('handshake', handshake, leftOut);
    return `${head},"handshake":${fields},"data":${encodeData(data, leftOut)}}`;
  }
}

/** A session store may be circular, and is of no use elsewhere. */
function withoutStore(handshake) {
  return { ...handshake, sessionStore: undefined };
}

function encodeData(data, leftOut) {
  const isWhole = !isObject(data) || 'toJSON' in data;
  return isWhole ? (encodeField('data', () => data, leftOut) ?? '{}') : encodeFields('data', data, leftOut);
}

/** The fields of an object that can be JSON. */
function encodeFields(name, object, leftOut) {
  const fields = [];
  for (const key of Object.keys(object ?? {})) {
    if (name === 'handshake' && key === 'sessionStore') continue;
    const text = encodeField(`${name}.${key}`, () => object[key], leftOut);
    if (text !== undefined) fields.push(`${JSON.stringify(key)}:${text}`);
  }
  return `{${fields.join(',')}}`;
}

/** @returns {string | undefined} nothing when there is nothing, or it cannot be JSON */
function encodeField(name, read, leftOut) {
  try {
    return toJson(read(), MAX_DEPTH - 1);
  } catch (cause) {
    leftOut(name, cause);
    return undefined;
  }
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
    const message = unpack(payload, parserOf, limits);
    if (!Array.isArray(message)) return undefined;
    const [uid, packet, opts] = message;
    if (!packet) return null;
    if ((packet.nsp === undefined ? '/' : packet.nsp) !== nsp) return typeof packet === 'object' ? null : undefined;
    const isValid = isId(uid) && isFilter(opts, limits) && isPacket(packet, limits);
    return isValid ? { uid, packet, opts } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Decodes a request of another server. The official adapter would throw at one that is not valid.
 * @param {Buffer} payload
 * @param {() => Parser} parserOf loads the parser; called only when it is needed
 * @param {Limits} limits
 * @returns {Generator<void, any>} in slices: see `types.js`; without a type when it is of one that is not known,
 *   nothing when it is not valid
 */
function* decodeRequest(payload, parserOf, limits) {
  try {
    const message = yield* parse(payload, parserOf, limits);
    if (!isObject(message) || !isType(message.type)) return undefined;
    const { uid, requestId, packet, opts, rooms, close, data, sid, room } = message;
    const type = typeOf(message.type, opts);
    const request = { type, uid, requestId, packet, opts, rooms, close, data, sid, room };
    return isRequest(request, limits) ? request : undefined;
  } catch {
    return undefined;
  }
}

/** Whether something can be the type of a request, maybe of one that later servers send. */
function isType(value) {
  return typeof value === 'number' || typeof value === 'string';
}

/** The type of a request, in words. */
function typeOf(onWire, opts) {
  const type = fromWire.get(onWire);
  return type !== undefined && !opts ? (FOR_ONE[type] ?? type) : type;
}

/**
 * Decodes a response of another server.
 * @param {Buffer} payload
 * @param {() => Parser} parserOf loads the parser; called only when it is needed
 * @param {Limits} limits
 * @param {(requestId: any) => boolean} isAwaited whether this server has made the request
 * @returns {Generator<void, any>} in slices: see `types.js`, mostly without a type, which this wire does not carry;
 *   null when it is not awaited, nothing when it is not valid
 */
function* decodeResponse(payload, parserOf, limits, isAwaited) {
  try {
    const message = yield* parse(payload, parserOf, limits, LISTS, ({ requestId }) => isAwaited(requestId));
    if (message === undefined) return null;
    if (!isObject(message)) return undefined;
    const { requestId, uid, packet, clientCount, data, count } = message;
    if (!isAwaited(requestId)) return isId(requestId) ? null : undefined;
    const type = fromWire.get(message.type);
    const response = { type, requestId, uid, packet, clientCount, data, count };
    if (!isResponse(response, limits)) return undefined;
    const lists = yield* listsIn(message, limits);
    return lists && { ...response, ...lists };
  } catch {
    return undefined;
  }
}

/** Takes JSON, in slices, or what the parser has packed apart. @param {string[]} [lists] */
function* parse(payload, parserOf, limits, lists = [], isWanted = always) {
  // 0x7b is "{".
  if (payload[0] === 0x7b) {
    const most = { values: limits.values + ENVELOPE, bytes: limits.bytes };
    return yield* parseInSlices(payload, most, lists, isWanted);
  }
  return unpack(payload, parserOf, limits);
}

/** What Redis is asked in the place of this `PUBSUB`: the same. @param {string[]} args @returns {string[] | null} */
function pubsub(args) {
  return args;
}

module.exports = {
  /** What `AdapterWire` calls it. */
  NAME: /** @type {const} */ ('Classic'),
  /** Whether its channels are of shards. */
  IS_SHARDED: false,
  /** Whether each server hears the channel for responses to it alone. */
  HEARS_OWN: false,
  /** Whether servers of every age answer a request for nothing, by which they are told from monitors. */
  ANSWERS_ROLL_CALL: true,
  /** Whether official servers tell their rooms, and answer what changes one socket. */
  ANSWERS_ALL: true,
  /** Whether what is binary becomes JSON. */
  PLAINTEXT: false,
  /** Whether sockets can be recovered. */
  RECOVERS: false,
  channelsOf,
  pubsub,
  encodeBroadcast,
  encodeItems,
  encodeList,
  encodeRequest,
  encodeResponse,
  encodeSocket,
  decodeBroadcast,
  decodeRequest,
  decodeResponse,
};
