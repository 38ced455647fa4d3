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

/** Whether a string is the same as UTF-8 and back. @type {(text: any) => boolean} Node 18 has no method for it */
const isWellFormed = /** @type {any} */ (String.prototype).isWellFormed
  ? (text) => text.isWellFormed()
  : (text) => !/\p{Surrogate}/u.test(text);

/**
 * Whether the native side knows which sockets are in a room. UTF-8 has one character for all that is not well
 * formed, so that it would take different rooms for the same one.
 * @param {unknown} room
 */
function isTold(room) {
  return typeof room === 'string' ? isWellFormed(room) : typeof room === 'number';
}

/**
 * A room by the name that the native side has for it: the room `1` is not `"1"`.
 * @param {string | number} room
 * @returns {string}
 */
function toldName(room) {
  return typeof room === 'number' || room[0] === '\0' ? `\0${room}` : room;
}

module.exports = { crosses, crossing, filterNames, inRequest, isTold, toldName };
