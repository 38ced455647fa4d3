'use strict';

const { isOneRoom, namesOf, writeFlags } = require('./flags');
const { first } = require('./outgoing');
const { forEachSocket, ReceivedPacket, WriteOptions, writeTo } = require('./socket-io');

const NO_ROOMS = new Set();

/** The sockets of a namespace that are connected to this server, and how broadcasts are written to them. */
class LocalSockets {
  #adapter;

  /** @param {any} adapter of the namespace */
  constructor(adapter) {
    this.#adapter = adapter;
  }

  /**
   * Writes an encoded packet to the sockets that a broadcast is for.
   * @param {Set<string | number>} rooms none means all sockets
   * @param {Set<string | number>} except
   * @param {any} packet for the listeners of `onAnyOutgoing`
   * @param {unknown[]} packets what the encoder made of it
   * @param {{ volatile?: unknown, compress?: unknown }} [flags]
   */
  write(rooms, except, packet, packets, flags = {}) {
    if (rooms.size === 1 && !this.#adapter.rooms.has(first(rooms))) return;
    const options = new WriteOptions(flags, packets);
    this.#forEach(rooms, except, (socket) => writeTo(socket, packet, packets, options));
  }

  /** Calls back with each socket here that a broadcast is for, once. */
  #forEach(rooms, except, callback) {
    const adapter = this.#adapter;
    if (rooms.size !== 1 || except?.size > 0) {
      forEachSocket(adapter, { rooms, except }, callback);
      return;
    }
    // With one room, no socket can come twice.
    const ids = adapter.rooms.get(first(rooms));
    if (ids === undefined) return;
    const { sockets } = adapter.nsp;
    for (const id of ids) {
      const socket = sockets.get(id);
      if (socket !== undefined) callback(socket);
    }
  }

  /**
   * Writes a broadcast of another server, which is ready for sockets.
   * @param {import('../backplane/inbox').Broadcast} broadcast
   */
  writeReady(broadcast) {
    const { flags, rooms, except, text, attachments } = broadcast;
    const packets = attachments.length === 0 ? [text] : [text, ...attachments];
    const packet = new ReceivedPacket(this.#adapter.nsp.name, text, attachments);
    const options = new WriteOptions(writeFlags(flags), packets);
    const excluded = except === '' ? NO_ROOMS : namesOf(except, flags);
    const included = isOneRoom(flags) ? new Set([rooms]) : rooms === '' ? NO_ROOMS : namesOf(rooms, flags);
    options.whileFrameIsIn(broadcast, () => {
      this.#forEach(included, excluded, (/** @type {any} */ socket) => {
        writeTo(socket, packet, packets, options);
      });
    });
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
}

module.exports = { LocalSockets };
