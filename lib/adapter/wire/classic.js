'use strict';

/**
 * The wire of `@socket.io/redis-adapter`: its numbers, its shapes, and what is JSON. Broadcasts, those with
 * acknowledgements and the acknowledgements themselves are packed by a parser, all else is JSON.
 */

const { crosses } = require('../room-names');
const types = require('../types');
const { isObject } = require('../../values');

/**
 * Packs what is not JSON: `opts.parser`, else notepack.io.
 * @typedef {{ encode: (message: any) => any, decode: (payload: Buffer) => any }} Parser
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
 * @throws what the parser throws
 */
function encodeBroadcast({ uid, packet, opts }, parserOf) {
  return parserOf().encode([uid, packet, opts]);
}

/**
 * Encodes a request.
 * @param {any} request see `types.js`
 * @param {() => Parser} parserOf loads the parser; called only when it is needed
 * @returns {string | Buffer}
 * @throws what the parser or JSON throws
 */
function encodeRequest(request, parserOf) {
  const { uid, requestId, packet, opts, rooms, close, data, sid, room } = request;
  const type = toWire.get(request.type);
  if (request.type === types.BROADCAST) return parserOf().encode({ uid, requestId, type, packet, opts });
  // JSON leaves out what is undefined.
  return JSON.stringify({ uid, requestId, type, opts, rooms, close, data, sid, room });
}

/**
 * Encodes a response.
 * @param {any} response see `types.js`
 * @param {() => Parser} parserOf loads the parser; called only when it is needed
 * @param {(field: string, cause: unknown) => void} [leftOut] called with what of a socket cannot be JSON
 * @returns {string | Buffer}
 * @throws what the parser or JSON throws
 */
function encodeResponse(response, parserOf, leftOut = () => {}) {
  const { requestId, uid, packet, clientCount, data, rooms, sockets, count } = response;
  const type = toWire.get(response.type);
  switch (response.type) {
    case types.ACK:
      return parserOf().encode({ type, requestId, uid, packet });
    case types.CLIENT_COUNT:
    case types.SERVER_SIDE_EMIT:
      return JSON.stringify({ type, requestId, uid, clientCount, data });
    case types.FETCH_SOCKETS: {
      const head = JSON.stringify({ requestId, uid });
      return `${head.slice(0, -1)},"sockets":[${sockets.map((socket) => encodeSocket(socket, leftOut)).join(',')}]}`;
    }
    default:
      return JSON.stringify({ requestId, uid, rooms, sockets, count });
  }
}

/**
 * A socket as JSON; what of its handshake and its data cannot be JSON is left out, so that the server that
 * asks gets an answer.
 */
function encodeSocket({ id, handshake, rooms, data }, leftOut) {
  try {
    return JSON.stringify({ id, handshake: withoutStore(handshake), rooms, data });
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
    return JSON.stringify(read());
  } catch (cause) {
    leftOut(name, cause);
    return undefined;
  }
}

/**
 * Decodes a broadcast that the native side does not decode.
 * @param {Buffer} payload
 * @param {() => Parser} parserOf loads the parser
 * @returns {{ uid: any, packet: any, opts: any } | undefined} nothing when it is not valid
 */
function decodeBroadcast(payload, parserOf) {
  try {
    const message = parserOf().decode(payload);
    if (!Array.isArray(message)) return undefined;
    const [uid, packet, opts] = message;
    const isValid = packet === null || packet === undefined || (isObject(packet) && isFilter(opts));
    return isValid ? { uid, packet, opts } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Decodes a request of another server. The official adapter would throw at one that is not valid.
 * @param {Buffer} payload
 * @param {() => Parser} parserOf loads the parser; called only when it is needed
 * @returns {any} see `types.js`; without a type when it is of one that is not known, nothing when it is not valid
 */
function decodeRequest(payload, parserOf) {
  try {
    const message = parse(payload, parserOf);
    if (!isObject(message)) return undefined;
    const { uid, requestId, packet, opts, rooms, close, data, sid, room } = message;
    const type = typeOf(message.type, opts);
    const request = { type, uid, requestId, packet, opts, rooms, close, data, sid, room };
    return isRequest(request) ? request : undefined;
  } catch {
    return undefined;
  }
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
 * @returns {any} see `types.js`, mostly without a type, which this wire does not carry; nothing when it is not valid
 */
function decodeResponse(payload, parserOf) {
  try {
    const message = parse(payload, parserOf);
    if (!isObject(message)) return undefined;
    const { requestId, uid, packet, clientCount, data, rooms, sockets, count } = message;
    return { type: fromWire.get(message.type), requestId, uid, packet, clientCount, data, rooms, sockets, count };
  } catch {
    return undefined;
  }
}

/** Takes JSON or what the parser has packed apart. */
function parse(payload, parserOf) {
  // 0x7b is "{".
  return payload[0] === 0x7b ? JSON.parse(payload.toString()) : parserOf().decode(payload);
}

function isRequest({ type, uid, requestId, opts, rooms, data, packet }) {
  if (!isId(uid) || !isId(requestId)) return false;
  switch (type) {
    case types.SOCKETS:
      return isList(rooms);
    case types.JOIN:
    case types.LEAVE:
      return isFilter(opts) && Array.isArray(rooms);
    case types.DISCONNECT:
    case types.FETCH_SOCKETS:
    case types.COUNT_SOCKETS:
    case types.SOCKET_IDS:
      return isFilter(opts);
    case types.SERVER_SIDE_EMIT:
      return Array.isArray(data) && isId(data[0]);
    case types.BROADCAST:
      return isFilter(opts) && isObject(packet);
    default:
      return true;
  }
}

/** @returns {boolean} whether it names rooms, as a set may be made from it */
function isFilter(opts) {
  return isObject(opts) && isList(opts.rooms) && isList(opts.except);
}

/** Whether something can be the name of an event, or be repeated in a response and in the name of a channel. */
function isId(value) {
  return value === undefined || value === null || crosses(value);
}

function isList(value) {
  return value === undefined || value === null || Array.isArray(value);
}

module.exports = {
  encodeBroadcast,
  encodeRequest,
  encodeResponse,
  decodeBroadcast,
  decodeRequest,
  decodeResponse,
};
