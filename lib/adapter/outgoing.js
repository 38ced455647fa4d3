'use strict';

const { listsOf } = require('./cluster');
const { crosses } = require('./room-names');
const wire = require('./wire/classic');
const { encodeOrThrow } = require('../errors');

/**
 * Sends the broadcasts of a namespace to the other servers: as text, of which the native side makes
 * MessagePack, or packed here where it cannot.
 */
class Outgoing {
  #native;
  #id;
  #uid;
  #text;
  #parserOf;

  /**
   * @param {object} namespace
   * @param {any} namespace.native a `NativeAdapter`
   * @param {number} namespace.id its number for the namespace
   * @param {string} namespace.uid what marks this server's messages
   * @param {boolean} namespace.text whether the server's encoder and parser are the standard ones
   * @param {() => import('./wire/classic').Parser} namespace.parserOf loads the parser
   */
  constructor({ native, id, uid, text, parserOf }) {
    this.#native = native;
    this.#id = id;
    this.#uid = uid;
    this.#text = text;
    this.#parserOf = parserOf;
  }

  /**
   * Publishes a broadcast.
   * @param {any} packet
   * @param {any[]} packets what the server's encoder made of it
   * @param {any} opts as Socket.IO passes them
   * @returns {import('./local-sockets').Remaining} which sockets here do not have it yet
   * @throws {Error} `ERR_ENCODE`
   */
  send(packet, packets, opts) {
    if (this.#text && packets.length === 1 && isSimple(opts)) {
      // By far the most; the native side knows what they mean.
      return remaining(this.#native.broadcast(this.#id, first(opts.rooms) ?? '', packets[0]));
    }
    // Such rooms are local: no socket of another server can be in them.
    if (opts.rooms.size > 0 && ![...opts.rooms].some(crosses)) return 'all';
    const fields = { ...listsOf(opts), flags: opts.flags };
    const room = fields.rooms.length === 1 ? String(fields.rooms[0]) : null;
    if (this.#isNative(packets, opts, fields)) {
      const [text, ...parts] = packets;
      const attachments = encodeOrThrow(() => parts.map(toBuffer));
      return remaining(this.#native.broadcastTo(this.#id, room, text, toJson(fields), attachments));
    }
    const broadcast = { uid: this.#uid, packet, opts: fields };
    const payload = encodeOrThrow(() => wire.encodeBroadcast(broadcast, this.#parserOf));
    this.#native.broadcastPacked(this.#id, room, payload);
    return 'all';
  }

  /**
   * Writes a broadcast for this server alone to the native sockets.
   * @param {any[]} packets what the server's encoder made of it
   * @param {any} opts as Socket.IO passes them
   * @returns {import('./local-sockets').Remaining} which sockets here do not have it yet
   */
  sendHere(packets, opts) {
    const fields = { ...listsOf(opts), flags: opts.flags };
    if (!this.#isNative(packets, opts, fields)) return 'all';
    const [text, ...parts] = packets;
    return remaining(this.#native.broadcastHere(this.#id, text, toJson(fields), parts.map(toBuffer)));
  }

  /** Whether the native side can encode a broadcast, and knows all its rooms. */
  #isNative(/** @type {any[]} */ packets, { rooms, except }, fields) {
    const [text, ...parts] = packets;
    if (!this.#text || !holdsAll(text, parts)) return false;
    const isWhole = fields.rooms.length === rooms.size && fields.except.length === (except?.size ?? 0);
    return isWhole && [...fields.rooms, ...fields.except].every(isJson);
  }
}

/** @param {boolean} javascript whether there are sockets here that JavaScript writes to */
function remaining(javascript) {
  return javascript ? 'own' : 'none';
}

function toJson(fields) {
  return encodeOrThrow(() => JSON.stringify(fields));
}

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

module.exports = { first, Outgoing };
