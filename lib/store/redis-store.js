'use strict';

const { EventEmitter } = require('node:events');

const { Backplane } = require('../backplane');
const { NativeStore } = require('../backplane/binding');
const { parseEndpoint } = require('../endpoint');
const { endClient } = require('../endpoint/end');
const { encodeError } = require('../errors');
const { Client, parts } = require('./client');
const { isFlat } = require('./dispatch');
const { awaitingHandshakes } = require('./late-handshakes');
const { NativeTransports } = require('./native-transports');
const { readOptions } = require('./options');
const { answeringPolls, holdFirstAnswer } = require('./polls');
const { guarded } = require('./server-messages');
const { Unpacker } = require('./unpacker');

/** The channel on which servers of this package tell each other that they are there. */
const HEARTBEAT = 'socket.io-heartbeat';

/**
 * The store of Socket.IO 0.9 on Redis: takes the place of `socket.io@0.9`'s own `RedisStore`, on
 * the same wire, with the work done off the event loop.
 *
 * ```js
 * io.set('store', new RedisStore());
 * io.set('store', new RedisStore({ redisPub, redisSub, redisClient }));
 * ```
 *
 * Events, beside 0.9's own `publish`, `subscribe` and `unsubscribe`: `connect`, `disconnect`,
 * `reconnecting`, `gap`, `error` and `close`; see index.d.ts for what they carry. An `error`
 * without a listener is not thrown but written to the console, once per outage.
 *
 * The store keeps the process alive until `destroy()`, as the JavaScript store's connections do.
 */
class RedisStore extends EventEmitter {
  #backplane;
  #native;
  #inbox;
  #destroyed = false;
  #packs;
  /** @type {InstanceType<typeof NativeTransports> | null} */
  #transports = null;

  /**
   * @param {import('../..').RedisStoreOptions} [options]
   * @throws {TypeError} `ERR_INVALID_OPTION`, which names the option
   */
  constructor(options = {}) {
    super();
    this.setMaxListeners(0);
    const settings = readOptions(options);
    const endpoints = {
      pub: parseEndpoint('redisPub', options.redisPub, options.redis),
      sub: parseEndpoint('redisSub', options.redisSub, options.redis),
      cmd: parseEndpoint('redisClient', options.redisClient, options.redis),
    };

    /** The options, as they were passed. */
    this.options = options;
    /** @type {Record<string, InstanceType<typeof Client>>} The clients whose data has been asked for, by id. */
    this.clients = {};
    /** @type {string | number} What marks this node's messages. */
    this.nodeId = settings.nodeId ?? uniqueId();
    /** The function that packs what is published. */
    this.pack = settings.pack;
    /** The function that unpacks what arrives. */
    this.unpack = settings.unpack;
    /** The client object that was passed as `redisPub`, else `null`. It is never used. */
    this.pub = endpoints.pub.client;
    /** The client object that was passed as `redisSub`, else `null`. It is never used. */
    this.sub = endpoints.sub.client;
    /** The client object that was passed as `redisClient`, else `null`. It is never used. */
    this.cmd = endpoints.cmd.client;
    /** @type {unknown} The server's manager, which sets it. */
    this.manager = undefined;

    this.#packs = settings.native.raw;
    this.#backplane = new Backplane(this, endpoints, settings.backplane);
    if (settings.heartbeat) this.#backplane.native.beat(HEARTBEAT, false);
    this.#native = new NativeStore(this.#backplane.native, { ...settings.native, nodeId: JSON.stringify(this.nodeId) });
    this.#inbox = this.#backplane.inbox;
    if (settings.native.raw)
      this.#inbox.unpacker = new Unpacker(this, this.#backplane.native, this.#native, settings.buffers);
    const { keyPrefix } = endpoints.cmd;
    parts.set(this, { backplane: this.#backplane, native: this.#native, keyPrefix, wantsBytes: settings.wantsBytes });
  }

  /**
   * Publishes to the other nodes, as 0.9's store does. Emits `publish` with the same arguments.
   * @param {string} name the channel
   * @param {...unknown} args what JSON can hold
   */
  publish(name, ...args) {
    const channel = this.#textOf(name);
    if (channel === undefined) return;
    if (this.#packs) {
      this.#backplane.native.publishPacked(channel, this.pack({ nodeId: this.nodeId, args }), this.#ticket(name, args));
    } else if (name === 'dispatch' && isFlat(args)) {
      this.#dispatch(args);
    } else {
      const text = this.#json(args);
      if (text === undefined) return;
      this.#native.publish(channel, text, this.#ticket(name, args));
    }
    this.emit('publish', name, ...args);
  }

  /**
   * @param {unknown} value a channel or an id
   * @returns {string | undefined} nothing, and an event `error`, when it cannot be text
   */
  #textOf(value) {
    try {
      return String(value);
    } catch (cause) {
      this.#backplane.events.emitError(encodeError(cause));
      return undefined;
    }
  }

  /**
   * Throws as 0.9's store does where the application passes a cycle or a BigInt. But what a client sends
   * may be nested deeper than the stack; that is an event `error`, and nothing is published.
   * @param {unknown[]} args
   */
  #json(args) {
    try {
      return JSON.stringify(args);
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      this.#backplane.events.emitError(encodeError(cause));
      return undefined;
    }
  }

  /** The ticket of a message whose answer by Redis something waits for; else 0. */
  #ticket(name, args) {
    if (name !== 'connect' || !this.#backplane.isAnswering) return 0;
    return this.#inbox.registerCallback(holdFirstAnswer(this, args[0]));
  }

  /** @param {any[]} args */
  #dispatch([room, packet, volatile, exceptions]) {
    const ids = exceptions.length === 0 ? '' : JSON.stringify(exceptions);
    this.#native.dispatch(room, packet, volatile, ids);
  }

  /**
   * Subscribes to a channel. A channel may have several consumers. Emits `subscribe`.
   * @param {string} name the channel
   * @param {(...args: any[]) => void} [consumer] called with what another node published
   * @param {(error?: Error) => void} [fn] called once Redis has confirmed the subscription; with an
   *   error when Redis refuses it or the store is closed
   */
  subscribe(name, consumer, fn) {
    const channel = this.#textOf(name);
    if (channel === undefined) return;
    const id = this.#native.subscribe(channel, this.#inbox.registerCallback(answerTo(fn)));
    if (consumer) {
      const malformed = () => this.#backplane.native.malformed(channel);
      this.#inbox.addConsumer(id, channel, guarded(this, channel, this.#patient(channel, consumer), malformed));
    }
    this.emit('subscribe', name, consumer, fn);
  }

  /** What of 0.9 goes wrong where clients are faster than Redis. */
  #patient(channel, consumer) {
    if (channel === 'open') return answeringPolls(this, consumer);
    if (channel === 'handshake') return awaitingHandshakes(this.manager, consumer);
    return consumer;
  }

  /**
   * Leaves a channel, with all its consumers. Emits `unsubscribe`.
   * @param {string} name the channel
   * @param {(error?: Error) => void} [fn] called once Redis has confirmed it; with an error when the
   *   store is closed
   */
  unsubscribe(name, fn) {
    const channel = this.#textOf(name);
    if (channel === undefined) return;
    this.#inbox.removeConsumers(channel);
    this.#native.unsubscribe(channel, this.#inbox.registerCallback(answerTo(fn)));
    this.emit('unsubscribe', name, fn);
  }

  /**
   * The data of a client, in a Redis hash whose key is the client's id.
   * @param {string} id
   * @returns {InstanceType<typeof Client>}
   */
  client(id) {
    const { Client: Constructor } = /** @type {typeof RedisStore} */ (this.constructor);
    const key = keyOf(id);
    // Each of its commands says so.
    if (key === undefined) return new Constructor(this, id);
    if (!Object.hasOwn(this.clients, key)) {
      // An assignment to `__proto__` would be none.
      const client = { value: new Constructor(this, id), enumerable: true, writable: true, configurable: true };
      Object.defineProperty(this.clients, key, client);
    }
    return this.clients[key];
  }

  /**
   * Deletes a client's data, or lets it expire.
   * @param {string} id
   * @param {number} [expiration] seconds; left out, the data goes at once
   * @returns {this}
   */
  destroyClient(id, expiration) {
    const key = keyOf(id);
    if (key !== undefined && Object.hasOwn(this.clients, key)) {
      this.clients[key].destroy(expiration);
      delete this.clients[key];
    }
    return this;
  }

  /**
   * Destroys all clients and closes the connections once what is queued has left (for at most
   * `commandTimeout` if Redis is away); then the event `close` follows, and nothing of the store
   * keeps the process alive. As 0.9's store does, it also ends the client objects passed to it.
   * @param {number} [expiration] seconds that the clients' data is kept; left out, it goes at once
   */
  destroy(expiration) {
    if (this.#destroyed) return;
    this.#destroyed = true;
    for (const id of Object.keys(this.clients)) this.destroyClient(id, expiration);
    this.clients = {};
    this.#backplane.close();
    for (const client of new Set([this.pub, this.sub, this.cmd])) endClient(client);
  }

  /**
   * Lets the process exit although the store is open.
   * @returns {this}
   */
  unref() {
    this.#backplane.unref();
    return this;
  }

  /**
   * Takes `unref()` back.
   * @returns {this}
   */
  ref() {
    this.#backplane.ref();
    return this;
  }

  /**
   * What has been counted since the store was made, how full its queues are, and how its
   * connections are.
   * @returns {import('../..').RedisStoreStats}
   */
  stats() {
    const webSockets = this.#transports && { webSockets: this.#transports.stats() };
    return { nodeId: this.nodeId, ...this.#backplane.stats(), ...webSockets };
  }

  /**
   * Has the WebSockets of a 0.9 server read and written off the event loop, and broadcasts written to them without
   * it. Transports of other kinds stay 0.9's.
   * @param {any} io what `listen()` of socket.io 0.9 returned
   * @returns {this}
   * @throws {TypeError} `ERR_INVALID_OPTION` when it is something else
   */
  engine(io) {
    this.#transports ??= new NativeTransports(io, this.#native, this.#backplane);
    return this;
  }
}

/**
 * What calls `fn` without arguments, as 0.9's store does, or with an error.
 * @param {((error?: Error) => void) | undefined} fn
 */
function answerTo(fn) {
  return fn && ((/** @type {Error | null} */ error) => (error ? fn(error) : fn()));
}

/** A third of the time that loading takes would be for node:crypto, so it is loaded when it is needed. */
function uniqueId() {
  return require('node:crypto').randomUUID();
}

/** @param {unknown} id @returns {string | undefined} nothing when it cannot be text */
function keyOf(id) {
  try {
    return String(id);
  } catch {
    return undefined;
  }
}

RedisStore.Client = Client;

module.exports = { RedisStore };
