'use strict';

const types = require('./types');
const { channelOfServer } = require('./channels');
const { Cluster } = require('./cluster');
const { Incoming } = require('./incoming');
const { LocalRooms } = require('./local-rooms');
const { NativeMembers } = require('./native-members');
const { Outgoing } = require('./outgoing');
const { Questions } = require('./questions');
const { Recovery } = require('./recovery');
const { addSibling } = require('./siblings');
const { encodesText } = require('./socket-io');
const { streamOf } = require('./stream-options');
const { StreamRequest } = require('./wire/streams');
const { SubscriptionMode } = require('../backplane/binding');
const { closedError } = require('../errors');
const { warnOnce } = require('../endpoint/authorities');
const { isGiven } = require('../values');

/** What an application is told that wants what Pub/Sub cannot do. */
const UNSUPPORTED =
  'connectionStateRecovery has no effect with this adapter: Pub/Sub keeps no packets, so that clients that come back ' +
  'are not recovered. Use createStreamsAdapter.';
/** The most subscriptions that a namespace cannot do without, in any mode. */
const MOST_REQUIRED = 6;

/**
 * A namespace from when it is opened on connections until it is closed: its subscriptions, what it
 * publishes, and what it asks of other servers.
 */
class OpenNamespace {
  #adapter;
  #channels;
  #connections;
  #id;
  #removeSibling;
  /** Settles with the next answer of `ready()`. @type {Promise<void> | null} */
  #ready = null;
  #questions;
  /** @type {(error: Error) => void} */
  #abort = () => {};

  /**
   * Subscribes to the namespace's channels, and to those of the rooms that have sockets here.
   * @param {any} adapter of the namespace
   * @param {import('./channels').Channels} channels
   * @param {InstanceType<typeof import('./shared-connections').SharedConnections>} connections
   * @param {InstanceType<typeof import('./local-sockets').LocalSockets>} localSockets
   * @param {InstanceType<typeof import('./request-handler').RequestHandler>} requestHandler
   */
  constructor(adapter, channels, connections, localSockets, requestHandler) {
    const { native, inbox, backplane, settings } = connections;
    const { nsp, uid, requestsTimeout } = adapter;
    const { mode, limits, parser, wire, streams } = settings;
    const isRecoveryWanted = Boolean(nsp.server.opts?.connectionStateRecovery);
    const recovers = wire.RECOVERS && isRecoveryWanted;
    if (isRecoveryWanted && !recovers) warnOnce('WARN_RECOVERY_UNSUPPORTED', UNSUPPORTED);
    const stream = streams === null ? undefined : streamOf(streams, nsp.name);
    const parserOf = () => adapter.parser;
    const text = parser === undefined && encodesText(nsp.server);
    const opening = { nsp: nsp.name, uid, channels, mode, raw: !text, limits, requestsTimeout, stream, recovers };
    const id = native.openNamespace(opening);
    this.#id = id;
    this.#removeSibling = addSibling(backplane, native, channels);
    this.#adapter = adapter;
    this.#channels = channels;
    this.#connections = connections;
    this.#questions = new Questions(inbox);
    /** Whether packets are encoded in the standard way. */
    this.text = text;
    /** Which sockets are native. */
    this.members = new NativeMembers({
      adapter,
      useWebSockets: (sockets) => native.useWebSockets(id, sockets),
      whenDrained: (chunk, callback) => backplane.whenDrained(chunk, callback),
      isWritable: () => text && !localSockets.isPatched,
    });
    /** Sends broadcasts. */
    this.outgoing = new Outgoing({ native, id, wire, nsp: nsp.name, uid, text, parserOf, members: this.members });
    /** Which rooms have sockets here. */
    this.localRooms = new LocalRooms({
      update: (added, removed, tickets) => native.changeRooms(id, added, removed, tickets),
      beforeDrain: (callback) => backplane.beforeDrain(callback),
      registerCallback: mode === SubscriptionMode.Pattern ? null : (callback) => inbox.registerCallback(callback),
      isDegraded: () => backplane.events.isDegraded,
    });
    /** The other servers. */
    this.cluster = new Cluster({
      uid,
      timeoutOf: () => adapter.requestsTimeout,
      partial: settings.partial,
      channels,
      wire,
      encode: (request) => wire.encodeRequest(request, parserOf, nsp.name),
      publish: (channel, payload, here) => this.#request(channel, payload, here),
      pubsub: (args) => this.#pubsub(args),
      peers: () => backplane.native.peers(channels.requests),
      awaitResponses: (awaits) => native.awaitResponses(id, awaits),
      emit: (event, details) => adapter.emit(event, details),
    });
    /** What is not ready for sockets when it arrives. */
    this.incoming = new Incoming({
      wire,
      uid,
      nsp: nsp.name,
      limits,
      parserOf,
      localSockets,
      requestHandler,
      cluster: this.cluster,
      malformed: (channel) => backplane.native.malformed(channel),
      recovers,
    });
    /** What brings sockets back, where that is wanted. @type {InstanceType<typeof Recovery> | null} */
    this.recovery = recovers ? this.#recovery(localSockets, parserOf, stream) : null;
    backplane.events.peerListeners.add(this.#onPeers);
    inbox.addNamespace(id, adapter);
    connections.join(adapter);
    if (this.recovery !== null) this.#whenReading(this.recovery);
    for (const room of adapter.rooms.keys()) this.localRooms.roomCreated(room);
  }

  #recovery(localSockets, parserOf, stream) {
    const { native, inbox, backplane, settings } = this.#connections;
    const { streams, limits } = settings;
    const { nsp } = this.#adapter;
    return new Recovery({
      native,
      id: this.#id,
      nsp,
      inbox,
      outgoing: this.outgoing,
      localSockets,
      settings: /** @type {NonNullable<typeof streams>} */ (streams),
      limits,
      parserOf,
      report: (error) => this.report(error),
      malformed: () => backplane.native.malformed(this.#channels.broadcasts),
      stream,
      isPublishing: () => this.#connections.isPublishing,
      takeOver: (request) => this.cluster.tell(request),
    });
  }

  /** Whatever Redis refuses, the stream may be read. @param {InstanceType<typeof Recovery>} recovery */
  #whenReading(recovery) {
    this.#confirm().then(
      () => recovery.begin(),
      () => {},
    );
  }

  /**
   * Sends a request, and has this server do its part.
   * @param {string} channel
   * @param {string | Buffer | InstanceType<typeof StreamRequest>} payload
   * @param {() => void} here does its part
   */
  #request(channel, payload, here) {
    if (!(payload instanceof StreamRequest)) this.#connections.native.request(this.#id, channel, payload);
    else if (this.recovery?.isInOrder) return this.recovery.request(payload, here);
    else this.#connections.native.addRequest(this.#id, payload.type, payload.data, 0);
    here();
  }

  /**
   * Notes an event of the adapter: not by listeners, which an application may remove.
   * @param {string} event
   * @param {any[]} args
   */
  onEvent(event, [room, id]) {
    if (event === 'join-room') this.members.joined(room, id);
    else if (event === 'leave-room') {
      this.members.left(room, id);
      this.recovery?.touched(id);
    }
    if (event === 'create-room') this.localRooms.roomCreated(room);
    else if (event === 'delete-room') this.localRooms.roomDeleted(room);
  }

  /** @param {string[]} args of `PUBSUB`, as the classic wire knows it */
  async #pubsub(args) {
    const asked = this.#connections.settings.wire.pubsub(args);
    if (asked === null) return [];
    return this.#questions.ask((ticket) => this.#connections.backplane.native.pubsub(asked, ticket));
  }

  /** @param {{ left: [string, string][] }} peers */
  #onPeers = ({ left }) => {
    const here = left.filter(([requests]) => requests === this.#channels.requests);
    if (here.length > 0) this.cluster.onLeft(here.map(([, uid]) => uid));
  };

  /** Whether the connections are closed, as those of a store that is destroyed. */
  get isOver() {
    return this.#connections.backplane.isClosed;
  }

  /**
   * Publishes a response to the server that has asked alone where it hears that, else to all: servers before 7.1
   * have no channel of their own.
   * @param {any} request
   * @param {string | Buffer} response
   */
  respond({ type, uid }, response) {
    const { responses } = this.#channels;
    const { native, settings } = this.#connections;
    const { publishOnSpecificResponseChannel } = this.#adapter;
    const isOfThisPackage = type === types.COUNT_SOCKETS || type === types.SOCKET_IDS;
    const isWanted = publishOnSpecificResponseChannel && type !== types.SERVER_SIDE_EMIT;
    const hears = isGiven(uid) && (settings.wire.HEARS_OWN || isOfThisPackage || isWanted || this.cluster.hears(uid));
    const channel = hears ? channelOfServer(responses, /** @type {string} */ (uid)) : responses;
    native.respond(channel, response);
  }

  /** Emits `error`. @param {Error} error */
  report(error) {
    this.#connections.backplane.events.emitError(error);
  }

  /** @returns {import('../..').BackplaneStats} */
  stats() {
    return this.#connections.stats();
  }

  /**
   * @returns {Promise<void>} resolves once Redis has confirmed all subscriptions of the namespace and the
   *   publishing connection is up; rejects when Redis refuses one, or with the end of the namespace
   */
  ready() {
    this.#ready ??= /** @type {Promise<void>} */ (
      new Promise((resolve, reject) => {
        this.#abort = reject;
        this.#confirm().then(resolve, reject);
      })
    ).finally(() => {
      this.#ready = null;
    });
    return this.#ready;
  }

  async #confirm() {
    const { native } = this.#connections;
    await Promise.all(
      this.#questions.askEach(MOST_REQUIRED, (tickets) => native.confirmSubscriptions(this.#id, tickets)),
    );
    await this.#connections.publishing();
  }

  /** Leaves all channels. What was published leaves still. */
  close() {
    this.#abort(closedError());
    this.#questions.close(closedError());
    this.#connections.backplane.events.peerListeners.delete(this.#onPeers);
    this.cluster.close();
    this.recovery?.close(closedError());
    this.localRooms.close();
    this.members.close();
    this.#connections.inbox.removeNamespace(this.#id);
    this.#connections.native.closeNamespace(this.#id);
    this.#removeSibling();
    this.#connections.leave(this.#adapter);
  }
}

module.exports = { OpenNamespace };
