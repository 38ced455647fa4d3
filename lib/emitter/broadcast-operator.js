'use strict';

const { collectAcks } = require('./acks');
const { NO_FLAGS } = require('./namespace');
const { RemoteSocket } = require('./remote-socket');
const { filterNames } = require('../adapter/room-names');
const types = require('../adapter/types');
const { MAX_TIMEOUT, readWholeNumber } = require('../backplane/options');

/** What cannot be the name of an event: that of `@socket.io/redis-emitter`. @type {ReadonlySet<string | symbol>} */
const RESERVED_EVENTS = new Set([
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'newListener',
  'removeListener',
]);

/** @typedef {import('./namespace').Target} Target */

/** All sockets. @type {Target} */
const ALL = Object.freeze({ rooms: [], except: [], flags: NO_FLAGS });

/** Chooses sockets, and does something with them; it never changes. */
class BroadcastOperator {
  #namespaceOf;
  /** @type {Target} */
  #target;
  #single;

  /**
   * @param {() => InstanceType<typeof import('./namespace').EmitterNamespace>} namespaceOf opens the namespace
   * @param {Target} [target]
   * @param {boolean} [single] whether there is one client, whose answer is no array
   */
  constructor(namespaceOf, target = ALL, single = false) {
    this.#namespaceOf = namespaceOf;
    this.#target = target;
    this.#single = single;
  }

  /** @param {any[]} rooms @param {any[]} except @param {Target['flags']} flags */
  #with(rooms, except, flags) {
    return new BroadcastOperator(this.#namespaceOf, { rooms, except, flags }, this.#single);
  }

  /** @param {Target['flags']} more */
  #flagged(more) {
    const { rooms, except, flags } = this.#target;
    return this.#with(rooms, except, { ...flags, ...more });
  }

  /** Those in a room, or in any of several, too. @param {any} room */
  to(room) {
    const { rooms, except, flags } = this.#target;
    return this.#with(withRooms(rooms, room), except, flags);
  }

  /** The same as `to`. @param {any} room */
  in(room) {
    return this.to(room);
  }

  /** But not those in a room, or in any of several. @param {any} room */
  except(room) {
    const { rooms, except, flags } = this.#target;
    return this.#with(rooms, withRooms(except, room), flags);
  }

  /** Whether what is emitted is compressed. @param {boolean} compress */
  compress(compress) {
    return this.#flagged({ compress });
  }

  /** What is emitted may be lost where a client is not ready. */
  get volatile() {
    return this.#flagged({ volatile: true });
  }

  /**
   * How long clients may take to acknowledge what is emitted.
   * @param {number} timeout in ms
   * @throws {TypeError} `ERR_INVALID_OPTION`
   */
  timeout(timeout) {
    return this.#flagged({ timeout: readWholeNumber('timeout', timeout, MAX_TIMEOUT) });
  }

  /**
   * Emits an event. With a callback as the last argument, clients acknowledge it.
   * @param {any} event
   * @param {...any} args
   * @returns {true}
   * @throws {Error} when the name is reserved; `ERR_ENCODE`, `ERR_CLOSED`
   */
  emit(event, ...args) {
    if (RESERVED_EVENTS.has(event)) throw new Error(`"${String(event)}" is a reserved event name`);
    const data = [event, ...args];
    const namespace = this.#namespaceOf();
    if (args.length > 0 && typeof args[args.length - 1] === 'function') {
      const ack = data.pop();
      collectAcks(namespace, data, this.#target, this.#single, ack);
    } else namespace.broadcast(data, this.#target);
    return true;
  }

  /**
   * The same with a promise of what clients acknowledge.
   * @param {any} event
   * @param {...any} args
   * @returns {Promise<any>} rejects with `ERR_REQUEST_TIMEOUT`, which has the `responses` that have come
   */
  emitWithAck(event, ...args) {
    return new Promise((resolve, reject) => {
      this.emit(event, ...args, (/** @type {any} */ error, /** @type {any} */ responses) => {
        if (error) reject(Object.assign(error, { responses }));
        else resolve(responses);
      });
    });
  }

  /** Has the sockets join rooms. @param {any} rooms @throws {Error} `ERR_CLOSED` */
  socketsJoin(rooms) {
    this.#request({ type: types.JOIN, rooms: [].concat(rooms) });
  }

  /** The same with `leave`. @param {any} rooms @throws {Error} `ERR_CLOSED` */
  socketsLeave(rooms) {
    this.#request({ type: types.LEAVE, rooms: [].concat(rooms) });
  }

  /** Disconnects the sockets. @param {boolean} [close] the connections too @throws {Error} `ERR_CLOSED` */
  disconnectSockets(close = false) {
    this.#request({ type: types.DISCONNECT, close });
  }

  /** @param {any} request */
  #request(request) {
    const { rooms, except } = this.#target;
    this.#namespaceOf().request({ ...request, opts: { rooms: filterNames(rooms), except: filterNames(except) } });
  }

  /** The sockets of all servers. @returns {Promise<any>} rejects with `ERR_REQUEST_TIMEOUT` */
  async fetchSockets() {
    const found = await this.#namespaceOf().fetchSockets(this.#target);
    const operator = new BroadcastOperator(this.#namespaceOf, undefined, true);
    const sockets = found.map((/** @type {any} */ socket) => new RemoteSocket(operator.in(socket.id), socket));
    const { partial } = /** @type {any} */ (found);
    return partial === undefined ? sockets : Object.assign(sockets, { partial });
  }

  /** How many sockets there are on all servers. @returns {Promise<number>} rejects with `ERR_REQUEST_TIMEOUT` */
  async countSockets() {
    return this.#namespaceOf().countSockets(this.#target);
  }
}

/** Each room once. @param {any[]} rooms @param {any} added one or an array @returns {any[]} */
function withRooms(rooms, added) {
  if (rooms.length === 0 && !Array.isArray(added)) return [added];
  return [...new Set(rooms.concat(added))];
}

module.exports = { BroadcastOperator, RESERVED_EVENTS };
