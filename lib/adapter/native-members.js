'use strict';

const { engineFor, isObserved, watchOutgoing } = require('./engine-io');
const { isTold, toldName } = require('./room-names');
const { socketOf } = require('./socket-io');
const { socketsOf } = require('../websocket/sockets');
const { nextTick } = require('../timers');

/** A socket here, as the native side knows it. */
class Member {
  /** Its number there; 0 until it has one. */
  number = 0;
  /** The native connection that what is broadcast here is written to; 0: JavaScript writes it. */
  connection = 0;
  /** The same for broadcasts of other servers that JavaScript is being handed. */
  remote = 0;
  /** @type {any} nothing as long as it is not connected to the namespace */
  socket = undefined;
  /** @type {ReturnType<typeof engineFor>} nothing where it cannot become native */
  engine = undefined;
  /** @type {() => void} */
  onChange = () => {};

  /** @param {string} id */
  constructor(id) {
    this.id = id;
  }

  /** The connection that it should have by now. */
  get wanted() {
    return this.engine === undefined || isObserved(this.socket) ? 0 : this.engine.connection;
  }
}

/**
 * The sockets of a namespace that JavaScript has to write a broadcast to, since they are not native: those of
 * now, or those of when the broadcasts arrived that JavaScript is being handed.
 */
class Others {
  #adapter;
  #members;
  #connectionOf;

  /**
   * @param {any} adapter of the namespace
   * @param {Map<string, Member>} members among which they are
   * @param {(member: Member) => number} connectionOf 0 for those that are meant
   */
  constructor(adapter, members, connectionOf) {
    this.#adapter = adapter;
    this.#members = members;
    this.#connectionOf = connectionOf;
  }

  /** How many there may be. */
  get size() {
    return this.#members.size;
  }

  /** @param {string} id */
  has(id) {
    const member = this.#members.get(id);
    return member !== undefined && this.#connectionOf(member) === 0;
  }

  /**
   * Calls back with each of these sockets that a broadcast is for.
   * @param {Set<unknown>} rooms none stands for all sockets
   * @param {Set<unknown> | undefined} except
   * @param {(socket: any) => void} callback
   */
  forEach(rooms, except, callback) {
    // A copy: listeners that the callback calls may have others come and go.
    for (const { id } of [...this.#members.values()]) {
      if (!this.has(id) || (rooms.size > 0 && !this.#isIn(id, rooms)) || this.#isIn(id, except)) continue;
      const socket = socketOf(this.#adapter.nsp, id);
      if (socket !== undefined) callback(socket);
    }
  }

  #isIn(id, rooms) {
    if (rooms === undefined) return false;
    for (const room of rooms) if (this.#adapter.rooms.get(room)?.has(id)) return true;
    return false;
  }
}

/**
 * Tells the native side which sockets of a namespace are in which rooms, and which of them it writes to by
 * itself: at once, and in the order in which it happens. It knows of none until the first one is native.
 */
class NativeMembers {
  #adapter;
  #useWebSockets;
  #whenDrained;
  #isWritable;
  /** Nothing until the native side knows the namespace's sockets. @type {ReturnType<typeof socketsOf> | null} */
  #sockets = null;
  /** A `NativeFanout`, once there are {@link NativeMembers.#sockets}. @type {any} */
  #fanout = null;
  /** Before that, those that may become native. @type {Map<string, Member>} */
  #members = new Map();
  /** Those that JavaScript writes to, be it what is broadcast now or what has arrived before. @type {Map<string, Member>} */
  #others = new Map();
  #local;
  #remote;
  /** What ends that connections hold broadcasts of other servers, in the order in which it began. @type {Set<() => void>} */
  #held = new Set();
  /** Whether all sockets are JavaScript's, since something else writes to them. */
  #isReleased = false;
  #closed = false;

  /**
   * @param {object} namespace
   * @param {any} namespace.adapter
   * @param {(sockets: any) => any} namespace.useWebSockets has broadcasts written to the connections of a
   *   `NativeWebSockets`, and gives the native side's `NativeFanout`
   * @param {(chunk: number, callback: () => void) => void} namespace.whenDrained see `Backplane`
   * @param {() => boolean} namespace.isWritable whether sockets get what the native side would write to them
   */
  constructor({ adapter, useWebSockets, whenDrained, isWritable }) {
    this.#adapter = adapter;
    this.#useWebSockets = useWebSockets;
    this.#whenDrained = whenDrained;
    this.#isWritable = isWritable;
    this.#local = new Others(adapter, this.#others, ({ connection }) => connection);
    this.#remote = new Others(adapter, this.#others, ({ remote }) => remote);
    for (const sid of adapter.sids.keys()) this.coming(sid);
  }

  /** The sockets that JavaScript writes what is broadcast here to; null where these are all. @returns {Others | null} */
  get local() {
    return this.#isBound() ? this.#local : null;
  }

  /** The same for the broadcast of another server that is being handed out. @returns {Others | null} */
  get remote() {
    return this.#isBound() ? this.#remote : null;
  }

  #isBound() {
    if (this.#sockets === null) return false;
    if (!this.#isReleased && !this.#isWritable()) {
      this.#isReleased = true;
      for (const member of this.#members.values()) this.#refresh(member);
    }
    return true;
  }

  /** Has the native side write what was broadcast, at the end of the tick. */
  flushSoon() {
    this.#sockets?.flushSoon();
  }

  /** A socket is about to join rooms. @param {string} id */
  coming(id) {
    const member = this.#members.get(id);
    if (member?.socket !== undefined || this.#closed) return;
    const socket = socketOf(this.#adapter.nsp, id);
    const engine = engineFor(socket);
    if (member === undefined && engine === undefined && this.#sockets === null) return;
    const known = member ?? new Member(id);
    this.#members.set(id, known);
    if (socket !== undefined) this.#attach(known, socket, engine);
    // The native side learns of the others first.
    if (this.#sockets === null && known.wanted !== 0) this.#bind(known);
    if (this.#sockets !== null && known.number === 0) this.#tell(known);
    this.#refresh(known);
  }

  #attach(member, socket, engine) {
    member.socket = socket;
    member.engine = engine;
    if (engine === undefined) return;
    member.onChange = () => this.#refresh(member);
    engine.onChange(member.onChange);
    watchOutgoing(socket, member.onChange);
  }

  /** Tells the native side of all sockets in the namespace. @param {Member} [newcomer] which follows later unless it is in rooms */
  #bind(newcomer) {
    if (!this.#isWritable()) return;
    this.#sockets = socketsOf();
    this.#fanout = this.#useWebSockets(this.#sockets.native);
    for (const [id, rooms] of this.#adapter.sids) {
      const member = this.#members.get(id) ?? new Member(id);
      this.#members.set(id, member);
      member.number = this.#fanout.add(0);
      this.#others.set(id, member);
      for (const room of rooms) this.joined(room, id);
    }
    for (const member of this.#members.values()) if (member !== newcomer) this.#refresh(member);
  }

  /** Tells of a socket that is in no room. */
  #tell(member) {
    const { engine } = member;
    // What holds broadcasts is undone in its order.
    const connection = this.#isWritable() && engine?.holds === 0 ? member.wanted : 0;
    if (connection === 0) {
      this.#others.set(member.id, member);
    } else {
      // Socket.IO tells the client that it is connected when it has joined its first room.
      this.#sockets?.native.cork(connection);
      nextTick(this.#hold(connection));
    }
    member.connection = member.remote = connection;
    member.number = this.#fanout.add(connection);
  }

  /** Changes who writes to a socket, where that is due. */
  #refresh(member) {
    if (this.#closed || this.#members.get(member.id) !== member) return;
    const connection = this.#isWritable() ? member.wanted : 0;
    if (this.#sockets === null && connection !== 0) return this.#bind();
    if (this.#sockets === null || member.number === 0 || connection === member.connection) return;
    member.connection = connection;
    this.#others.set(member.id, member);
    const chunk = this.#fanout.setNative(member.number, connection);
    // What has arrived before may wait for JavaScript, which writes it.
    const release = connection === 0 ? () => {} : this.#hold(connection, member.engine);
    this.#whenDrained(chunk, () => {
      member.remote = connection;
      const isOther = member.connection === 0 || member.remote === 0;
      if (!isOther && this.#others.get(member.id) === member) this.#others.delete(member.id);
      release();
    });
  }

  /** A connection holds broadcasts of other servers. @returns {() => void} has it write them */
  #hold(connection, engine = { holds: 0 }) {
    const { native } = /** @type {ReturnType<typeof socketsOf>} */ (this.#sockets);
    const release = () => {
      if (!this.#held.delete(release)) return;
      engine.holds--;
      native.uncork(connection);
      this.flushSoon();
    };
    engine.holds++;
    this.#held.add(release);
    this.flushSoon();
    return release;
  }

  /** A socket has joined a room. @param {any} room @param {string} id */
  joined(room, id) {
    if (this.#sockets === null || !isTold(room)) return;
    const member = this.#members.get(id);
    if (member !== undefined) this.#fanout.join(member.number, toldName(room));
  }

  /** A socket has left a room. @param {any} room @param {string} id */
  left(room, id) {
    if (this.#sockets === null || !isTold(room)) return;
    const member = this.#members.get(id);
    if (member !== undefined) this.#fanout.leave(member.number, toldName(room));
  }

  /** A socket has left all rooms, and gets no broadcasts. @param {string} id */
  gone(id) {
    const member = this.#members.get(id);
    if (member === undefined) return;
    member.engine?.offChange(member.onChange);
    this.#members.delete(id);
    this.#others.delete(id);
    if (member.number !== 0) this.#fanout.remove(member.number);
  }

  /** JavaScript writes to all sockets from now on. */
  close() {
    this.#closed = true;
    for (const release of this.#held) release();
    for (const { engine, onChange } of this.#members.values()) engine?.offChange(onChange);
    this.#members.clear();
    this.#others.clear();
    this.#sockets = null;
  }
}

module.exports = { NativeMembers, Others };
