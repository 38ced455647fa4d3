'use strict';

/** How deep and how large a value may be. */

/** How many arrays and objects may lie within each other in one argument of a message, as on the native side. */
const MAX_DEPTH = 512;
/** The same for all arguments with their array. */
const MAX_ARGS_DEPTH = MAX_DEPTH + 1;

/** The bytes of MessagePack that say how long something is: in how many bytes, and what else stands there. */
const LENGTHS = new Map([
  [0xc4, { size: 1, kind: 'bytes' }],
  [0xc5, { size: 2, kind: 'bytes' }],
  [0xc6, { size: 4, kind: 'bytes' }],
  [0xc7, { size: 1, kind: 'extension' }],
  [0xc8, { size: 2, kind: 'extension' }],
  [0xc9, { size: 4, kind: 'extension' }],
  [0xd9, { size: 1, kind: 'bytes' }],
  [0xda, { size: 2, kind: 'bytes' }],
  [0xdb, { size: 4, kind: 'bytes' }],
  [0xdc, { size: 2, kind: 'array' }],
  [0xdd, { size: 4, kind: 'array' }],
  [0xde, { size: 2, kind: 'map' }],
  [0xdf, { size: 4, kind: 'map' }],
]);
/** What the others take: floats, integers, extensions of a fixed length. */
const FIXED = [5, 9, 2, 3, 5, 9, 2, 3, 5, 9, 3, 4, 6, 10, 18];
const FIRST_FIXED = 0xca;

/**
 * Whether a value is within bounds.
 * @param {unknown} value
 * @param {number} most how deep it may be nested, the value itself being the first level
 * @param {{ values: number, attachments?: number }} limits how many values and binary parts it may have
 */
function isWithin(value, most, { values, attachments = Infinity }) {
  let left = values;
  let parts = attachments;
  /** @returns {boolean} */
  const fits = (/** @type {any} */ value, /** @type {number} */ depth) => {
    if (--left < 0) return false;
    if (typeof value !== 'object' || value === null) return true;
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return --parts >= 0;
    if (depth === most) return false;
    if (Array.isArray(value)) return value.every((item) => fits(item, depth + 1));
    for (const key in value) if (!fits(value[key], depth + 1)) return false;
    return true;
  };
  return fits(value, 0);
}

/**
 * Takes the measure of MessagePack before it is decoded: notepack.io makes room for whatever length is
 * announced, 4 GiB from five bytes.
 * @param {Uint8Array} bytes
 * @param {number} [most] how many values there may be, keys apart
 * @returns {{ depth: number } | undefined} how deep it is nested; nothing when it is cut off or has more values
 */
function measurePack(bytes, most = Infinity) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  /** How many values are still to come in each of the arrays and maps that are open. @type {number[]} */
  const open = [1];
  let at = 0;
  let values = 0;
  let depth = 0;
  while (open.length > 0) {
    if (--open[open.length - 1] < 0) {
      open.pop();
      continue;
    }
    if (at >= bytes.length || ++values > most) return undefined;
    const { length, items, keys = 0 } = headAt(view, at);
    at += length;
    if (items < 0) continue;
    // Each takes a byte at least.
    if (items > bytes.length - at) return undefined;
    open.push(items);
    values -= keys;
    depth = Math.max(depth, open.length - 1);
  }
  return at > bytes.length ? undefined : { depth };
}

/**
 * How many bytes a value takes, without its items; how many of these it has, -1 where it can have none; how many of
 * them are keys.
 */
function headAt(view, at) {
  const byte = view.getUint8(at);
  if (byte < 0x80 || byte >= 0xe0) return { length: 1, items: -1 };
  if (byte < 0x90) return { length: 1, items: 2 * (byte & 0x0f), keys: byte & 0x0f };
  if (byte < 0xa0) return { length: 1, items: byte & 0x0f };
  if (byte < 0xc0) return { length: 1 + (byte & 0x1f), items: -1 };
  const counted = LENGTHS.get(byte);
  if (counted === undefined) return { length: FIXED[byte - FIRST_FIXED] ?? 1, items: -1 };
  const { size, kind } = counted;
  if (at + size + 1 > view.byteLength) return { length: Infinity, items: -1 };
  const count = size === 1 ? view.getUint8(at + 1) : size === 2 ? view.getUint16(at + 1) : view.getUint32(at + 1);
  switch (kind) {
    case 'array':
      return { length: 1 + size, items: count };
    case 'map':
      return { length: 1 + size, items: 2 * count, keys: count };
    case 'extension':
      // Of a timestamp notepack.io reads as many bytes as one has, whatever length is announced.
      if (at + 2 < view.byteLength && byte === 0xc7 && view.getInt8(at + 2) === -1 && count !== 12)
        return { length: Infinity, items: -1 };
      return { length: 2 + size + count, items: -1 };
    default:
      return { length: 1 + size + count, items: -1 };
  }
}

/**
 * Whether JSON text is nested deeper than `most` levels.
 * @param {string} text that is valid
 * @param {number} most
 */
function isDeeper(text, most) {
  // Each level takes two characters.
  if (text.length <= 2 * most) return false;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === 0x22) i = endOfString(text, i);
    else if (char === 0x5b || char === 0x7b) {
      if (++depth > most) return true;
    } else if (char === 0x5d || char === 0x7d) depth--;
  }
  return false;
}

/** Where the string that begins at `i` ends. */
function endOfString(text, i) {
  for (;;) {
    const char = text.charCodeAt(++i);
    if (char === 0x5c) i++;
    // NaN behind the end.
    else if (char === 0x22 || Number.isNaN(char)) return i;
  }
}

module.exports = { MAX_ARGS_DEPTH, MAX_DEPTH, isDeeper, isWithin, measurePack };
