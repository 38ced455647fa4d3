'use strict';

const { BroadcastOperator } = require('./broadcast-operator');
const { EmitterConnections } = require('./connections');
const { readEmitterOptions, readStreamsEmitterOptions, refuseOptions } = require('./options');
const types = require('../adapter/types');
const { parseEndpoint } = require('../endpoint');

/**
 * Emits to the clients of Socket.IO servers from a process that is none, in the place of
 * `@socket.io/redis-emitter`'s. It needs nothing of Socket.IO.
 */
class Emitter {
  #connections;
  #namespaceOf;
  #all;

  /**
   * @param {any} [redisClient] where to publish: a client object, a URL or options. Default: `localhost:6379`
   * @param {any} [opts] the options; of another emitter, by `of()`, its connections
   * @param {string} [nsp] the namespace's name
   * @throws {TypeError} `ERR_INVALID_OPTION`, which names the option
   */
  constructor(redisClient, opts = {}, nsp = '/') {
    const connections = opts instanceof EmitterConnections ? opts : open(redisClient, opts, new.target);
    this.#connections = connections;
    this.#namespaceOf = () => connections.namespace(nsp);
    this.#all = new BroadcastOperator(this.#namespaceOf);
    /** What was passed. It is only asked where it points. */
    this.redisClient = redisClient;
    /** The namespace's name. */
    this.nsp = nsp;
  }

  /** The emitter of a namespace, on the same connections. @param {string} nsp */
  of(nsp) {
    const name = (nsp[0] !== '/' ? '/' : '') + nsp;
    const Kind = this instanceof StreamsEmitter ? StreamsEmitter : Emitter;
    return new Kind(this.redisClient, this.#connections, name);
  }

  /** See `BroadcastOperator`. @param {any} room */
  to(room) {
    return this.#all.to(room);
  }

  /** @param {any} room */
  in(room) {
    return this.#all.in(room);
  }

  /** @param {any} room */
  except(room) {
    return this.#all.except(room);
  }

  /** @param {boolean} compress */
  compress(compress) {
    return this.#all.compress(compress);
  }

  get volatile() {
    return this.#all.volatile;
  }

  /** @param {number} timeout in ms */
  timeout(timeout) {
    return this.#all.timeout(timeout);
  }

  /** @param {any} event @param {...any} args */
  emit(event, ...args) {
    return this.#all.emit(event, ...args);
  }

  /** @param {any} event @param {...any} args */
  emitWithAck(event, ...args) {
    return this.#all.emitWithAck(event, ...args);
  }

  /** @param {any} rooms */
  socketsJoin(rooms) {
    this.#all.socketsJoin(rooms);
  }

  /** @param {any} rooms */
  socketsLeave(rooms) {
    this.#all.socketsLeave(rooms);
  }

  /** @param {boolean} [close] */
  disconnectSockets(close = false) {
    this.#all.disconnectSockets(close);
  }

  fetchSockets() {
    return this.#all.fetchSockets();
  }

  countSockets() {
    return this.#all.countSockets();
  }

  /**
   * Emits an event on the servers.
   * @param {...any} args the event's name and arguments
   * @throws {Error} when the last one is a function; `ERR_ENCODE`, `ERR_CLOSED`
   */
  serverSideEmit(...args) {
    if (typeof args[args.length - 1] === 'function') throw new Error('Acknowledgements are not supported');
    this.#namespaceOf().request({ type: types.SERVER_SIDE_EMIT, data: args });
  }

  /** Adds a listener for an event of the connections. @param {string} event @param {(...args: any[]) => void} listener */
  on(event, listener) {
    this.#connections.events.on(event, listener);
    return this;
  }

  /** The same for one time. @param {string} event @param {(...args: any[]) => void} listener */
  once(event, listener) {
    this.#connections.events.once(event, listener);
    return this;
  }

  /** Removes a listener. @param {string} event @param {(...args: any[]) => void} listener */
  off(event, listener) {
    this.#connections.events.off(event, listener);
    return this;
  }

  /** What is counted, queued and connected. @returns {import('../..').BackplaneStats} */
  stats() {
    return this.#connections.backplane.stats();
  }

  /** @returns {Promise<void>} resolves once what is emitted leaves at once; rejects with `ERR_CLOSED` */
  ready() {
    return this.#connections.ready();
  }

  /**
   * Closes the connections, of all emitters on them, once what was emitted has left, for at most
   * `commandTimeout` if Redis is away.
   * @returns {Promise<void>} resolves when they are closed
   */
  close() {
    return this.#connections.close();
  }
}

/** The same for servers on streams. */
class StreamsEmitter extends Emitter {}

/** @param {any} redisClient @param {any} opts @param {Function} Kind */
function open(redisClient, opts, Kind) {
  const isOfStreams = Kind === StreamsEmitter || Kind.prototype instanceof StreamsEmitter;
  refuseOptions(redisClient, isOfStreams ? 'StreamsEmitter' : 'Emitter');
  const settings = (isOfStreams ? readStreamsEmitterOptions : readEmitterOptions)(opts ?? {});
  return new EmitterConnections(settings, parseEndpoint('redisClient', redisClient));
}

module.exports = { Emitter, StreamsEmitter };
