'use strict';

/** The flags of a broadcast that is ready for sockets. */

const {
  FLAG_COMPRESS,
  FLAG_NAN_NAMES,
  FLAG_ONE_ROOM,
  FLAG_VOLATILE,
  OPTIONAL_FALSE,
  OPTIONAL_TRUE,
} = require('../backplane/binding');

/** Of those that an emit gave, none where it gave none. @param {number} flags */
function writeFlags(flags) {
  return { volatile: optional(flags, FLAG_VOLATILE), compress: optional(flags, FLAG_COMPRESS) };
}

/** Whether the rooms are the name of one, and no JSON. @param {number} flags */
function isOneRoom(flags) {
  return (flags & FLAG_ONE_ROOM) !== 0;
}

/**
 * The names of rooms in JSON text. An array among them is NaN, for which JSON has no word.
 * @param {string} json
 * @param {number} flags
 * @returns {Set<any>}
 */
function namesOf(json, flags) {
  const names = JSON.parse(json);
  return new Set((flags & FLAG_NAN_NAMES) === 0 ? names : names.map((name) => (Array.isArray(name) ? NaN : name)));
}

function optional(flags, mask) {
  // Moved to the right by as many places as the mask stands left: its lowest bit is divided away.
  const value = (flags & mask) / (mask & -mask);
  return value === OPTIONAL_TRUE ? true : value === OPTIONAL_FALSE ? false : undefined;
}

module.exports = { isOneRoom, namesOf, writeFlags };
