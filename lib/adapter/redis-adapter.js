'use strict';

const types = require('./types');
const { Answers } = require('./answers');
const { Census } = require('./census');
const { encoded, timeoutError } = require('./errors');
const { HeldRooms } = require('./held');
const { newId, Requests } = require('./requests');
const { adapterBase, encodesText, ReceivedPacket, WriteOptions, writeTo } = require('./socket-io');

/** What JavaScript gets as it came; the words of `Kind` in `src/adapter/namespace.rs`. */
const BROADCAST = 0;
const REQUEST = 1;

/** Bits of a broadcast's flags; see `src/delivery/chunk.rs`. */
const ONE_ROOM = 16;
const FLAGS = [undefined, false, true];

const NOBODY = new Set();

/**
 * What a namespace's adapter stands on.
 * @typedef {object} Hub
 * @property {any} native
 * @property {InstanceType<typeof import('../deliveries').Deliveries>} deliveries
 * @property {ReturnType<typeof import('./options').readAdapterOptions>} settings
 * @property {unknown} pubClient
 * @property {unknown} subClient
 * @property {() => import('..').BackplaneStats} stats
 * @property {(adapter: any) => Promise<void>} leave
 */

/** @type {WeakMap<object, any>} */
const classes = new WeakMap();

/** The class for the socket.io-adapter of the application; there may be several in a process. */
function redisAdapter() {
  const Base = adapterBase();
  if (!classes.has(Base)) classes.set(Base, makeClass(Base));
  return classes.get(Base);
}

/** @param {any} Base the `Adapter` of socket.io-adapter */
function makeClass(Base) {
  /**
   * The adapter of one namespace, in the place of `@socket.io/redis-adapter`'s. It has the same
   * methods and properties.
   */
  return class RedisAdapter extends Base {
    #hub;
    #id;
    #text;
    #held;
    #census;
    #requests;
    #answers;
    #parser;
    #closed = false;

    /** @param {any} nsp @param {Hub} hub */
    constructor(nsp, hub) {
      super(nsp);
      const { key, requestsTimeout, publishOnSpecificResponseChannel, parser, mode } = hub.settings;
      this.#hub = hub;
      this.#parser = parser;
      this.#text = parser === undefined && encodesText(nsp.server);
      /** What marks this server's messages in this namespace. */
      this.uid = newId();
      this.requestsTimeout = requestsTimeout;
      this.publishOnSpecificResponseChannel = publishOnSpecificResponseChannel;
      /** The client objects or whatever else was passed. They are never used. */
      this.pubClient = hub.pubClient;
      this.subClient = hub.subClient;
      this.channel = `${key}#${nsp.name}#`;
      this.requestChannel = `${key}-request#${nsp.name}#`;
      this.responseChannel = `${key}-response#${nsp.name}#`;
      this.specificResponseChannel = `${this.responseChannel}${this.uid}#`;
      this.nativeChannel = `${key}-native#${nsp.name}#`;

      const { native, deliveries } = hub;
      this.#id = native.openNamespace({ key, nsp: nsp.name, uid: this.uid, mode, raw: !this.#text });
      deliveries.addNamespace(this.#id, this);
      this.#held = new HeldRooms(
        (added, removed, tickets) => native.holdRooms(this.#id, added, removed, tickets),
        mode === 0 ? null : (callback) => deliveries.expect(callback),
      );
      this.on('create-room', (room) => this.#held.created(room));
      this.on('delete-room', (room) => this.#held.deleted(room));
      const channels = { request: this.requestChannel, response: this.responseChannel, native: this.nativeChannel };
      this.#census = new Census(channels, (args) => this.#pubsub(args));
      this.#requests = new Requests(this.uid, requestsTimeout);
      this.#answers = new Answers(this.#lend());
    }

    #lend() {
      return {
        nsp: this.nsp,
        uid: this.uid,
        rooms: this.rooms,
        parser: this.parser,
        sockets: (rooms) => super.sockets(rooms),
        fetchSockets: (opts) => super.fetchSockets(opts),
        addSockets: (opts, rooms) => super.addSockets(opts, rooms),
        delSockets: (opts, rooms) => super.delSockets(opts, rooms),
        disconnectSockets: (opts, close) => super.disconnectSockets(opts, close),
        broadcastWithAck: (packet, opts, count, ack) => super.broadcastWithAck(packet, opts, count, ack),
        asked: (requestId) => this.#requests.has(requestId),
        respond: (request, response) => this.#respond(request, response),
        respondToAll: (response) => this.#publish(this.responseChannel, response),
      };
    }

    /** Packs what the native side does not: `opts.parser`, else notepack.io. */
    get parser() {
      // Most servers never need it.
      return (this.#parser ??= require('notepack.io'));
    }

    #publish(channel, payload) {
      this.#hub.native.publishPacked(channel, payload);
    }

    #pubsub(args) {
      return new Promise((resolve, reject) => {
        const ticket = this.#hub.deliveries.expect((error, list) => (error ? reject(error) : resolve(list)));
        this.#hub.native.pubsub(args, ticket);
      });
    }

    /**
     * Joins rooms. Where rooms have channels of their own (`subscriptionMode`), the promise resolves
     * once they are subscribed to, or after `requestsTimeout` should Redis be away.
     * @param {string} id
     * @param {Set<string | number>} rooms
     * @returns {Promise<void> | void}
     */
    addAll(id, rooms) {
      super.addAll(id, rooms);
      const confirmed = this.#held.confirmed(rooms);
      if (confirmed !== undefined) return this.#atMost(confirmed);
    }

    async #atMost(confirmed) {
      let timer;
      const late = new Promise((resolve) => {
        timer = setTimeout(resolve, this.requestsTimeout);
        timer.unref();
      });
      await Promise.race([confirmed, late]);
      clearTimeout(timer);
    }

    /**
     * Sends a packet to sockets here and, unless `flags.local`, on the other servers.
     * @param {any} packet
     * @param {any} opts
     * @throws {Error} `ERR_ENCODE` when the arguments hold a cycle or a BigInt, say
     */
    broadcast(packet, opts) {
      packet.nsp = this.nsp.name;
      const packets = encoded(() => this.encoder.encode(packet));
      if (!opts.flags?.local) this.#send(packet, packets, opts);
      const options = new WriteOptions(opts.flags ?? {}, packets);
      this.#write(opts.rooms, opts.except, packet, packets, options);
    }

    #send(packet, packets, opts) {
      const { rooms, except, flags } = opts;
      const fields = { rooms: [...rooms], except: except ? [...new Set(except)] : [], flags };
      const suffix = rooms.size === 1 ? `${fields.rooms[0]}#` : '';
      const { native } = this.#hub;
      if (!this.#text || typeof packets[0] !== 'string') {
        const payload = encoded(() => this.parser.encode([this.uid, packet, fields]));
        this.#publish(this.channel + suffix, payload);
      } else if (packets.length === 1) {
        native.broadcast(this.#id, suffix, packets[0], JSON.stringify(fields));
      } else {
        const [text, ...parts] = packets;
        const attachments = encoded(() => parts.map(toBuffer));
        native.broadcastBinary(this.#id, suffix, text, JSON.stringify(fields), attachments);
      }
    }

    /**
     * Writes a packet to sockets here.
     * @returns {number} to how many
     */
    #write(rooms, except, packet, packets, options) {
      let count = 0;
      const write = (/** @type {any} */ socket) => {
        count++;
        writeTo(socket, packet, packets, options);
      };
      if (rooms.size === 1 && !(except?.size > 0)) {
        const [room] = rooms;
        this.#writeToRoom(this.rooms.get(room), write);
      } else {
        this.apply({ rooms, except }, write);
      }
      return count;
    }

    #writeToRoom(ids, write) {
      if (ids === undefined) return;
      const { sockets } = this.nsp;
      for (const id of ids) {
        const socket = sockets.get(id);
        if (socket !== undefined) write(socket);
      }
    }

    /**
     * A broadcast of another server, ready for sockets.
     * @param {import('../deliveries').Broadcast} broadcast
     * @returns {number} to how many sockets it went
     */
    onBroadcast(broadcast) {
      const { flags, rooms, except, text, attachments } = broadcast;
      const packets = attachments.length === 0 ? [text] : [text, ...attachments];
      const packet = new ReceivedPacket(this.nsp.name, text, attachments);
      const options = new WriteOptions({ volatile: FLAGS[flags & 3], compress: FLAGS[(flags >> 2) & 3] }, packets);
      const excluded = except === '' ? NOBODY : new Set(JSON.parse(except));
      const included = flags & ONE_ROOM ? new Set([rooms]) : rooms === '' ? NOBODY : new Set(JSON.parse(rooms));
      return options.whileFrameIsIn(broadcast, () => this.#write(included, excluded, packet, packets, options));
    }

    /**
     * What JavaScript reads itself.
     * @param {number} kind
     * @param {string} channel
     * @param {Buffer} payload
     */
    onPayload(kind, channel, payload) {
      let message;
      try {
        // 0x7b is "{".
        message = kind !== BROADCAST && payload[0] === 0x7b ? JSON.parse(payload.toString()) : this.parser.decode(payload);
      } catch {
        this.#hub.native.malformed(channel);
        return;
      }
      if (kind === BROADCAST) this.#onDecoded(message);
      else if (kind === REQUEST) this.#answers.answer(message).catch((error) => this.#report(error));
      else this.#requests.take(message);
    }

    /** A broadcast that was decoded here. */
    #onDecoded([uid, packet, opts]) {
      if (uid === this.uid || !packet) return;
      packet.nsp ??= '/';
      if (packet.nsp !== this.nsp.name) return;
      super.broadcast(packet, { ...opts, rooms: new Set(opts.rooms), except: new Set(opts.except) });
    }

    #report(error) {
      this.#hub.deliveries.reporter.error(error);
    }

    #respond(request, response) {
      const specific = this.publishOnSpecificResponseChannel || request.type === types.COUNT || request.type === types.IDS;
      this.#publish(specific ? `${this.responseChannel}${request.uid}#` : this.responseChannel, response);
    }

    /**
     * Sends a packet and collects acknowledgements of clients here and on the other servers.
     * @param {any} packet
     * @param {any} opts
     * @param {(clientCount: number) => void} clientCountCallback called once for each server
     * @param {(...args: any[]) => void} ack called once for each client
     */
    broadcastWithAck(packet, opts, clientCountCallback, ack) {
      packet.nsp = this.nsp.name;
      if (!opts.flags?.local) {
        const { uid } = this;
        const requestId = newId();
        const fields = { rooms: [...opts.rooms], except: [...new Set(opts.except)], flags: opts.flags };
        const request = encoded(() => this.parser.encode({ uid, requestId, type: types.BROADCAST, packet, opts: fields }));
        this.#requests.expectAcks(requestId, opts.flags?.timeout, clientCountCallback, ack);
        this.#publish(this.requestChannel, request);
      }
      super.broadcastWithAck(packet, opts, clientCountCallback, ack);
    }

    /** How many servers take part in the namespace. @returns {Promise<number>} never rejects */
    serverCount() {
      return this.#census.estimate();
    }

    /**
     * Asks the other servers, if there are any.
     * @param {any} request
     * @param {(response: any) => boolean} take
     * @param {{ natives?: boolean }} [to]
     */
    async #ask(request, take, { natives = false } = {}) {
      const { servers, uids } = await this.#census.take();
      if (servers <= 1) return { expected: 0, received: 0, missing: [] };
      return this.#requests.ask(uids, servers - 1, (requestId) => {
        const text = JSON.stringify({ uid: this.uid, requestId, ...request });
        this.#publish(natives ? this.nativeChannel : this.requestChannel, text);
      }, take);
    }

    /**
     * What has arrived, or the official rejection; with `partial`, what has arrived and who is
     * missing.
     */
    #conclude(outcome, name, value, partial) {
      const { expected, received, missing } = outcome;
      if (received >= expected) return value;
      if (!partial) throw timeoutError(`timeout reached while waiting for ${name} response`, outcome, value);
      this.emit('partial', { request: name, expected, received, missing });
      return typeof value === 'object' ? Object.assign(value, { partial: { expected, received, missing } }) : value;
    }

    #wantsPartial(opts) {
      return Boolean(opts?.partial ?? opts?.flags?.partial ?? this.#hub.settings.partial);
    }

    /** All rooms of all servers. @returns {Promise<Set<string | number>>} */
    async allRooms(opts) {
      const rooms = new Set(this.rooms.keys());
      const outcome = await this.#ask({ type: types.ALL_ROOMS }, (response) => {
        if (!Array.isArray(response.rooms)) return false;
        for (const room of response.rooms) rooms.add(room);
        return true;
      });
      return this.#conclude(outcome, 'allRooms', rooms, this.#wantsPartial(opts));
    }

    /**
     * The sockets of all servers.
     * @param {any} opts `{ rooms, except, flags }`; with `partial: true` the result of a cluster in
     *   which somebody does not answer has `partial: { expected, received, missing }`
     */
    async fetchSockets(opts) {
      const sockets = await super.fetchSockets(opts);
      if (opts.flags?.local) return sockets;
      const outcome = await this.#ask({ type: types.REMOTE_FETCH, opts: listsOf(opts) }, (response) => {
        if (!Array.isArray(response.sockets)) return false;
        for (const socket of response.sockets) sockets.push(socket);
        return true;
      });
      return this.#conclude(outcome, 'fetchSockets', sockets, this.#wantsPartial(opts));
    }

    /**
     * The ids of the sockets of all servers, without their handshakes and data.
     * @param {any} [opts] `{ rooms, except, flags, partial }`, rooms as arrays or sets
     * @returns {Promise<Set<string>>}
     */
    async fetchSocketIds(opts = {}) {
      const lists = listsOf(opts);
      const ids = new Set((await super.fetchSockets(setsOf(lists))).map(({ id }) => id));
      if (opts.flags?.local) return ids;
      const outcome = await this.#askForIds(lists, ids);
      return this.#conclude(outcome, 'fetchSocketIds', ids, this.#wantsPartial(opts));
    }

    async #askForIds(lists, ids) {
      const { servers, natives } = await this.#census.take();
      if (natives >= servers) {
        return this.#ask({ type: types.IDS, opts: lists }, collectInto(ids), { natives: true });
      }
      // Official servers tell the ids in rooms, and nothing of exceptions.
      const outcome = await this.#ask({ type: types.SOCKETS, rooms: lists.rooms }, collectInto(ids));
      if (lists.except.length === 0 || outcome.received < outcome.expected) return outcome;
      const excluded = new Set();
      const exceptions = await this.#ask({ type: types.SOCKETS, rooms: lists.except }, collectInto(excluded));
      for (const id of excluded) ids.delete(id);
      return exceptions;
    }

    /**
     * How many sockets there are on all servers.
     * @param {any} [opts] `{ rooms, except, flags, partial }`, rooms as arrays or sets
     * @returns {Promise<number>}
     */
    async countSockets(opts = {}) {
      const lists = listsOf(opts);
      const { servers, natives } = opts.flags?.local ? { servers: 1, natives: 1 } : await this.#census.take();
      if (natives < servers) return (await this.fetchSocketIds(opts)).size;
      let count = (await super.fetchSockets(setsOf(lists))).length;
      if (servers <= 1) return count;
      const outcome = await this.#ask({ type: types.COUNT, opts: lists }, (response) => {
        if (typeof response.count !== 'number') return false;
        count += response.count;
        return true;
      }, { natives: true });
      return this.#conclude(outcome, 'countSockets', count, this.#wantsPartial(opts));
    }

    addSockets(opts, rooms) {
      super.addSockets(opts, rooms);
      this.#tell(opts, { type: types.REMOTE_JOIN, opts: listsOf(opts), rooms: [...rooms] });
    }

    delSockets(opts, rooms) {
      super.delSockets(opts, rooms);
      this.#tell(opts, { type: types.REMOTE_LEAVE, opts: listsOf(opts), rooms: [...rooms] });
    }

    disconnectSockets(opts, close) {
      super.disconnectSockets(opts, close);
      this.#tell(opts, { type: types.REMOTE_DISCONNECT, opts: listsOf(opts), close });
    }

    #tell({ flags }, request) {
      if (flags?.local) return;
      this.#publish(this.requestChannel, encoded(() => JSON.stringify({ uid: this.uid, ...request })));
    }

    /**
     * Emits an event on the other servers.
     * @param {any[]} packet the event's name and arguments; an acknowledgement may be the last
     * @throws {Error} `ERR_ENCODE`
     */
    serverSideEmit(packet) {
      if (typeof packet[packet.length - 1] !== 'function') {
        this.#tell({}, { type: types.SERVER_SIDE_EMIT, data: packet });
        return;
      }
      const data = packet.slice(0, -1);
      encoded(() => JSON.stringify(data));
      this.#emitWithAck(data, packet[packet.length - 1]).catch((error) => this.#report(error));
    }

    async #emitWithAck(data, ack) {
      /** @type {any[]} */
      const responses = [];
      const outcome = await this.#ask({ type: types.SERVER_SIDE_EMIT, data }, (response) => {
        responses.push(response.data);
        return true;
      }).catch((error) => error);
      if (outcome instanceof Error) return ack(outcome, responses);
      const { expected, received } = outcome;
      if (received >= expected) return ack(null, responses);
      const message = `timeout reached: only ${received} responses received out of ${expected}`;
      ack(timeoutError(message, outcome, responses), responses);
    }

    /** What is counted, queued and connected, for all namespaces on these connections. */
    stats() {
      return this.#hub.stats();
    }

    /**
     * Leaves all channels of the namespace.
     * @returns {Promise<void>} resolves once what was published has left, should this have been the
     *   last namespace
     */
    close() {
      if (this.#closed) return Promise.resolve();
      this.#closed = true;
      this.#requests.close();
      this.#hub.deliveries.removeNamespace(this.#id);
      this.#hub.native.closeNamespace(this.#id);
      return this.#hub.leave(this);
    }
  };
}

/** Takes the ids of a response. @param {Set<string>} ids */
function collectInto(ids) {
  return (/** @type {any} */ response) => {
    if (!Array.isArray(response.sockets)) return false;
    for (const id of response.sockets) ids.add(id);
    return true;
  };
}

function listsOf({ rooms, except }) {
  return { rooms: [...(rooms ?? [])], except: [...(except ?? [])] };
}

function setsOf({ rooms, except }) {
  return { rooms: new Set(rooms), except: new Set(except) };
}

/** As notepack.io makes it of an attachment: of a typed array, each element becomes a byte. */
function toBuffer(part) {
  return Buffer.isBuffer(part) ? part : Buffer.from(part);
}

module.exports = { redisAdapter };
