'use strict';

const types = require('./types');
const { channelOfServer, channelsOf } = require('./channels');
const { Cluster, filterOf, listsOf } = require('./cluster');
const { Incoming } = require('./incoming');
const { LocalRooms } = require('./local-rooms');
const { LocalSockets } = require('./local-sockets');
const { Outgoing } = require('./outgoing');
const { RequestHandler } = require('./request-handler');
const { newId } = require('./requests');
const { crossing } = require('./room-names');
const { adapterBase, collectAcks, encodesText, featuresOf, socketOf } = require('./socket-io');
const wire = require('./wire/classic');
const { SubscriptionMode } = require('../backplane/binding');
const { rethrow } = require('../backplane/inbox');
const { MAX_TIMEOUT } = require('../backplane/options');
const { encodeOrThrow } = require('../errors');
const { isWholeNumber } = require('../values');

/**
 * The adapter of one namespace, in the place of `@socket.io/redis-adapter`'s. It has the same
 * methods and properties.
 */
class RedisAdapter extends adapterBase() {
  #connections;
  #id;
  #outgoing;
  #localRooms;
  #localSockets = new LocalSockets(this);
  #cluster;
  #incoming;
  #parser;
  #parserOf = () => this.parser;
  #features;
  #closed = false;

  /** @param {any} nsp @param {InstanceType<typeof import('./shared-connections').SharedConnections>} connections */
  constructor(nsp, connections) {
    super(nsp);
    const { key, requestsTimeout, publishOnSpecificResponseChannel, parser, mode, limits } = connections.settings;
    this.#connections = connections;
    this.#parser = parser;
    this.#features = featuresOf(this);
    /** What marks this server's messages in this namespace. */
    this.uid = newId();
    this.requestsTimeout = requestsTimeout;
    this.publishOnSpecificResponseChannel = publishOnSpecificResponseChannel;
    /** The client objects or whatever else was passed. They are never used. */
    this.pubClient = connections.pubClient;
    this.subClient = connections.subClient;
    const channels = channelsOf(key, nsp.name, this.uid);
    this.channel = channels.broadcasts;
    this.requestChannel = channels.requests;
    this.responseChannel = channels.responses;
    this.specificResponseChannel = channels.ownResponses;

    const { native, inbox, backplane } = connections;
    const text = parser === undefined && encodesText(nsp.server);
    const opening = { nsp: nsp.name, uid: this.uid, channels, mode, raw: !text, limits, requestsTimeout };
    const id = native.openNamespace(opening);
    this.#id = id;
    this.#outgoing = new Outgoing({ native, id, uid: this.uid, text, parserOf: this.#parserOf });
    inbox.addNamespace(id, this);
    this.#localRooms = new LocalRooms({
      update: (added, removed, tickets) => native.changeRooms(id, added, removed, tickets),
      beforeDrain: (callback) => backplane.beforeDrain(callback),
      registerCallback: mode === SubscriptionMode.Pattern ? null : (callback) => inbox.registerCallback(callback),
      isDegraded: () => backplane.events.isDegraded,
    });
    this.on('create-room', (/** @type {string | number} */ room) => this.#localRooms.roomCreated(room));
    this.on('delete-room', (/** @type {string | number} */ room) => this.#localRooms.roomDeleted(room));
    this.#cluster = new Cluster(this.#context(channels));
    this.#incoming = new Incoming({
      uid: this.uid,
      nsp: nsp.name,
      limits,
      parserOf: this.#parserOf,
      localSockets: this.#localSockets,
      requestHandler: new RequestHandler(this.#localAdapter(text)),
      cluster: this.#cluster,
      malformed: (channel) => this.#backplane.malformed(channel),
    });
  }

  /** @returns {import('./cluster').Context} */
  #context(channels) {
    return {
      uid: this.uid,
      timeoutOf: () => this.requestsTimeout,
      partial: this.#connections.settings.partial,
      channels,
      encode: (request) => wire.encodeRequest(request, this.#parserOf),
      publish: (channel, payload) => this.#publish(channel, payload),
      pubsub: (args) => this.#pubsub(args),
      awaitResponses: (awaits) => this.#connections.native.awaitResponses(this.#id, awaits),
      emit: (event, details) => this.emit(event, details),
    };
  }

  /** @param {boolean} text whether packets are encoded in the standard way @returns {import('./request-handler').LocalAdapter} */
  #localAdapter(text) {
    return {
      adapter: this,
      broadcastWithAck: (packet, opts, count, ack) => this.#collectAcks(packet, opts, count, ack),
      hasRequest: (requestId) => this.#cluster.hasRequest(requestId),
      respond: (request, response) => this.#respond(request, response),
      encodeResponse: (response) => wire.encodeResponse(response, this.#parserOf),
      respondToAll: (response) => this.#publish(this.responseChannel, response),
      // The standard encoder takes whatever is valid.
      encodes: (packet) => text || this.#localSockets.encode(packet) !== undefined,
      report: (error) => this.#connections.backplane.events.emitError(error),
    };
  }

  /** Packs what the native side does not: `opts.parser`, else notepack.io. */
  get parser() {
    // Most servers never need it.
    return (this.#parser ??= require('notepack.io'));
  }

  /** What waits for responses of other servers, by its id. @returns {Map<string, unknown>} */
  get requests() {
    return this.#cluster.requests;
  }

  /** The broadcasts of this server whose acknowledgements may still come, by their ids. @returns {Map<string, unknown>} */
  get ackRequests() {
    return this.#cluster.ackRequests;
  }

  /** The native side of the connections. */
  get #backplane() {
    return this.#connections.backplane.native;
  }

  #publish(channel, payload) {
    // The native side sees by requests which rooms other servers are about to subscribe to.
    if (channel === this.requestChannel) this.#connections.native.request(this.#id, channel, payload);
    else this.#backplane.publishPacked(channel, payload);
  }

  #pubsub(args) {
    return new Promise((resolve, reject) => {
      const answer = (/** @type {Error | null} */ error, /** @type {any[]} */ list) =>
        error ? reject(error) : resolve(list);
      this.#backplane.pubsub(args, this.#connections.inbox.registerCallback(answer));
    });
  }

  #respond(request, response) {
    const specific =
      this.publishOnSpecificResponseChannel ||
      request.type === types.COUNT_SOCKETS ||
      request.type === types.SOCKET_IDS;
    this.#publish(specific ? channelOfServer(this.responseChannel, request.uid) : this.responseChannel, response);
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
    super.addAll(id, rooms);
    return this.#localRooms.confirmed(rooms, this.requestsTimeout);
  }

  /**
   * Sends a packet to sockets here and, unless `flags.local`, on the other servers.
   * @param {any} packet
   * @param {any} opts
   * @throws {Error} `ERR_ENCODE` when the arguments hold a cycle or a BigInt, say
   */
  broadcast(packet, opts) {
    packet.nsp = this.nsp.name;
    // What the encoder changes is left to a copy: Redis is to get the packet as it was.
    const encoded = this.#features.encodesInPlace ? { ...packet } : packet;
    const packets = encodeOrThrow(() => this.encoder.encode(encoded));
    if (!opts.flags?.local) this.#outgoing.send(packet, packets, opts);
    this.#localSockets.write(opts.rooms, opts.except, packet, packets, opts.flags);
  }

  /**
   * A broadcast of another server, ready for sockets.
   * @param {import('../backplane/inbox').Broadcast} broadcast
   */
  onBroadcast(broadcast) {
    this.#localSockets.writeReady(broadcast);
  }

  /**
   * A message that JavaScript decodes itself.
   * @param {number} kind
   * @param {string} channel
   * @param {Buffer} payload
   * @returns {Iterator<void> | void} the steps that it takes
   */
  onPayload(kind, channel, payload) {
    return this.#incoming.handle(kind, channel, payload);
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
    packet.nsp = this.nsp.name;
    if (!opts.flags?.local) {
      const requestId = newId();
      const fields = { ...listsOf(opts), flags: opts.flags };
      const request = { type: types.BROADCAST, uid: this.uid, requestId, packet, opts: fields };
      const payload = encodeOrThrow(() => wire.encodeRequest(request, this.#parserOf));
      this.#cluster.registerAcks(requestId, this.#ackTimeout(opts), clientCountCallback, ack);
      this.#publish(this.requestChannel, payload);
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
  serverCount() {
    return this.#cluster.count();
  }

  /** All rooms of all servers. @param {any} [opts] `{ partial }` @returns {Promise<Set<string | number>>} */
  allRooms(opts) {
    return this.#cluster.allRooms(new Set(this.rooms.keys()), opts);
  }

  /**
   * The sockets of all servers.
   * @param {any} opts `{ rooms, except, flags, partial }`; if `partial` and a server does not
   *   answer, the result has `partial: { expected, received, missing }`
   */
  async fetchSockets(opts) {
    const sockets = await super.fetchSockets(opts);
    return opts.flags?.local ? sockets : this.#cluster.fetchSockets(sockets, opts);
  }

  /**
   * The ids of the sockets of all servers, without their handshakes and data.
   * @param {any} [opts] `{ rooms, except, flags, partial }`, rooms as arrays or sets
   * @returns {Promise<Set<string>>}
   */
  async fetchSocketIds(opts = {}) {
    const ids = await this.#localIds(opts);
    return opts.flags?.local ? ids : this.#cluster.fetchSocketIds(ids, opts);
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
    return opts.flags?.local ? ids.size : this.#cluster.countSockets(ids, opts);
  }

  /**
   * The ids of sockets: of all servers up to Socket.IO 4.5, as with the adapters of that time, else of this one.
   * @param {Set<string | number>} rooms none means all sockets
   * @returns {Promise<Set<string>>}
   */
  async sockets(rooms) {
    const ids = await super.sockets(rooms);
    return this.#features.asksAllForIds ? this.#cluster.sockets(ids, { rooms }) : ids;
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
    if (socket === undefined) return this.#cluster.changeOne({ ...request, sid: id });
    await change(socket);
  }

  /** @param {any} opts @param {(string | number)[]} rooms */
  addSockets(opts, rooms) {
    super.addSockets(opts, rooms);
    this.#publishRequest(opts, { type: types.JOIN, opts: listsOf(opts), rooms: crossing(rooms) });
  }

  /** @param {any} opts @param {(string | number)[]} rooms */
  delSockets(opts, rooms) {
    super.delSockets(opts, rooms);
    this.#publishRequest(opts, { type: types.LEAVE, opts: listsOf(opts), rooms: crossing(rooms) });
  }

  /** @param {any} opts @param {boolean} close */
  disconnectSockets(opts, close) {
    super.disconnectSockets(opts, close);
    this.#publishRequest(opts, { type: types.DISCONNECT, opts: listsOf(opts), close });
  }

  #publishRequest({ flags }, request) {
    if (!flags?.local) this.#cluster.publish(request);
  }

  /**
   * Emits an event on the other servers.
   * @param {any[]} packet the event's name and arguments; an acknowledgement may be the last
   * @throws {Error} `ERR_ENCODE`
   */
  serverSideEmit(packet) {
    const ack = packet[packet.length - 1];
    if (typeof ack !== 'function') return this.#cluster.publish({ type: types.SERVER_SIDE_EMIT, data: packet });
    const data = packet.slice(0, -1);
    encodeOrThrow(() => JSON.stringify(data));
    this.#cluster.emit(data, ack).catch(rethrow);
  }

  /** What is counted, queued and connected, for all namespaces on these connections. */
  stats() {
    return this.#connections.stats();
  }

  /**
   * Leaves all channels of the namespace.
   * @returns {Promise<void>} resolves once what was published has left, should this have been the
   *   last namespace
   */
  async close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#cluster.close();
    this.#localRooms.close();
    this.#connections.inbox.removeNamespace(this.#id);
    this.#connections.native.closeNamespace(this.#id);
    await this.#connections.leave(this);
  }
}

module.exports = { RedisAdapter };
