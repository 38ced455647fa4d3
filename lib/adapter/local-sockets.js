'use strict';

const { isOneRoom, namesOf, writeFlags } = require('./flags');
const { first } = require('./outgoing');
const { inRequest } = require('./room-names');
const { forEachSocket, ReceivedPacket, socketsFor, WriteOptions, writeTo } = require('./socket-io');
const { attempt } = require('../backplane/attempt');
const { setImmediate } = require('../timers');

const NO_ROOMS = new Set();
const NO_FLAGS = {};
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

/**
 * Which sockets here JavaScript is to write a broadcast to: all, or those that the native side has not, or none.
 * @typedef {'all' | 'own' | 'none'} Remaining
 */

/** The sockets of a namespace that are connected to this server, and how broadcasts are written to them. */
class LocalSockets {
  #adapter;
  #base;
  /** How many sockets have left a room. */
  #departures = 0;
  /** Those that broadcasts reach without JavaScript. @type {InstanceType<typeof import('./native-sockets').NativeSockets> | null} */
  #nativeSockets = null;

  /**
   * @param {any} adapter of the namespace
   * @param {{ isPatched: () => boolean, broadcast: (packet: any, opts: any) => void }} base its base class:
   *   whether another `broadcast` has been put there, and that one
   */
  constructor(adapter, base) {
    this.#adapter = adapter;
    this.#base = base;
  }

  /** @param {InstanceType<typeof import('./native-sockets').NativeSockets>} nativeSockets */
  useNativeSockets(nativeSockets) {
    this.#nativeSockets = nativeSockets;
  }

  /**
   * Writes an encoded packet to the sockets that a broadcast is for.
   * @param {{ rooms: Set<string | number>, except?: Set<string | number>, flags?: any }} opts of the broadcast
   * @param {any} packet for the listeners of `onAnyOutgoing`
   * @param {unknown[]} packets what the encoder made of it
   * @param {Remaining} [remaining] which of them do not have it yet
   */
  write(opts, packet, packets, remaining = 'all') {
    if (remaining === 'none') return;
    const { rooms, except, flags } = opts;
    if (rooms.size === 1 && !this.#adapter.rooms.has(first(rooms))) return;
    if (this.#base.isPatched()) return this.#writePatched(packet, opts);
    const options = new WriteOptions(flags ?? NO_FLAGS, packets);
    const skipped = remaining === 'own' && this.#nativeSockets?.isBound ? this.#nativeSockets : null;
    this.#forEach(rooms, except, (socket) => {
      if (!skipped?.has(socket.id)) writeTo(socket, packet, packets, options);
    });
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

  /** A socket has left a room: it gets no broadcast to it that is being written. */
  left() {
    this.#departures++;
  }

  /** Calls back with each socket here that a broadcast is for, once. */
  #forEach(rooms, except, callback) {
    const adapter = this.#adapter;
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
  #isLong(rooms, packets) {
    const { size } = rooms.size === 1 ? (this.#adapter.rooms.get(first(rooms)) ?? NO_ROOMS) : this.#adapter.sids;
    return size * packets.length > MAX_WRITES;
  }

  /** Calls back with each socket that a broadcast is for when it begins, one a step. */
  *#inSteps(rooms, except, callback) {
    /** @type {any[]} */
    const sockets = [];
    this.#forEach(rooms, except, (socket) => sockets.push(socket));
    for (const socket of sockets) {
      callback(socket);
      yield;
    }
  }

  /**
   * Writes a broadcast of another server, which is ready for sockets.
   * @param {import('../backplane/inbox').Broadcast} broadcast
   * @returns {Iterator<void> | void} the steps of what takes long
   */
  writeReady(broadcast) {
    const { flags, rooms, except, text, attachments } = broadcast;
    const packets = attachments.length === 0 ? [text] : [text, ...attachments];
    const packet = new ReceivedPacket(this.#adapter.nsp.name, text, attachments);
    const excluded = except === '' ? NO_ROOMS : namesOf(except, flags);
    const included = isOneRoom(flags) ? new Set([rooms]) : rooms === '' ? NO_ROOMS : namesOf(rooms, flags);
    if (this.#base.isPatched()) {
      return this.#writePatched(packet, { rooms: included, except: excluded, flags: writeFlags(flags) });
    }
    const options = new WriteOptions(writeFlags(flags), packets);
    const skipped = this.#nativeSockets?.isBound ? this.#nativeSockets : null;
    const write = (/** @type {any} */ socket) => {
      if (!skipped?.hadReceived(socket.id)) writeTo(socket, packet, packets, options);
    };
    if (this.#isLong(included, packets)) {
      return this.#inSteps(included, excluded, (/** @type {any} */ socket) => {
        options.whileFrameIsIn(broadcast, () => write(socket));
      });
    }
    options.whileFrameIsIn(broadcast, () => this.#forEach(included, excluded, write));
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
