'use strict';

const { crosses } = require('./room-names');
const types = require('./types');
const { PAYLOAD_BROADCAST, PAYLOAD_REQUEST, PAYLOAD_RESPONSE } = require('../backplane/binding');
const { isObject } = require('../values');

/**
 * Whether a message of another server is valid, by kind: broadcasts, requests, responses. The official
 * adapter would throw at one that is not.
 * @type {Record<number, (message: any) => boolean>}
 */
const isValid = { [PAYLOAD_BROADCAST]: isBroadcast, [PAYLOAD_REQUEST]: isRequest, [PAYLOAD_RESPONSE]: isObject };

/**
 * Decodes a message of another server.
 * @param {number} kind
 * @param {Buffer} payload
 * @param {() => { decode: (payload: Buffer) => any }} parserOf loads what decodes messages that are not JSON
 * @returns {any} nothing when it is not valid
 */
function decode(kind, payload, parserOf) {
  try {
    // 0x7b is "{".
    const isJson = kind !== PAYLOAD_BROADCAST && payload[0] === 0x7b;
    const message = isJson ? JSON.parse(payload.toString()) : parserOf().decode(payload);
    return isValid[kind](message) ? message : undefined;
  } catch {
    return undefined;
  }
}

function isBroadcast(message) {
  if (!Array.isArray(message)) return false;
  const [, packet, opts] = message;
  return packet === null || packet === undefined || (isObject(packet) && isFilter(opts));
}

function isRequest(request) {
  if (!isObject(request)) return false;
  const { type, uid, requestId, opts, rooms, data, packet } = request;
  if (!isId(uid) || !isId(requestId)) return false;
  switch (type) {
    case types.SOCKETS:
      return isList(rooms);
    case types.REMOTE_JOIN:
    case types.REMOTE_LEAVE:
      return !opts || (isFilter(opts) && Array.isArray(rooms));
    case types.REMOTE_DISCONNECT:
      return !opts || isFilter(opts);
    case types.SERVER_SIDE_EMIT:
      return Array.isArray(data) && isId(data[0]);
    case types.BROADCAST:
      return isFilter(opts) && isObject(packet);
    case types.REMOTE_FETCH:
    case types.COUNT:
    case types.IDS:
      return isFilter(opts);
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

module.exports = { decode };
