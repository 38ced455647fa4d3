'use strict';

/** What both wires have in common. */

const { MAX_DEPTH, isDeeper, measurePack } = require('./bounds');
const { isScalar, isSocket } = require('./valid');
const { isGiven } = require('../../values');

/**
 * Packs what is not JSON: `opts.parser`, else notepack.io.
 * @typedef {{ encode: (message: any) => any, decode: (payload: Buffer) => any }} Parser
 * @typedef {import('./valid').Limits} Limits
 */

/** How many sockets are checked at once. */
const SLICE = 100;
/** More values than the envelope of a message has. */
const ENVELOPE = 64;
/** The lists of a response that may be long: with 10,000 sockets, or 100,000 rooms, say. */
const LISTS = ['rooms', 'sockets'];

/** @throws what JSON throws; a RangeError when it is nested deeper than that */
function toJson(value, depth) {
  const text = JSON.stringify(value);
  // Of undefined, there is none.
  if (text !== undefined && isDeeper(text, depth)) throw tooDeep();
  return text;
}

/** Packs a message. @throws what the parser throws; a RangeError when it is nested deeper than that */
function pack(message, depth, parserOf) {
  const parser = parserOf();
  const bytes = parser.encode(message);
  const measured = isNotepack(parser) && bytes.length > depth ? measurePack(bytes) : undefined;
  if (measured !== undefined && measured.depth > depth) throw tooDeep();
  return bytes;
}

function tooDeep() {
  return new RangeError(`they are nested deeper than ${MAX_DEPTH} levels`);
}

/** Loaded with the first message that is packed: `require` itself takes as long as packing does. @type {Parser | undefined} */
let notepack;

/** What an application's own parser makes of bytes is its own business. */
function isNotepack({ decode }) {
  notepack ??= require('notepack.io');
  return decode === notepack.decode;
}

/**
 * Whether something is binary in a value, as the official adapter looks for it.
 * @param {any} value
 * @param {boolean} [isMade] whether `toJSON` has made it
 * @returns {boolean}
 */
function hasBinary(value, isMade = false) {
  if (typeof value !== 'object' || value === null) return false;
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return true;
  if (Array.isArray(value)) return value.some((item) => hasBinary(item));
  for (const key of Object.keys(value)) if (hasBinary(value[key])) return true;
  return !isMade && typeof value.toJSON === 'function' && hasBinary(value.toJSON(), true);
}

/** The lists in a response; nothing when one is not valid. @param {any} message @param {Limits} limits */
function* listsIn({ rooms, sockets }, limits) {
  if (!isListOrUnset(rooms) || !isListOrUnset(sockets)) return undefined;
  // The official adapter answers with what has been joined, whatever that is.
  const lists = { rooms: rooms?.filter(isScalar), sockets, ids: sockets };
  if (!sockets) return lists;
  // An empty list may be either.
  if (sockets.every((/** @type {any} */ id) => typeof id === 'string')) {
    return sockets.length === 0 ? lists : { ...lists, sockets: undefined };
  }
  for (let i = 0; i < sockets.length; i++) {
    if (!isSocket(sockets[i], limits)) return undefined;
    if (i % SLICE === SLICE - 1) yield;
  }
  return { ...lists, ids: undefined };
}

function isListOrUnset(value) {
  return !isGiven(value) || Array.isArray(value);
}

/** @type {(message: any) => boolean} */
const always = () => true;

/**
 * Takes apart what a parser has packed.
 * @param {Buffer} payload
 * @param {() => Parser} parserOf
 * @param {Limits} limits
 */
function unpack(payload, parserOf, { values }) {
  const parser = parserOf();
  if (isNotepack(parser) && measurePack(payload, values + ENVELOPE) === undefined)
    throw new RangeError('it is cut off or too long');
  return parser.decode(payload);
}

module.exports = { ENVELOPE, LISTS, always, hasBinary, listsIn, pack, tooDeep, toJson, unpack };
