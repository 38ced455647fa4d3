'use strict';

/** Which packets the native side encodes: those of which JSON and MessagePack say the same. */

const { MAX_ARGS_DEPTH } = require('../adapter/wire/bounds');

/** Of socket.io-parser. */
const EVENT = 2;

/**
 * A packet as Socket.IO text.
 * @param {string} nsp the namespace's name
 * @param {unknown[]} data the event's name and arguments
 */
function encodeText(nsp, data) {
  const shown = nsp === '' || nsp === '/' ? '' : `${nsp},`;
  return `${EVENT}${shown}${JSON.stringify(data)}`;
}

/**
 * Whether JSON text of a value holds all that notepack.io would make bytes of. It leaves out what is rare,
 * such as dates, or what `toJSON` makes.
 * @param {any} value
 * @param {number} [depth] how deep it may be nested
 * @returns {boolean}
 */
function isPlain(value, depth = MAX_ARGS_DEPTH) {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      // Of whole numbers beyond that, notepack.io knows only the lower bits.
      return Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value));
    case 'object':
      if (value === null) return true;
      if (depth === 0) return false;
      return Array.isArray(value) ? isPlainArray(value, depth - 1) : isPlainObject(value, depth - 1);
    default:
      return false;
  }
}

/** @param {any} array @param {number} depth */
function isPlainArray(array, depth) {
  if (array.toJSON !== undefined) return false;
  for (let i = 0; i < array.length; i++) if (!isPlain(array[i], depth)) return false;
  return true;
}

/** @param {any} object @param {number} depth */
function isPlainObject(object, depth) {
  const prototype = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) return false;
  // A `toJSON` is a function, which is not plain. One that is not enumerable is rarer than what looking for it takes.
  for (const key in object) if (!isPlain(object[key], depth)) return false;
  return true;
}

module.exports = { EVENT, encodeText, isPlain };
