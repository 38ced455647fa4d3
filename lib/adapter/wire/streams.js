'use strict';

/**
 * The wire of `@socket.io/redis-streams-adapter`: the messages of the sharded adapter. What changes something is an
 * entry of a stream, with the fields `uid`, `nsp`, `type` and `data`; what wants an answer, and the answers, cross by
 * Pub/Sub, always as MessagePack. The official adapter reads that with `@msgpack/msgpack`, which has nothing for
 * `undefined`.
 */

const { MAX_ARGS_DEPTH, MAX_DEPTH } = require('./bounds');
const classic = require('./classic');
const { hasBinary, pack, tooDeep, toJson, unpack } = require('./common');
const sharded = require('./sharded');
const { isScalar, isSession } = require('./valid');
const types = require('../types');

/**
 * @typedef {import('./common').Parser} Parser
 * @typedef {import('./valid').Limits} Limits
 * @typedef {{ sid: string, pid: string, rooms: (string | number)[], data: any }} Session
 */

/** What goes to the stream instead of a channel. @type {Map<string, number>} */
const TO_STREAM = new Map([
  [types.JOIN, 4],
  [types.LEAVE, 5],
  [types.DISCONNECT, 6],
]);
/** How deep a message is around its arguments. */
const AROUND = 3;
/** A session is not deeper than its data in it. */
const SESSION_DEPTH = MAX_DEPTH + 1;

/** A request that is an entry of the stream. */
class StreamRequest {
  /** @param {number} type @param {string} data the field `data` */
  constructor(type, data) {
    this.type = type;
    this.data = data;
  }
}

/**
 * Encodes the field `data` of a broadcast that the native side does not encode.
 * @param {{ packet: any, opts: any }} broadcast
 * @param {() => Parser} parserOf loads the parser; called only when it is needed
 * @returns {string} JSON, or MessagePack in base64 where something in it is binary
 * @throws what the parser or JSON throws; a RangeError when the packet's data is nested too deep
 */
function encodeBroadcast({ packet, opts }, parserOf) {
  const data = { packet: sharded.bare(packet), opts };
  if (!hasBinary(data)) return encodePlaintext({ packet, opts });
  return asBase64(pack(withNulls(data), MAX_ARGS_DEPTH + AROUND - 1, parserOf));
}

/** The same, always as JSON: with the option `onlyPlaintext`. @param {{ packet: any, opts: any }} broadcast */
function encodePlaintext({ packet, opts }) {
  return toJson({ packet: sharded.bare(packet), opts }, MAX_ARGS_DEPTH + AROUND - 1);
}

/** @param {Buffer | Uint8Array} bytes */
function asBase64(bytes) {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/**
 * Encodes a request.
 * @param {any} request see `types.js`
 * @param {() => Parser} parserOf loads the parser
 * @param {string} nsp the namespace
 * @returns {Buffer | StreamRequest}
 * @throws what the parser or JSON throws; a RangeError when the data is nested too deep
 */
function encodeRequest(request, parserOf, nsp) {
  const message = sharded.requestMessage(request, nsp);
  const { type, data } = message;
  if ([...TO_STREAM.values()].includes(type)) return new StreamRequest(type, toJson(data, MAX_DEPTH));
  return pack(withNulls(message), MAX_ARGS_DEPTH + AROUND, parserOf);
}

/**
 * Encodes a response.
 * @param {any} response see `types.js`
 * @param {() => Parser} parserOf loads the parser
 * @param {string} nsp the namespace
 * @returns {Buffer}
 * @throws what the parser throws; a RangeError when the data is nested too deep
 */
function encodeResponse(response, parserOf, nsp) {
  return pack(withNulls(sharded.responseMessage(response, nsp)), MAX_ARGS_DEPTH + AROUND - 1, parserOf);
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
  // Official servers ask for sockets alone.
  return response.type === types.FETCH_SOCKETS
    ? sharded.packList(response, name, items, parserOf, nsp)
    : sharded.encodeList(response, name, items, parserOf, nsp);
}

/**
 * A socket, packed; what cannot be encoded is left out.
 * @param {{ id: string, handshake: any, rooms: any[], data: any }} socket
 * @param {(field: string, cause: unknown) => void} leftOut called with what is left out
 * @param {() => Parser} parserOf loads the parser
 * @returns {string | Buffer}
 */
function encodeSocket(socket, leftOut, parserOf) {
  const { id, handshake, rooms, data } = socket;
  try {
    const whole = { id, handshake: { ...handshake, sessionStore: undefined }, rooms, data };
    return pack(withNulls(whole), MAX_DEPTH + 1, parserOf);
  } catch {
    return classic.encodeSocket(socket, leftOut);
  }
}

/**
 * The same with `null` in the place of `undefined`, which JSON has in arrays too; objects go without it.
 * @param {any} value
 * @param {number} [depth]
 * @returns {any} itself, where there is none
 */
function withNulls(value, depth = 0) {
  if (value === undefined) return null;
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || value instanceof ArrayBuffer)
    return value;
  // A cycle, say.
  if (depth > MAX_ARGS_DEPTH + AROUND) throw tooDeep();
  if (Array.isArray(value)) {
    const items = Array.from(value, (item) => withNulls(item, depth + 1));
    return items.every((item, at) => item === value[at] && at in value) ? value : items;
  }
  if (typeof value.toJSON === 'function') return value;
  let copy;
  for (const key of Object.keys(value)) {
    const item = value[key];
    const changed = item === undefined ? undefined : withNulls(item, depth + 1);
    if (changed !== item) (copy ??= { ...value })[key] = changed;
  }
  return copy ?? value;
}

/**
 * Encodes the session of a socket that may come back, as it stands in Redis.
 * @param {Session} session
 * @param {() => Parser} parserOf loads the parser
 * @returns {string}
 * @throws what the parser throws; a RangeError when the data is nested too deep
 */
function encodeSession({ sid, pid, rooms, data }, parserOf) {
  // What a parser cannot know in a room is the room of nobody after that.
  return asBase64(pack(withNulls({ sid, pid, rooms: rooms.filter(isScalar), data }), SESSION_DEPTH, parserOf));
}

/**
 * Decodes a session.
 * @param {string} text as it stands in Redis
 * @param {string} pid whose it should be
 * @param {() => Parser} parserOf loads the parser
 * @param {Limits} limits
 * @returns {Session | undefined} nothing when it is not valid
 */
function decodeSession(text, pid, parserOf, limits) {
  try {
    if (text.length > limits.bytes) return undefined;
    const session = unpack(Buffer.from(text, 'base64'), parserOf, limits);
    if (!isSession(session, limits) || session.pid !== pid) return undefined;
    const { sid, rooms, data } = session;
    return { sid, pid, rooms, data };
  } catch {
    return undefined;
  }
}

/**
 * Decodes a packet that was missed and that the native side cannot decode.
 * @param {any} item `{ id, data }`, the id of an entry and its field `data` in base64
 * @param {() => Parser} parserOf loads the parser
 * @param {Limits} limits
 * @returns {any[] | undefined} the event, its arguments and the id behind them; nothing when it is not valid
 */
function decodeMissed({ id, data }, parserOf, limits) {
  try {
    const { packet } = unpack(Buffer.from(data, 'base64'), parserOf, limits);
    return Array.isArray(packet.data) ? [...packet.data, id] : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What Redis is asked in the place of this `PUBSUB`, see `sharded.pubsub`.
 * @param {string[]} args
 * @returns {string[] | null}
 */
function pubsub(args) {
  return args[0] === 'NUMSUB' ? args : null;
}

/**
 * The wire with options that concern it.
 * @param {object} options
 * @param {boolean} options.useShardedPubSub whether what is no entry crosses on sharded channels
 * @param {boolean} options.onlyPlaintext whether entries are always JSON
 */
function streamsWire({ useShardedPubSub, onlyPlaintext }) {
  return {
    ...sharded,
    /** What `AdapterWire` calls it. */
    NAME: /** @type {const} */ ('Streams'),
    /** Whether its channels are of shards. */
    IS_SHARDED: useShardedPubSub,
    /** Whether what is binary becomes JSON. */
    PLAINTEXT: onlyPlaintext,
    /** Whether sockets can be recovered. */
    RECOVERS: true,
    pubsub: useShardedPubSub ? sharded.pubsub : pubsub,
    encodeBroadcast: onlyPlaintext ? encodePlaintext : encodeBroadcast,
    encodeList,
    encodeRequest,
    encodeResponse,
    encodeSocket,
  };
}

module.exports = { StreamRequest, decodeMissed, decodeSession, encodeSession, streamsWire };
