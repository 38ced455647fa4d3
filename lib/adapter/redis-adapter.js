'use strict';

const types = require('./types');
const { filterOf, listsOf } = require('./cluster');
const { localAdapterOf } = require('./local-adapter');
const { LocalSockets, withSets } = require('./local-sockets');
const { OpenNamespace } = require('./open-namespace');
const { RequestHandler } = require('./request-handler');
const { newId } = require('./requests');
const { crossing } = require('./room-names');
const { adapterBase, collectAcks, engineOf, featuresOf, isPristine, socketOf } = require('./socket-io');
const { MAX_TIMEOUT } = require('../backplane/options');
const { closedError, encodeOrThrow } = require('../errors');
const { queueMicrotask } = require('../timers');
const { isWholeNumber } = require('../values');

/**
 * The adapter of one namespace, in the place of `@socket.io/redis-adapter`'s. It has the same
 * methods and properties.
 */
class RedisAdapter extends adapterBase() {
  #connectionsFor;
  #wire;
  #channels;
  /** The last one that was open. @type {InstanceType<typeof OpenNamespace>} */
  #namespace;
  #localSockets = new LocalSockets(this, {
    isPatched: () => !isPristine(super.broadcast),
    broadcast: (packet, opts) => super.broadcast(packet, opts),
  });
  #parser;
  #parserOf = () => this.parser;
  #requestHandler = new RequestHandler(this.#localAdapter());
  #features;
  #closed = false;
  /** What the server listened with when this was closed. @type {unknown} */
  #lastEngine;
  /** Whether this has been seen to be the namespace's adapter. */
  #attached = false;

  /**
   * @param {any} nsp
   * @param {() => InstanceType<typeof import('./shared-connections').SharedConnections>} connectionsFor opens
   *   connections where there are none
   */
  constructor(nsp, connectionsFor) {
    super(nsp);
    const connections = connectionsFor();
    const { key, requestsTimeout, publishOnSpecificResponseChannel, parser, wire } = connections.settings;
    this.#connectionsFor = connectionsFor;
    this.#wire = wire;
    this.#parser = parser;
    this.#features = featuresOf(this, super.restoreSession);
    /** What marks this server's messages in this namespace. */
    this.uid = newId();
    this.requestsTimeout = requestsTimeout;
    this.publishOnSpecificResponseChannel = publishOnSpecificResponseChannel;
    /** The client objects or whatever else was passed. They are never used. */
    this.pubClient = connections.pubClient;
    this.subClient = connections.subClient;
    this.#channels = wire.channelsOf(key, nsp.name, this.uid);
    this.channel = this.#channels.broadcasts;
    this.requestChannel = this.#channels.requests;
    this.responseChannel = wire.HEARS_OWN ? this.#channels.ownResponses : this.#channels.responses;
    this.specificResponseChannel = this.#channels.ownResponses;
    this.#namespace = this.#open(connections);
    // Socket.IO makes it the namespace's adapter next.
    queueMicrotask(() => this.#isReplaced());
  }

  #open(connections) {
    return new OpenNamespace(this, this.#channels, connections, this.#localSockets, this.#requestHandler);
  }

  #localAdapter() {
    return localAdapterOf(this, {
      namespaceOf: () => this.#namespace,
      wire: () => this.#wire,
      parserOf: this.#parserOf,
      encodes: (packet) => this.#namespace.text || this.#localSockets.encode(packet) !== undefined,
      broadcastWithAck: (packet, opts, count, ack) => this.#collectAcks(packet, opts, count, ack),
    });
  }

  /** Packs what the native side does not: `opts.parser`, else notepack.io. */
  get parser() {
    // Most servers never need it.
    return (this.#parser ??= require('notepack.io'));
  }

  /** What waits for responses of other servers, by its id. @returns {Map<string, unknown>} */
  get requests() {
    return this.#namespace.cluster.requests;
  }

  /** The broadcasts of this server whose acknowledgements may still come, by their ids. @returns {Map<string, unknown>} */
  get ackRequests() {
    return this.#namespace.cluster.ackRequests;
  }

  /** Newer versions of Socket.IO call it once this is the namespace's adapter. */
  init() {
    this.#isReplaced();
    return super.init();
  }

  /** Whether the namespace has another adapter now, after `io.adapter(…)`: nothing closes this one then. */
  #isReplaced() {
    const isCurrent = this.nsp.adapter === this;
    if (isCurrent) this.#attached = true;
    else if (this.#attached) this.close();
    return this.#closed;
  }

  /** Whether there is no way to other servers. After `io.close()` it opens again when the server listens again. */
  #isAlone() {
    if (this.#closed && engineOf(this.nsp.server) !== this.#lastEngine) {
      this.#closed = false;
      this.#namespace = this.#open(this.#connectionsFor());
    }
    return this.#closed || this.#namespace.isOver;
  }

  /**
   * @param {string} event
   * @param {...any} args
   * @returns {boolean}
   */
  emit(event, ...args) {
    if (event === 'leave-room') this.#localSockets.left();
    this.#namespace?.onEvent(event, args);
    return super.emit(event, ...args);
  }

  /**
   * Joins rooms. Where rooms have channels of their own (`subscriptionMode`), the promise resolves
   * once they are subscribed to, or after `requestsTimeout` should Redis be away. It rejects when Redis
   * refuses a subscription, which is asked for again, or the adapter is closed; the sockets are in the
   * rooms all the same.
   * @param {string} id
   * @param {Set<string | number>} rooms
   * @returns {Promise<void> | void}
   */
  addAll(id, rooms) {
    if (this.#closed) this.#isAlone();
    this.#namespace.members.coming(id);
    super.addAll(id, rooms);
    this.#namespace.recovery?.touched(id);
    return this.#namespace.localRooms.confirmed(rooms, this.requestsTimeout);
  }

  /** Has a socket leave all rooms. @param {string} id */
  delAll(id) {
    this.#namespace.recovery?.gone(id);
    super.delAll(id);
    this.#namespace.members.gone(id);
  }

  /**
   * Sends a packet to sockets here and, unless `flags.local`, on the other servers.
   * @param {any} packet
   * @param {any} opts
   * @throws {Error} `ERR_ENCODE` when the arguments hold a cycle or a BigInt, say
   */
  broadcast(packet, opts) {
    opts = withSets(opts);
    packet.nsp = this.nsp.name;
    // What the encoder changes is left to a copy: Redis is to get the packet as it was.
    const encoded = this.#features.encodesInPlace ? { ...packet } : packet;
    const packets = encodeOrThrow(() => this.encoder.encode(encoded));
    let rest;
    if (!(this.#closed && this.#isAlone())) {
      const { outgoing, recovery } = this.#namespace;
      if (recovery?.isInOrder && !opts.flags?.local) return recovery.broadcast(packet, packets, opts);
      rest = opts.flags?.local ? outgoing.sendHere(packets, opts) : outgoing.send(packet, packets, opts);
    }
    this.#localSockets.write(opts, packet, packets, rest, this.#namespace.members.local);
  }

  /**
   * A broadcast of another server, ready for sockets.
   * @param {import('../backplane/inbox').Broadcast} broadcast
   * @returns {Iterator<void> | void} the steps of what takes long
   */
  onBroadcast(broadcast) {
    if (!this.#isReplaced()) return this.#localSockets.writeReady(broadcast, this.#namespace.members.remote);
  }

  /** A message that JavaScript decodes itself. @param {number} kind @param {string} channel @param {Buffer} payload */
  onPayload(kind, channel, payload) {
    if (!this.#isReplaced()) return this.#namespace.incoming.handle(kind, channel, payload);
  }

  /**
   * Sends a packet and collects acknowledgements of clients here and on the other servers.
   * @param {any} packet
   * @param {any} opts
   * @param {(clientCount: number) => void} clientCountCallback called once for each server
   * @param {(...args: any[]) => void} ack called once for each client
   * @throws {Error} `ERR_ENCODE`
   */
  broadcastWithAck(packet, opts, clientCountCallback, ack) {
    opts = withSets(opts);
    packet.nsp = this.nsp.name;
    if (!opts.flags?.local && !this.#isAlone()) {
      const acks = { timeout: this.#ackTimeout(opts), count: clientCountCallback, ack };
      const isText = this.#namespace.text && encodeOrThrow(() => this.encoder.encode({ ...packet })).length === 1;
      this.#namespace.cluster.broadcast({ packet, isText, opts: { ...listsOf(opts), flags: opts.flags } }, acks);
    }
    this.#collectAcks(packet, opts, clientCountCallback, ack);
  }

  #collectAcks(packet, opts, count, ack) {
    collectAcks(this, super.broadcastWithAck, packet, opts, { timeout: this.#ackTimeout(opts), count, ack });
  }

  /** How long acknowledgements may come, in ms. */
  #ackTimeout({ flags }) {
    const timeout = flags?.timeout;
    return isWholeNumber(timeout, 1, MAX_TIMEOUT) ? timeout : this.requestsTimeout;
  }

  /** How many servers take part in the namespace. @returns {Promise<number>} rejects when Redis refuses to say */
  async serverCount() {
    return this.#isAlone() ? 1 : this.#namespace.cluster.count();
  }

  /** All rooms of all servers. @param {any} [opts] `{ partial }` @returns {Promise<Set<string | number>>} */
  async allRooms(opts) {
    const rooms = new Set(this.rooms.keys());
    return this.#isAlone() ? rooms : this.#namespace.cluster.allRooms(rooms, opts);
  }

  /**
   * The sockets of all servers.
   * @param {any} opts `{ rooms, except, flags, partial }`; if `partial` and a server does not
   *   answer, the result has `partial: { expected, received, missing }`
   */
  async fetchSockets(opts) {
    const sockets = await super.fetchSockets(withSets(opts));
    return this.#asksOthers(opts) ? this.#namespace.cluster.fetchSockets(sockets, opts) : sockets;
  }

  /**
   * The ids of the sockets of all servers, without their handshakes and data.
   * @param {any} [opts] `{ rooms, except, flags, partial }`, rooms as arrays or sets
   * @returns {Promise<Set<string>>}
   */
  async fetchSocketIds(opts = {}) {
    const ids = await this.#localIds(opts);
    return this.#asksOthers(opts) ? this.#namespace.cluster.fetchSocketIds(ids, opts) : ids;
  }

  #asksOthers({ flags }) {
    return !flags?.local && !this.#isAlone();
  }

  async #localIds(opts) {
    const sockets = await super.fetchSockets(filterOf(opts));
    return new Set(sockets.map((/** @type {any} */ { id }) => id));
  }

  /**
   * How many sockets there are on all servers.
   * @param {any} [opts] `{ rooms, except, flags, partial }`, rooms as arrays or sets
   * @returns {Promise<number>}
   */
  async countSockets(opts = {}) {
    const ids = await this.#localIds(opts);
    return this.#asksOthers(opts) ? this.#namespace.cluster.countSockets(ids, opts) : ids.size;
  }

  /**
   * The ids of sockets: of all servers up to Socket.IO 4.5, as with the adapters of that time, else of this one.
   * @param {Set<string | number>} rooms none means all sockets
   * @returns {Promise<Set<string>>}
   */
  async sockets(rooms) {
    const ids = await super.sockets(rooms);
    const alone = !this.#features.asksAllForIds || this.#isAlone();
    return alone ? ids : this.#namespace.cluster.sockets(ids, { rooms });
  }

  /**
   * Has one socket join a room, on whatever server it is; `socketsJoin` is newer.
   * @param {string} id
   * @param {string | number} room
   * @returns {Promise<void>} rejects with `ERR_REQUEST_TIMEOUT` when no server has such a socket
   */
  async remoteJoin(id, room) {
    return this.#changeOne(id, (socket) => socket.join(room), { type: types.JOIN_ONE, room });
  }

  /** The same with `leave`. @param {string} id @param {string | number} room @returns {Promise<void>} */
  async remoteLeave(id, room) {
    return this.#changeOne(id, (socket) => socket.leave(room), { type: types.LEAVE_ONE, room });
  }

  /** The same with `disconnect`. @param {string} id @param {boolean} [close] @returns {Promise<void>} */
  async remoteDisconnect(id, close) {
    return this.#changeOne(id, (socket) => socket.disconnect(close), { type: types.DISCONNECT_ONE, close });
  }

  async #changeOne(id, change, request) {
    const socket = socketOf(this.nsp, id);
    if (socket !== undefined) await change(socket);
    else if (this.#isAlone()) throw closedError();
    else await this.#namespace.cluster.changeOne({ ...request, sid: id });
  }

  /**
   * Has sockets join rooms: asks the other servers first, and does it here at once. A listener that throws
   * keeps no socket from joining; what it throws is thrown after.
   * @param {any} opts
   * @param {(string | number)[]} rooms
   */
  addSockets(opts, rooms) {
    if (opts.flags?.local) return super.addSockets(opts, rooms);
    this.#ask(types.JOIN, opts, { rooms: crossing(rooms) }, () => this.#localSockets.join(opts, rooms));
  }

  /** The same with `leave`. @param {any} opts @param {(string | number)[]} rooms */
  delSockets(opts, rooms) {
    if (opts.flags?.local) return super.delSockets(opts, rooms);
    this.#ask(types.LEAVE, opts, { rooms: crossing(rooms) }, () => this.#localSockets.leave(opts, rooms));
  }

  /**
   * Disconnects sockets: asks the other servers first. Here it takes place a turn of the event loop later, so
   * that what is emitted to these sockets now still reaches them.
   * @param {any} opts
   * @param {boolean} close
   */
  disconnectSockets(opts, close) {
    if (opts.flags?.local) return super.disconnectSockets(opts, close);
    this.#ask(types.DISCONNECT, opts, { close }, () => this.#localSockets.disconnectLater(opts, close));
  }

  #ask(type, opts, fields, here) {
    if (this.#isAlone()) here();
    else this.#namespace.cluster.publish({ type, opts: listsOf(opts), ...fields }, here);
  }

  /**
   * Emits an event on the other servers.
   * @param {any[]} packet the event's name and arguments; an acknowledgement may be the last, which gets
   *   `ERR_CLOSED` where this adapter is closed; without one, that is an event `error`
   * @throws {Error} `ERR_ENCODE`
   */
  serverSideEmit(packet) {
    if (!this.#isAlone()) return this.#namespace.cluster.serverSideEmit(packet);
    const ack = packet[packet.length - 1];
    if (typeof ack === 'function') queueMicrotask(() => ack(closedError(), []));
    else if (this.listenerCount('error') > 0) this.emit('error', closedError());
  }

  /** Writes the session of a socket whose connection has broken, on streams. @param {any} session */
  persistSession(session) {
    if (!this.#isAlone()) this.#namespace.recovery?.persist(session);
  }

  /** What a socket needs that comes back, see `Recovery`; null where none can. @param {string} pid @param {string} offset */
  async restoreSession(pid, offset) {
    return this.#isAlone() ? null : (this.#namespace.recovery?.restore(pid, offset) ?? null);
  }

  /** What is counted, queued and connected, for all namespaces on these connections. */
  stats() {
    return this.#namespace.stats();
  }

  /**
   * @returns {Promise<void>} resolves once Redis has confirmed all subscriptions of the namespace and the
   *   publishing connection is up, if Redis is away once it is back; rejects with
   *   `ERR_SUBSCRIPTION_REFUSED` when Redis refuses one, and with `ERR_CLOSED` when the adapter is closed
   */
  async ready() {
    if (this.#isAlone()) throw closedError();
    return this.#namespace.ready();
  }

  /**
   * Leaves all channels of the namespace. What was published leaves still, and holds the process until then
   * (for `commandTimeout` at most) should this have been the last namespace.
   * @returns {Promise<void>} resolves at once
   */
  async close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#lastEngine = engineOf(this.nsp.server);
    this.#namespace.close();
  }
}

module.exports = { RedisAdapter };
