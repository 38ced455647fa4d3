'use strict';

/** What a request asks for, as `@socket.io/redis-adapter` numbers it. */
const SOCKETS = 0;
const ALL_ROOMS = 1;
const REMOTE_JOIN = 2;
const REMOTE_LEAVE = 3;
const REMOTE_DISCONNECT = 4;
const REMOTE_FETCH = 5;
const SERVER_SIDE_EMIT = 6;
const BROADCAST = 7;
const BROADCAST_CLIENT_COUNT = 8;
const BROADCAST_ACK = 9;
/** Only among servers of this package, on a channel of their own. */
const COUNT = 'count';
const IDS = 'ids';

module.exports = {
  SOCKETS,
  ALL_ROOMS,
  REMOTE_JOIN,
  REMOTE_LEAVE,
  REMOTE_DISCONNECT,
  REMOTE_FETCH,
  SERVER_SIDE_EMIT,
  BROADCAST,
  BROADCAST_CLIENT_COUNT,
  BROADCAST_ACK,
  COUNT,
  IDS,
};
