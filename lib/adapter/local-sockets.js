'use strict';

const { isOneRoom, namesOf, writeFlags } = require('./flags');
const { first, Rest } = require('./outgoing');
const { inRequest } = require('./room-names');
const { forEachSocket, ReceivedPacket, socketsFor, WriteOptions, writeTo } = require('./socket-io');
const { attempt } = require('../backplane/attempt');
const { setImmediate } = require('../timers');

const NO_ROOMS = new Set();
const NO_FLAGS = {};
/**
 * The sockets that JavaScript writes to, where these are not all.
 * @typedef {InstanceType<typeof import('./native-members').Others> | null} Others
 */
/** What is written at once: a real WebSocket takes about 15 µs. */
const MAX_WRITES = 1000;

/**
 * The options of a broadcast or a request with their rooms as sets, as the base class needs them.
 * @param {any} opts
 */
function withSets(opts) {
  const { rooms, except } = opts;
  if (!Array.isArray(rooms) && !Array.isArray(except)) return opts;
  return { ...opts, rooms: new Set(rooms), except: new Set(except) };
}

/**
 * The filter of a request, as the other servers get it.
 * @param {any} opts
 */
function asRequested({ rooms, except }) {
  return { rooms: new Set(Array.from(rooms, inRequest)), except: new Set(Array.from(except ?? [], inRequest)) };
}

/** The sockets of a namespace that are connected to this server, and how broadcasts are written to them. */
class LocalSockets {
  #adapter;
  #base;
  /** How many sockets have left a room. */
  #departures = 0;

  /**
   * @param {any} adapter of the namespace
   * @param {{ isPatched: () => boolean, broadcast: (packet: any, opts: any) => void }} base its base class:
   *   whether another `broadcast` has been put there, and that one
   */
  constructor(adapter, base) {
    this.#adapter = adapter;
    this.#base = base;
  }

  /**
   * Writes an encoded packet to the sockets that a broadcast is for.
   * @param {{ rooms: Set<string | number>, except?: Set<string | number>, flags?: any }} opts of the broadcast
   * @param {any} packet for the listeners of `onAnyOutgoing`
   * @param {unknown[]} packets what the encoder made of it
   * @param {string} [rest] who has not got it yet, one of `Rest`
   * @param {Others} [others]
   */
  write(opts, packet, packets, rest = Rest.ALL, others = null) {
    const { rooms, except, flags } = opts;
    if (rest === Rest.NONE || (rooms.size === 1 && !this.#adapter.rooms.has(first(rooms)))) return;
    if (this.#base.isPatched()) return this.#writePatched(packet, opts);
    const options = new WriteOptions(flags ?? NO_FLAGS, packets);
    const only = rest === Rest.OTHERS ? others : null;
    this.#forEach(rooms, except, (socket) => writeTo(socket, packet, packets, options), only);
  }

  /**
   * The same for a packet of another server.
   * @param {{ rooms: Set<string | number>, except: Set<string | number>, flags?: any }} opts
   * @param {any} packet
   * @param {unknown[]} packets
   * @returns {Iterator<void> | void} the steps of what takes long
   */
  writeReceived(opts, packet, packets) {
    const { rooms, except, flags } = opts;
    if (this.#base.isPatched() || !this.#isLong(rooms, packets)) return this.write(opts, packet, packets);
    const options = new WriteOptions(flags ?? NO_FLAGS, packets);
    return this.#inSteps(rooms, except, (/** @type {any} */ socket) => writeTo(socket, packet, packets, options));
  }

  /**
   * As by `io.attachApp`, whose sockets are reached by topics of uWebSockets.js.
   * @param {any} packet
   * @param {any} opts
   */
  #writePatched({ type, data, nsp, id }, { rooms, except, flags }) {
    this.#base.broadcast({ type, data, nsp, id }, { rooms, except: except ?? NO_ROOMS, flags });
  }

  /** Whether something else writes what is broadcast: see {@link writePatched}. */
  get isPatched() {
    return this.#base.isPatched();
  }

  /** A socket has left a room: it gets no broadcast to it that is being written. */
  left() {
    this.#departures++;
  }

  /**
   * Calls back with each socket here that a broadcast is for, once.
   * @param {any} rooms
   * @param {any} except
   * @param {(socket: any) => void} callback
   * @param {Others} [only]
   */
  #forEach(rooms, except, callback, only = null) {
    const adapter = this.#adapter;
    if (only !== null) {
      if (only.size <= this.#sizeOf(rooms)) return only.forEach(rooms, except, callback);
      return this.#forEach(rooms, except, (socket) => only.has(socket.id) && callback(socket));
    }
    if (rooms.size !== 1 || except?.size > 0) {
      forEachSocket(adapter, { rooms, except }, callback);
      return;
    }
    const ids = adapter.rooms.get(first(rooms));
    if (ids === undefined) return;
    const { sockets } = adapter.nsp;
    const before = this.#departures;
    // A copy: a socket that leaves and joins again would come again, and so for ever.
    for (const id of [...ids]) {
      if (this.#departures !== before && !ids.has(id)) continue;
      const socket = sockets.get(id);
      if (socket !== undefined) callback(socket);
    }
  }

  /** Whether so much is to be written that other work should have its turns meanwhile. */
  #isLong(rooms, packets, /** @type {Others} */ only = null) {
    const size = Math.min(this.#sizeOf(rooms), only?.size ?? Infinity);
    return size * packets.length > MAX_WRITES;
  }

  /** How many sockets may be in rooms. */
  #sizeOf(rooms) {
    return (rooms.size === 1 ? (this.#adapter.rooms.get(first(rooms)) ?? NO_ROOMS) : this.#adapter.sids).size;
  }

  /** Calls back with each socket that a broadcast is for when it begins, one a step. */
  *#inSteps(rooms, except, callback, /** @type {Others} */ only = null) {
    /** @type {any[]} */
    const sockets = [];
    this.#forEach(rooms, except, (socket) => sockets.push(socket), only);
    for (const socket of sockets) {
      callback(socket);
      yield;
    }
  }

  /**
   * Writes a broadcast of another server, which is ready for sockets.
   * @param {import('../backplane/inbox').Broadcast} broadcast
   * @param {Others} others who has not got it yet; null: everybody
   * @returns {Iterator<void> | void} the steps of what takes long
   */
  writeReady(broadcast, others) {
    if (others?.size === 0) return;
    const { flags, rooms, except, text, attachments } = broadcast;
    const packets = attachments.length === 0 ? [text] : [text, ...attachments];
    const packet = new ReceivedPacket(this.#adapter.nsp.name, text, attachments);
    const excluded = except === '' ? NO_ROOMS : namesOf(except, flags);
    const included = isOneRoom(flags) ? new Set([rooms]) : rooms === '' ? NO_ROOMS : namesOf(rooms, flags);
    if (this.#base.isPatched()) {
      return this.#writePatched(packet, { rooms: included, except: excluded, flags: writeFlags(flags) });
    }
    const options = new WriteOptions(writeFlags(flags), packets);
    const write = (/** @type {any} */ socket) => writeTo(socket, packet, packets, options);
    if (!this.#isLong(included, packets, others)) {
      return options.whileFrameIsIn(broadcast, () => this.#forEach(included, excluded, write, others));
    }
    const writeOne = (/** @type {any} */ socket) => options.whileFrameIsIn(broadcast, () => write(socket));
    return this.#inSteps(included, excluded, writeOne, others);
  }

  /**
   * Encodes a packet of another server, and leaves it as it is.
   * @param {any} packet
   * @returns {unknown[] | undefined} nothing when that cannot be done
   */
  encode(packet) {
    try {
      return this.#adapter.encoder.encode({ ...packet });
    } catch {
      return undefined;
    }
  }

  /**
   * Has sockets here join rooms.
   * @param {any} opts which
   * @param {any} rooms
   * @throws what listeners throw, when all is done
   */
  join(opts, rooms) {
    this.#change(opts, Array.from(rooms, inRequest), (socket, room) => socket.join(room));
  }

  /**
   * Has sockets here leave rooms.
   * @param {any} opts which
   * @param {any} rooms
   * @throws what listeners throw, when all is done
   */
  leave(opts, rooms) {
    this.#change(opts, Array.from(rooms, inRequest), (socket, room) => socket.leave(room));
  }

  /** Calls back with each socket and each of some values; what that throws does not keep others from it. */
  #change(opts, values, change) {
    /** @type {unknown[]} */
    const errors = [];
    forEachSocket(this.#adapter, asRequested(opts), (/** @type {any} */ socket) => {
      for (const value of values) {
        try {
          change(socket, value);
        } catch (error) {
          errors.push(error);
        }
      }
    });
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, 'Several listeners of sockets have thrown');
  }

  /**
   * Disconnects sockets that are here now, a turn of the event loop later. What listeners throw is an
   * uncaught exception.
   * @param {any} opts which
   * @param {boolean} close
   */
  disconnectLater(opts, close) {
    const sockets = socketsFor(this.#adapter, asRequested(opts));
    if (sockets.length === 0) return;
    setImmediate(() => {
      for (const socket of sockets) attempt(socket.disconnect, socket, [close]);
    });
  }
}

module.exports = { LocalSockets, withSets };
