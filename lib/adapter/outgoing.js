'use strict';

/** Whether a packet is for all sockets or for one room, without exceptions and flags. */
function isSimple({ rooms, except, flags }) {
  if (rooms.size > 1 || except?.size !== 0 || flags === undefined) return false;
  for (const _ in flags) return false;
  if (rooms.size === 0) return true;
  const room = first(rooms);
  return typeof room === 'string' && room !== '';
}

/** The first of a set; much faster than to take it apart as an array. */
function first(set) {
  for (const item of set) return item;
}

/**
 * Whether the native side can send binary parts: none is a Blob, and the text has a place for each;
 * what was below a key `__proto__` has none.
 * @param {string} text
 * @param {unknown[]} parts
 */
function holdsAll(text, parts) {
  if (parts.length === 0) return true;
  const isBinary = parts.every((part) => part instanceof ArrayBuffer || ArrayBuffer.isView(part));
  return isBinary && text.split('{"_placeholder":true,"num":').length > parts.length;
}

/** Whether JSON says of a room what MessagePack would say: of numbers it knows the finite ones. */
function isJson(room) {
  return typeof room !== 'number' || Number.isFinite(room);
}

/** As notepack.io makes it of an attachment: of a typed array, each element becomes a byte. */
function toBuffer(part) {
  return Buffer.isBuffer(part) ? part : Buffer.from(part);
}

module.exports = { first, holdsAll, isJson, isSimple, toBuffer };
