'use strict';

const { connectionOf, isNative } = require('./engine-io');
const { socketOf, watchOutgoing } = require('./socket-io');
const { socketsOf } = require('../websocket/sockets');

/**
 * A socket of the namespace, as the native side knows it.
 * @typedef {object} Member
 * @property {number} number the native side's
 * @property {number} connection the native connection that broadcasts go to; 0 where JavaScript writes them
 * @property {number} received the same for broadcasts of Redis that are handed out now
 * @property {() => void} unwatch
 */

/**
 * Which sockets of a namespace broadcasts reach without the event loop. Until there is one, it costs nothing:
 * with the first the native side gets to know all sockets and their rooms, and from then on what changes.
 */
class NativeSockets {
  #native;
  #id;
  #adapter;
  #backplane;
  #text;
  #bound = false;
  /** @type {any} nothing before it is bound */
  #sockets;
  /** By the sockets' ids. @type {Map<string, Member>} */
  #members = new Map();

  /**
   * @param {object} namespace
   * @param {any} namespace.native a `NativeAdapter`
   * @param {number} namespace.id its number for the namespace
   * @param {any} namespace.adapter
   * @param {InstanceType<typeof import('../backplane').Backplane>} namespace.backplane
   * @param {boolean} namespace.text whether packets are encoded in the standard way; else all are JavaScript's
   */
  constructor({ native, id, adapter, backplane, text }) {
    this.#native = native;
    this.#id = id;
    this.#adapter = adapter;
    this.#backplane = backplane;
    this.#text = text;
    for (const [socket, rooms] of adapter.sids) this.joined(socket, rooms);
  }

  /** Whether there is a native socket, or has been. */
  get isBound() {
    return this.#bound;
  }

  /**
   * A socket has joined rooms, some of them before.
   * @param {string} id
   * @param {Iterable<unknown>} rooms
   */
  joined(id, rooms) {
    if (!this.#bound) {
      if (!this.#text || !isNative(socketOf(this.#adapter.nsp, id)?.conn)) return;
      return this.#bind();
    }
    const { number } = this.#members.get(id) ?? this.#add(id);
    for (const room of rooms) {
      const name = nameOf(room);
      if (name !== undefined) this.#native.joinRoom(this.#id, number, name);
    }
  }

  #bind() {
    this.#bound = true;
    this.#sockets = socketsOf();
    this.#native.useWebSockets(this.#id, this.#sockets.native);
    for (const [id, rooms] of this.#adapter.sids) this.joined(id, rooms);
  }

  #add(id) {
    const socket = socketOf(this.#adapter.nsp, id);
    const connection = socket ? connectionFor(socket) : 0;
    const number = this.#native.addSocket(this.#id, connection);
    const member = { number, connection, received: connection, unwatch: () => {} };
    if (socket) {
      const update = () => this.#update(id, socket);
      const unwatch = [connectionOf(socket.conn).watch(update), watchOutgoing(socket, update)];
      member.unwatch = () => unwatch.forEach((each) => each());
    }
    this.#members.set(id, member);
    return member;
  }

  /** A socket may have become native, or JavaScript's. */
  #update(id, socket) {
    const member = this.#members.get(id);
    const connection = connectionFor(socket);
    if (member === undefined || member.connection === connection) return;
    member.connection = connection;
    const chunk = this.#native.setNative(this.#id, member.number, connection);
    // Broadcasts that were decided about before may still wait to be handed out.
    this.#backplane.whenDrained(chunk, () => {
      member.received = connection;
      if (connection === 0) return;
      this.#sockets.native.uncork(connection);
      this.#sockets.flushSoon();
    });
  }

  /** Has what was broadcast in this tick written at its end. */
  flushSoon() {
    if (this.#bound) this.#sockets.flushSoon();
  }

  /** A socket has left a room. @param {string} id @param {unknown} room */
  left(id, room) {
    const member = this.#members.get(id);
    const name = nameOf(room);
    if (member !== undefined && name !== undefined) this.#native.leaveRoom(this.#id, member.number, name);
  }

  /** A socket has left all rooms: it is gone. @param {string} id */
  gone(id) {
    const member = this.#members.get(id);
    if (member === undefined) return;
    this.#members.delete(id);
    member.unwatch();
    this.#native.removeSocket(this.#id, member.number);
  }

  /** Whether a local broadcast reaches a socket without JavaScript. @param {string} id */
  has(id) {
    const member = this.#members.get(id);
    return member !== undefined && member.connection !== 0;
  }

  /** The same for a broadcast of Redis that is handed out now. @param {string} id */
  hadReceived(id) {
    const member = this.#members.get(id);
    return member !== undefined && member.received !== 0;
  }

  /** JavaScript writes to all sockets from now on. */
  close() {
    this.#bound = false;
    for (const { unwatch } of this.#members.values()) unwatch();
    this.#members.clear();
  }
}

/** The native connection that a socket's broadcasts may go to; 0 where JavaScript must see them. */
function connectionFor(socket) {
  return socket._anyOutgoingListeners?.length > 0 ? 0 : connectionOf(socket.conn).native;
}

/**
 * The name of a room on the native side: a number is another room than its text.
 * @param {unknown} room
 * @returns {string | undefined} nothing for what only JavaScript can name
 */
function nameOf(room) {
  if (typeof room === 'number') return `\0${room}`;
  if (typeof room !== 'string') return undefined;
  return room.startsWith('\0') ? `\0${room}` : room;
}

module.exports = { NativeSockets };
