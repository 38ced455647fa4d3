'use strict';

const { listsOf } = require('./cluster');
const { crosses, isTold } = require('./room-names');
const { encodeOrThrow } = require('../errors');

/** To whom JavaScript has to write a broadcast: what the native side does not. */
const Rest = Object.freeze({ NONE: 'none', OTHERS: 'others', ALL: 'all' });

/**
 * Sends the broadcasts of a namespace to the other servers, and has the native side write them to native sockets
 * here: as text, of which the native side makes MessagePack, or packed here where it cannot.
 */
class Outgoing {
  #native;
  #id;
  #wire;
  #uid;
  #nsp;
  #text;
  #parserOf;
  #members;

  /**
   * @param {object} namespace
   * @param {any} namespace.native a `NativeAdapter`
   * @param {number} namespace.id its number for the namespace
   * @param {import('./options').Wire} namespace.wire
   * @param {string} namespace.nsp its name
   * @param {string} namespace.uid what marks this server's messages
   * @param {boolean} namespace.text whether the server's encoder and parser are the standard ones
   * @param {() => import('./wire/common').Parser} namespace.parserOf loads the parser
   * @param {InstanceType<typeof import('./native-members').NativeMembers>} namespace.members
   */
  constructor({ native, id, wire, nsp, uid, text, parserOf, members }) {
    this.#native = native;
    this.#id = id;
    this.#wire = wire;
    this.#nsp = nsp;
    this.#uid = uid;
    this.#text = text;
    this.#parserOf = parserOf;
    this.#members = members;
  }

  /**
   * Publishes a broadcast.
   * @param {any} packet
   * @param {any[]} packets what the server's encoder made of it
   * @param {any} opts as Socket.IO passes them
   * @returns {string} one of {@link Rest}
   * @throws {Error} `ERR_ENCODE`
   */
  send(packet, packets, opts) {
    const isBound = this.#members.local !== null;
    if (this.#text && packets.length === 1 && isSimple(opts)) {
      const room = first(opts.rooms) ?? '';
      // By far the most; the native side knows what they mean.
      if (!isBound || isTold(room)) return this.#rest(isBound, this.#native.broadcast(this.#id, room, packets[0]));
    }
    // Such rooms are local: no socket of another server can be in them.
    if (opts.rooms.size > 0 && ![...opts.rooms].some(crosses)) return Rest.ALL;
    const fields = { ...listsOf(opts), flags: opts.flags };
    const room = fields.rooms.length === 1 ? String(fields.rooms[0]) : null;
    const [text, ...parts] = packets;
    const isNative = isBound && areTold(opts);
    if (this.#isText(text, parts, fields) && (!isNative || parts.every(isSameHere))) {
      const { json, attachments } = encoded(fields, parts);
      return this.#rest(isNative, this.#native.broadcastTo(this.#id, room, text, json, attachments));
    }
    const broadcast = { uid: this.#uid, packet, opts: fields };
    const payload = encodeOrThrow(() => this.#wire.encodeBroadcast(broadcast, this.#parserOf, this.#nsp));
    this.#native.broadcastPacked(this.#id, room, payload);
    return Rest.ALL;
  }

  /**
   * Has the native side write a broadcast that is for this server alone.
   * @param {any[]} packets what the server's encoder made of it
   * @param {any} opts as Socket.IO passes them
   * @returns {string} one of {@link Rest}
   * @throws {Error} `ERR_ENCODE`
   */
  sendHere([text, ...parts], opts) {
    if (this.#members.local === null || !areTold(opts)) return Rest.ALL;
    const fields = { ...listsOf(opts), flags: opts.flags };
    if (!this.#isText(text, parts, fields) || !parts.every(isSameHere)) return Rest.ALL;
    const { json, attachments } = encoded(fields, parts);
    return this.#rest(true, this.#native.broadcastHere(this.#id, text, json, attachments));
  }

  /**
   * Adds a broadcast to the stream, and writes it to nobody.
   * @param {any} packet
   * @param {any[]} packets what the server's encoder made of it
   * @param {any} opts as Socket.IO passes them
   * @param {() => number} ticketOf gives the ticket under which Redis' answer comes
   * @throws {Error} `ERR_ENCODE`
   */
  add(packet, [text, ...parts], opts, ticketOf) {
    const fields = { ...listsOf(opts), flags: opts.flags };
    if (this.#isText(text, parts, fields)) {
      const { json, attachments } = encoded(fields, parts);
      return this.#native.addBroadcast(this.#id, text, json, attachments, ticketOf());
    }
    const broadcast = { uid: this.#uid, packet, opts: fields };
    const data = encodeOrThrow(() => this.#wire.encodeBroadcast(broadcast, this.#parserOf, this.#nsp));
    this.#native.addPacked(this.#id, data, ticketOf());
  }

  /** Whether the native side can take a broadcast as text. */
  #isText(text, parts, { rooms, except }) {
    if (this.#wire.PLAINTEXT && parts.length > 0) return false;
    return this.#text && holdsAll(text, parts) && [...rooms, ...except].every(isJson);
  }

  /** @param {boolean} isNative whether the native side has written @param {boolean} hasOthers whether there are others */
  #rest(isNative, hasOthers) {
    if (!isNative) return Rest.ALL;
    this.#members.flushSoon();
    return hasOthers ? Rest.OTHERS : Rest.NONE;
  }
}

/** A broadcast's options and binary parts as the native side takes them. */
function encoded(fields, parts) {
  const attachments = encodeOrThrow(() => parts.map(toBuffer));
  return { json: encodeOrThrow(() => JSON.stringify(fields)), attachments };
}

/** Whether the native side knows who is in the rooms of a broadcast. */
function areTold({ rooms, except }) {
  return [...rooms].every(isTold) && (except === undefined || [...except].every(isTold));
}

/** Whether sockets here get the same of a binary part as those of other servers, whose parts notepack.io makes. */
function isSameHere(part) {
  return part instanceof ArrayBuffer || (part.BYTES_PER_ELEMENT === 1 && !(part instanceof DataView));
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

module.exports = { first, Outgoing, Rest };
