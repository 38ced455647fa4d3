'use strict';

/** Which packets the native side encodes: those of which JSON, with binary parts beside it, and MessagePack say the same. */

const { MAX_ARGS_DEPTH } = require('../adapter/wire/bounds');

/** Of socket.io-parser. */
const EVENT = 2;
const BINARY_EVENT = 5;
/** What stands for a binary part, up to its number. */
const PLACEHOLDER = '{"_placeholder":true,"num":';

/** How many binary parts the value that is being looked at has. */
let parts = 0;

/**
 * A packet as the native side takes it: Socket.IO text, and its binary parts. Nothing where it takes none: with
 * what is rare, such as dates, or what `toJSON` makes.
 * @param {string} nsp the namespace's name
 * @param {unknown[]} data the event's name and arguments
 * @returns {{ text: string, attachments: Buffer[] } | undefined}
 */
function encodePacket(nsp, data) {
  parts = 0;
  if (!isPlain(data)) return undefined;
  const shown = nsp === '' || nsp === '/' ? '' : `${nsp},`;
  if (parts === 0) return { text: `${EVENT}${shown}${JSON.stringify(data)}`, attachments: NONE };
  /** @type {Buffer[]} */
  const attachments = [];
  const json = JSON.stringify(takeApart(data, attachments));
  // An argument that looks like a placeholder would be taken for one.
  if (json.split(PLACEHOLDER).length !== attachments.length + 1) return undefined;
  return { text: `${BINARY_EVENT}${attachments.length}-${shown}${json}`, attachments };
}

/** @type {Buffer[]} */
const NONE = [];

/**
 * Whether JSON text of a value, and its binary parts, hold all that notepack.io would make bytes of.
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
  if (prototype !== Object.prototype && prototype !== null) return isPart(object);
  // A `toJSON` is a function, which is not plain. One that is not enumerable is rarer than what looking for it takes.
  for (const key in object) if (!isPlain(object[key], depth)) return false;
  return true;
}

/** Whether an object is a binary part, which is counted. */
function isPart(object) {
  const isBinary = object instanceof Uint8Array || object instanceof ArrayBuffer;
  if (isBinary) parts++;
  return isBinary;
}

/**
 * A copy of what is plain, with placeholders for binary parts.
 * @param {any} value
 * @param {Buffer[]} attachments gets the parts
 * @returns {any}
 */
function takeApart(value, attachments) {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => takeApart(item, attachments));
  if (value instanceof Uint8Array || value instanceof ArrayBuffer) {
    const part = Buffer.isBuffer(value) ? value : Buffer.from(/** @type {any} */ (value));
    return { _placeholder: true, num: attachments.push(part) - 1 };
  }
  // Without a prototype, `__proto__` is a key like any other.
  const copy = Object.create(null);
  for (const key in value) copy[key] = takeApart(value[key], attachments);
  return copy;
}

module.exports = { EVENT, encodePacket, isPlain };
