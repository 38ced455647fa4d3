'use strict';

const { filterOf } = require('./cluster');
const { isRecoverable } = require('./recovery');
const { PAYLOAD_BROADCAST, PAYLOAD_REQUEST } = require('../backplane/binding');

/**
 * Reads the messages of other servers that the native side leaves to JavaScript, and passes on those that
 * are valid. The others are counted.
 */
class Incoming {
  #wire;
  #uid;
  #nsp;
  #limits;
  #parserOf;
  #localSockets;
  #requestHandler;
  #cluster;
  #malformed;
  #recovers;

  /**
   * @param {object} namespace
   * @param {import('./options').Wire} namespace.wire
   * @param {string} namespace.uid what marks this server's messages
   * @param {string} namespace.nsp its name
   * @param {import('./wire/valid').Limits} namespace.limits
   * @param {() => import('./wire/common').Parser} namespace.parserOf loads the parser
   * @param {InstanceType<typeof import('./local-sockets').LocalSockets>} namespace.localSockets
   * @param {InstanceType<typeof import('./request-handler').RequestHandler>} namespace.requestHandler
   * @param {InstanceType<typeof import('./cluster').Cluster>} namespace.cluster
   * @param {(channel: string) => void} namespace.malformed counts a message
   * @param {boolean} namespace.recovers whether broadcasts get the ids of their entries
   */
  constructor({ wire, uid, nsp, limits, parserOf, localSockets, requestHandler, cluster, malformed, recovers }) {
    this.#wire = wire;
    this.#uid = uid;
    this.#nsp = nsp;
    this.#limits = limits;
    this.#parserOf = parserOf;
    this.#localSockets = localSockets;
    this.#requestHandler = requestHandler;
    this.#cluster = cluster;
    this.#malformed = malformed;
    this.#recovers = recovers;
  }

  /**
   * Handles a message. What the application throws at it is the application's.
   * @param {number} kind
   * @param {string} channel
   * @param {Buffer} payload
   * @returns {Iterator<void> | void} the steps that it takes, see `Receiver`
   */
  handle(kind, channel, payload) {
    if (kind === PAYLOAD_BROADCAST) return this.#broadcast(channel, payload);
    return kind === PAYLOAD_REQUEST ? this.#request(channel, payload) : this.#response(channel, payload);
  }

  #broadcast(channel, payload) {
    const message = this.#wire.decodeBroadcast(payload, this.#parserOf, this.#limits, this.#nsp);
    if (message === undefined) return this.#malformed(channel);
    if (message === null || message.uid === this.#uid) return;
    const { packet, opts } = message;
    packet.nsp = this.#nsp;
    if (this.#recovers && isRecoverable(packet, opts.flags)) packet.data.push(channel);
    const packets = this.#localSockets.encode(packet);
    if (packets === undefined) return this.#malformed(channel);
    return this.#localSockets.writeReceived({ ...filterOf(opts), flags: opts.flags }, packet, packets);
  }

  *#request(channel, payload) {
    const request = yield* this.#wire.decodeRequest(payload, this.#parserOf, this.#limits);
    if (request === undefined) this.#malformed(channel);
    else yield* this.#requestHandler.handle(request, () => this.#malformed(channel));
  }

  *#response(channel, payload) {
    const isAwaited = (/** @type {any} */ requestId) => this.#cluster.hasRequest(requestId);
    const response = yield* this.#wire.decodeResponse(payload, this.#parserOf, this.#limits, isAwaited);
    if (response === undefined) this.#malformed(channel);
    else if (response !== null) this.#cluster.onResponse(response);
  }
}

module.exports = { Incoming };
