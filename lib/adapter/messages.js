'use strict';

const types = require('./types');

/**
 * Whether messages of other servers are what such servers publish, by kind: broadcasts, requests,
 * responses. The official adapter would throw where these say no.
 * @type {((message: any) => boolean)[]}
 */
const makesSense = [isBroadcast, isRequest, isObject];

function isBroadcast(message) {
  if (!Array.isArray(message)) return false;
  const [, packet, opts] = message;
  return packet === null || packet === undefined || (isObject(packet) && isFilter(opts));
}

function isRequest(request) {
  if (!isObject(request)) return false;
  const { type, opts, rooms, data, packet } = request;
  switch (type) {
    case types.SOCKETS:
      return isList(rooms);
    case types.REMOTE_JOIN:
    case types.REMOTE_LEAVE:
      return !opts || (isFilter(opts) && Array.isArray(rooms));
    case types.REMOTE_DISCONNECT:
      return !opts || isFilter(opts);
    case types.SERVER_SIDE_EMIT:
      return Array.isArray(data);
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

function isList(value) {
  return value === undefined || value === null || Array.isArray(value);
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

module.exports = { makesSense };
