'use strict';

/**
 * What servers ask of each other, in words; how a wire spells it is known in `wire/` alone. A request is
 * `{ type, uid, requestId }` with the fields below, `requestId` only where an answer is wanted. Its
 * `opts` are `{ rooms, except }` as arrays. A response is `{ type, requestId, uid }` with one field more.
 */

/** `rooms`; the response has the ids of the sockets in them, `ids`. */
const SOCKETS = 'sockets';
/** The response has `rooms`. */
const ALL_ROOMS = 'allRooms';
/** `opts`, `rooms` */
const JOIN = 'join';
/** `opts`, `rooms` */
const LEAVE = 'leave';
/** `opts`, `close` */
const DISCONNECT = 'disconnect';
/** One socket by its id: `sid`, `room`. The response has no field. */
const JOIN_ONE = 'joinOne';
/** One socket by its id: `sid`, `room`. The response has no field. */
const LEAVE_ONE = 'leaveOne';
/** One socket by its id: `sid`, `close`. The response has no field. */
const DISCONNECT_ONE = 'disconnectOne';
/** `opts`; the response has `sockets`, each `{ id, handshake, rooms, data }`. */
const FETCH_SOCKETS = 'fetchSockets';
/** `data`, the event's name and arguments; the response has `data`, what was acknowledged. */
const SERVER_SIDE_EMIT = 'serverSideEmit';
/**
 * A broadcast with acknowledgements: `packet`, whether that holds nothing binary (`isText`), `opts` with `flags`;
 * responses are of the two types below.
 */
const BROADCAST = 'broadcast';
/** How many clients of a server got the broadcast: `clientCount`. */
const CLIENT_COUNT = 'clientCount';
/** What one client acknowledged: `packet`. */
const ACK = 'ack';
/** Only among servers of this package: `opts`; the response has `count`. */
const COUNT_SOCKETS = 'countSockets';
/** Only among servers of this package: `opts`; the response has `ids`. */
const SOCKET_IDS = 'socketIds';

/** Only among servers of this package: one socket by its id and the secret one of its session, `opts` and `rooms`. */
const TAKEN_OVER = 'takenOver';

module.exports = {
  SOCKETS,
  ALL_ROOMS,
  JOIN,
  LEAVE,
  DISCONNECT,
  JOIN_ONE,
  LEAVE_ONE,
  DISCONNECT_ONE,
  FETCH_SOCKETS,
  SERVER_SIDE_EMIT,
  BROADCAST,
  CLIENT_COUNT,
  ACK,
  COUNT_SOCKETS,
  SOCKET_IDS,
  TAKEN_OVER,
};
