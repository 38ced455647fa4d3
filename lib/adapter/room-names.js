'use strict';

/**
 * Names of rooms. An application may call a room anything that a Set takes, and what it calls one often
 * comes from a client, so no name is turned into text before its type is known.
 */

/** What stands for a name that has no meaning on another server: no room is called that. */
const NO_ROOM = Object.freeze({});

/**
 * Whether other servers, and the native side, can know a room by its name. All other rooms are local.
 * @param {unknown} room
 * @returns {room is string | number}
 */
function crosses(room) {
  return typeof room === 'string' || typeof room === 'number';
}

/**
 * Rooms as they cross the wire in a filter. The length stays, since a filter without rooms is one for
 * all sockets.
 * @param {Iterable<any>} rooms
 * @returns {any[]}
 */
function filterNames(rooms) {
  return Array.from(rooms, (room) => (crosses(room) ? room : NO_ROOM));
}

/**
 * Those of some rooms that other servers can know.
 * @param {Iterable<any>} rooms
 * @returns {(string | number)[]}
 */
function crossing(rooms) {
  return [...rooms].filter(crosses);
}

/**
 * A room as the other servers get it in a request, which is JSON: a number that is not finite is `null` there.
 * The official adapter, which does what it asks for when its own request comes back, takes it for that too.
 * @param {unknown} room
 */
function inRequest(room) {
  return typeof room === 'number' && !Number.isFinite(room) ? null : room;
}

module.exports = { crosses, crossing, filterNames, inRequest };
