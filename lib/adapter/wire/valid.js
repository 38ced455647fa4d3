'use strict';

/**
 * Which messages are valid: what a peer sends is trusted as little as what a browser sends. Whatever the
 * official adapter makes sense of is valid; what it would throw at, or pass on to harm clients, is not.
 */

const { MAX_ARGS_DEPTH, MAX_DEPTH, isWithin } = require('./bounds');
const types = require('../types');
const { isGiven, isObject, isWholeNumber } = require('../../values');

/**
 * What one message may hold.
 * @typedef {{ rooms: number, attachments: number, values: number, bytes: number }} Limits
 */

/** Longer than any id or uid that a server makes; they are repeated in responses and in names of channels. */
const MAX_ID = 256;
/** An event's arguments are arguments of a call here, which lie on the stack. */
const MAX_ARGUMENTS = 10_000;
/** The type of an event; binary or not, servers send this one. */
const EVENT = 2;
/** Events that clients refuse, or take for what Socket.IO itself tells: socket.io-parser's list. */
const RESERVED = new Set(['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener']);
/** Events that a namespace emits by itself, and Node's. */
const RESERVED_HERE = new Set(['connect', 'connection', 'new_namespace', 'error', 'newListener', 'removeListener']);

/** @param {any} request in words @param {Limits} limits */
function isRequest(request, limits) {
  const { type, uid, requestId, opts, rooms, sid, room, close } = request;
  if (!isId(uid) || !isId(requestId)) return false;
  switch (type) {
    case types.SOCKETS:
      return isNames(rooms, limits);
    case types.JOIN:
    case types.LEAVE:
    case types.TAKEN_OVER:
      return isFilter(opts, limits) && isRooms(rooms, limits);
    case types.DISCONNECT:
      return isFilter(opts, limits) && isScalar(close);
    case types.FETCH_SOCKETS:
      return isFilter(opts, limits);
    case types.COUNT_SOCKETS:
    case types.SOCKET_IDS:
      // The answer goes to a channel that has it in its name.
      return isFilter(opts, limits) && typeof uid === 'string';
    case types.JOIN_ONE:
    case types.LEAVE_ONE:
      return typeof sid === 'string' && isRooms(room, limits);
    case types.DISCONNECT_ONE:
      return typeof sid === 'string' && isScalar(close);
    case types.SERVER_SIDE_EMIT:
      return isEvent(request.data, RESERVED_HERE) && isWithin(request.data, MAX_ARGS_DEPTH, { values: limits.values });
    case types.BROADCAST:
      return isFilter(opts, limits) && isPacket(request.packet, limits);
    default:
      return true;
  }
}

/** Whether a packet can be sent to clients. @param {any} packet @param {Limits} limits */
function isPacket(packet, limits) {
  if (!isObject(packet)) return false;
  const { type, nsp, id, data } = packet;
  return (
    type === EVENT &&
    (!isGiven(nsp) || typeof nsp === 'string') &&
    (!isGiven(id) || isWholeNumber(id, 0)) &&
    isEvent(data, RESERVED) &&
    isWithin(data, MAX_ARGS_DEPTH, limits)
  );
}

/** Whether something is an event's name and its arguments. @param {any} data @param {Set<string>} reserved */
function isEvent(data, reserved) {
  if (!Array.isArray(data) || data.length > MAX_ARGUMENTS) return false;
  const [name] = data;
  return typeof name === 'string' ? !reserved.has(name) : Number.isFinite(name);
}

/** Whether something says which sockets are meant, none being all. PHP writes a list for an empty object. */
function isFilter(opts, limits) {
  return typeof opts === 'object' && opts !== null && isNames(opts.rooms, limits) && isNames(opts.except, limits);
}

/**
 * Whether `new Set` makes a set of rooms of it, as the official adapter does. It may hold anything: what is
 * no name is that of no room.
 */
function isNames(names, { rooms }) {
  if (!isGiven(names)) return true;
  const isIterable = Array.isArray(names) || typeof names === 'string' || names instanceof Uint8Array;
  return isIterable && names.length <= rooms;
}

/** Whether sockets can join it or them, as `socket.join` takes rooms. */
function isRooms(rooms, limits) {
  if (!Array.isArray(rooms)) return rooms !== undefined && isScalar(rooms);
  return rooms.length <= limits.rooms && rooms.every(isScalar);
}

/** @param {any} response in words @param {Limits} limits */
function isResponse({ type, uid, requestId, clientCount, count, data, packet }, { values }) {
  return (
    (type === undefined || typeof type === 'string') &&
    isId(uid) &&
    isId(requestId) &&
    isCount(clientCount) &&
    isCount(count) &&
    isWithin(data, MAX_DEPTH, { values }) &&
    isWithin(packet, MAX_DEPTH, { values })
  );
}

/** Whether something is a socket of another server, of which Socket.IO makes a `RemoteSocket`. */
function isSocket(socket, { values }) {
  if (!isObject(socket)) return false;
  const { id, handshake, rooms, data } = socket;
  return (
    typeof id === 'string' &&
    isObject(handshake) &&
    Array.isArray(rooms) &&
    isWithin(handshake, MAX_DEPTH, { values }) &&
    isWithin(data, MAX_DEPTH, { values })
  );
}

/** Whether something is the session of a socket, as Socket.IO makes one for `persistSession`. */
function isSession(session, { rooms: most, values }) {
  if (!isObject(session)) return false;
  const { sid, pid, rooms, data } = session;
  return (
    isName(sid) &&
    isName(pid) &&
    Array.isArray(rooms) &&
    rooms.length <= most &&
    rooms.every(isScalar) &&
    isWithin(data, MAX_DEPTH, { values })
  );
}

/** Whether something can be the id of a socket. */
function isName(value) {
  return typeof value === 'string' && value !== '' && value.length <= MAX_ID;
}

function isCount(value) {
  return !isGiven(value) || isWholeNumber(value, 0);
}

/** Whether something can be repeated in a response and in the name of a channel. */
function isId(value) {
  return !isGiven(value) || Number.isFinite(value) || (typeof value === 'string' && value.length <= MAX_ID);
}

/** @returns {boolean} whether it can be the name of a room, or true or false */
function isScalar(value) {
  return typeof value !== 'object' || value === null;
}

module.exports = { isFilter, isId, isPacket, isRequest, isResponse, isScalar, isSession, isSocket };
