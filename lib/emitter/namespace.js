'use strict';

const { END } = require('./burst');
const { EVENT, encodePacket, isPlain } = require('./packet');
const { Cluster } = require('../adapter/cluster');
const { Questions } = require('../adapter/questions');
const { newId, timeoutError } = require('../adapter/requests');
const { crosses, filterNames, isTold } = require('../adapter/room-names');
const { streamOf } = require('../adapter/stream-options');
const types = require('../adapter/types');
const { hasBinary } = require('../adapter/wire/common');
const { StreamRequest } = require('../adapter/wire/streams');
const { PAYLOAD_RESPONSE } = require('../backplane/binding');
const { closedError, encodeOrThrow, optionError } = require('../errors');
const { clearTimeout, setTimeout } = require('../timers');

/** What marks all that wants no answer, as of `@socket.io/redis-emitter`. */
const UID = 'emitter';
/** The channels of responses. */
const MOST_REQUIRED = 2;

/**
 * Which sockets something is for.
 * @typedef {object} Target
 * @property {any[]} rooms each once; none means all
 * @property {any[]} except
 * @property {{ volatile?: boolean, compress?: boolean, timeout?: number }} flags
 */

/** What an operator begins with. @type {Target['flags']} */
const NO_FLAGS = Object.freeze({});

/** A namespace as an emitter sees it: what it publishes there, and what it asks of the servers. */
class EmitterNamespace {
  #nsp;
  #settings;
  #backplane;
  #adapter;
  #burst;
  /** Of requests that want an answer. */
  #uid = newId();
  #channels;
  #id;
  #parserOf;
  /** Opened with the first request that wants an answer. @type {InstanceType<typeof Cluster> | null} */
  #cluster = null;
  /** Resolves once responses are heard. @type {Promise<void> | null} */
  #hears = null;
  #questions;

  /**
   * @param {string} nsp its name
   * @param {import('./options').Settings} settings
   * @param {InstanceType<typeof import('../backplane').Backplane>} backplane
   * @param {any} native a `NativeAdapter`
   * @param {InstanceType<typeof import('./burst').Burst>} burst of that adapter
   */
  constructor(nsp, settings, backplane, native, burst) {
    const { wire, streams, key, mode, limits, parser, requestsTimeout } = settings;
    this.#nsp = nsp;
    this.#settings = settings;
    this.#backplane = backplane;
    this.#questions = new Questions(backplane.inbox);
    this.#adapter = native;
    this.#burst = burst;
    this.#channels = wire.channelsOf(key, nsp, this.#uid);
    this.#parserOf = () => parser ?? require('notepack.io');
    const opening = {
      nsp,
      uid: UID,
      channels: this.#channels,
      mode,
      raw: true,
      limits,
      requestsTimeout,
      emitter: true,
      stream: streams === null ? undefined : streamOf(streams, nsp),
    };
    this.#id = native.openNamespace(opening);
    backplane.inbox.addNamespace(this.#id, this);
  }

  /** The native side, which has got all that was emitted before. */
  get #native() {
    this.#burst.flush();
    return this.#adapter;
  }

  /** How long servers have to answer, in ms. */
  get requestsTimeout() {
    return this.#settings.requestsTimeout;
  }

  /** Whether a request waits for answers. */
  get isWaiting() {
    const cluster = this.#cluster;
    return this.#questions.size > 0 || (cluster !== null && cluster.requests.size + cluster.ackRequests.size > 0);
  }

  /**
   * Publishes a broadcast.
   * @param {any[]} data the event's name and arguments
   * @param {Target} target
   * @throws {Error} `ERR_ENCODE`
   */
  broadcast(data, { rooms, except, flags }) {
    const encoded = this.#settings.parser === undefined ? encodePacket(this.#nsp, data) : undefined;
    // By far the most.
    if (encoded?.attachments.length === 0 && rooms.length <= 1 && except.length === 0 && flags === NO_FLAGS) {
      const room = rooms.length === 0 ? '' : rooms[0];
      if (rooms.length === 0 || (typeof room === 'string' && room !== '' && isTold(room))) {
        if (room.includes(END) || this.#nsp.includes(END)) this.#native.broadcast(this.#id, room, encoded.text);
        else this.#burst.add(this.#id, room, encoded.text);
        return;
      }
    }
    // No socket of a server can be in other rooms.
    if (rooms.length > 0 && !rooms.some(crosses)) return;
    // In the order of `@socket.io/redis-emitter`.
    const opts = { rooms: filterNames(rooms), flags, except: filterNames(except) };
    const room = rooms.length === 1 ? String(opts.rooms[0]) : null;
    if (encoded !== undefined && isPlain(opts.rooms) && isPlain(opts.except)) {
      this.#native.broadcastTo(this.#id, room, encoded.text, JSON.stringify(opts), encoded.attachments);
      return;
    }
    const packet = { type: EVENT, data, nsp: this.#nsp };
    const broadcast = { uid: UID, packet, opts };
    const payload = encodeOrThrow(() => this.#settings.wire.encodeBroadcast(broadcast, this.#parserOf, this.#nsp));
    this.#native.broadcastPacked(this.#id, room, payload);
  }

  /**
   * Publishes a request that wants no answer.
   * @param {any} request see `types.js`
   * @throws {Error} `ERR_ENCODE`
   */
  request(request) {
    const { wire } = this.#settings;
    // The original marks on the classic wire only this one.
    const uid = wire.HEARS_OWN || request.type === types.SERVER_SIDE_EMIT ? UID : undefined;
    const payload = encodeOrThrow(() => wire.encodeRequest({ uid, ...request }, this.#parserOf, this.#nsp));
    if (payload instanceof StreamRequest) this.#native.addRequest(this.#id, payload.type, payload.data, 0);
    else this.#native.request(this.#id, this.#channels.requests, payload);
  }

  /**
   * Publishes a broadcast with acknowledgements. The callbacks are called until `timeout` is over.
   * @param {any[]} data the event's name and arguments
   * @param {Target} target
   * @param {{ timeout: number, count: (clients: number) => void, ack: (response: any) => void }} acks `timeout` in ms
   * @returns {Promise<number>} how many servers there are, each of which calls `count`
   */
  async broadcastWithAck(data, { rooms, except, flags }, acks) {
    const cluster = await this.#asked(acks.timeout);
    const packet = { type: EVENT, data, nsp: this.#nsp };
    const isText = encodeOrThrow(() => this.#settings.parser === undefined && !hasBinary(data));
    const opts = { rooms: filterNames(rooms), except: filterNames(except), flags };
    cluster.broadcast({ packet, isText, opts }, acks);
    return cluster.countOthers();
  }

  /**
   * The sockets of all servers, as they cross the wire.
   * @param {Target} target
   * @returns {Promise<any[]>}
   */
  async fetchSockets(target) {
    return (await this.#asked()).fetchSockets([], target);
  }

  /** How many sockets there are. @param {Target} target @returns {Promise<number>} */
  async countSockets(target) {
    return (await this.#asked()).countSockets(new Set(), target);
  }

  /**
   * The servers, once what they answer is heard.
   * @param {number} [timeout] in ms
   */
  async #asked(timeout = this.#settings.requestsTimeout) {
    const { parser } = this.#settings;
    if (parser !== undefined && parser.decode === undefined)
      throw optionError('parser', 'answers cannot be read without its decode.');
    await new Promise((resolve, reject) => {
      const message = 'timeout reached before Redis has confirmed the subscription to responses';
      const late = () => reject(timeoutError(message, { expected: 0, received: 0, missing: [] }, undefined));
      const timer = setTimeout(late, timeout);
      this.#hear()
        .then(resolve, reject)
        .finally(() => clearTimeout(timer));
    });
    return (this.#cluster ??= this.#open());
  }

  #hear() {
    this.#hears ??= this.#subscribe().catch((error) => {
      this.#hears = null;
      throw error;
    });
    return this.#hears;
  }

  async #subscribe() {
    const native = this.#native;
    await Promise.all(
      this.#questions.askEach(MOST_REQUIRED, (tickets) => native.confirmSubscriptions(this.#id, tickets)),
    );
  }

  #open() {
    const { wire, partial, requestsTimeout } = this.#settings;
    return new Cluster({
      uid: this.#uid,
      timeoutOf: () => requestsTimeout,
      partial,
      channels: this.#channels,
      wire,
      encode: (request) => wire.encodeRequest(request, this.#parserOf, this.#nsp),
      publish: (channel, payload) => this.#native.request(this.#id, channel, payload),
      pubsub: (args) => this.#pubsub(args),
      peers: () => null,
      awaitResponses: (awaits) => this.#native.awaitResponses(this.#id, awaits),
      emit: (event, details) => void this.#backplane.events.emit({ event, ...details }),
      isServer: false,
    });
  }

  /** @param {string[]} asked `PUBSUB`, as the classic wire knows it */
  async #pubsub(asked) {
    const args = this.#settings.wire.pubsub(asked);
    if (args === null) return [];
    return this.#questions.ask((ticket) => this.#backplane.native.pubsub(args, ticket));
  }

  /** Broadcasts are for servers. */
  onBroadcast() {}

  /**
   * What a server answers.
   * @param {number} kind
   * @param {string} channel
   * @param {Buffer} payload
   */
  *onPayload(kind, channel, payload) {
    const cluster = this.#cluster;
    if (kind !== PAYLOAD_RESPONSE || cluster === null) return;
    const { wire, limits } = this.#settings;
    const isAwaited = (/** @type {any} */ requestId) => cluster.hasRequest(requestId);
    const response = yield* wire.decodeResponse(payload, this.#parserOf, limits, isAwaited);
    if (response === undefined) this.#backplane.native.malformed(channel);
    else if (response !== null) cluster.onResponse(response);
  }

  /** Ends it. What was published leaves still. */
  close() {
    this.#questions.close(closedError('The emitter is closed'));
    this.#cluster?.close();
    this.#backplane.inbox.removeNamespace(this.#id);
    this.#native.closeNamespace(this.#id);
  }
}

module.exports = { EmitterNamespace, NO_FLAGS };
