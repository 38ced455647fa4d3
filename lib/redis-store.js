'use strict';

const { EventEmitter } = require('node:events');

const { NativeStore } = require('./binding');
const { Client, inner } = require('./client');
const { Deliveries } = require('./deliveries');
const { isFlat, VOLATILE } = require('./dispatch');
const { parseEndpoint } = require('./endpoint');
const { endClient } = require('./endpoint/end');
const { readOptions } = require('./options');
const { Reporter } = require('./reporter');
const { Unpacker } = require('./unpacker');

/**
 * A timer that never fires (the longest that Node takes) keeps the process alive, and the store.
 */
const FOREVER = 2 ** 31 - 1;

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
 * `reconnecting`, `gap`, `error` and `close`; see index.d.ts for what they carry. An `error` that
 * nobody listens for is not thrown but written to the console, once per outage.
 *
 * The store keeps the process alive until `destroy()`, as the JavaScript store's connections do.
 */
class RedisStore extends EventEmitter {
  #native;
  #deliveries;
  #endpoints;
  #connecting;
  #connected = false;
  #destroyed = false;
  #flush;
  #packs;
  #alive;

  /**
   * @param {import('..').RedisStoreOptions} [options]
   * @throws {TypeError} `ERR_INVALID_OPTION`, which names the option
   */
  constructor(options = {}) {
    super();
    this.setMaxListeners(0);
    const settings = readOptions(options);
    this.#endpoints = {
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
    this.pub = this.#endpoints.pub.client;
    /** The client object that was passed as `redisSub`, else `null`. It is never used. */
    this.sub = this.#endpoints.sub.client;
    /** The client object that was passed as `redisClient`, else `null`. It is never used. */
    this.cmd = this.#endpoints.cmd.client;
    /** @type {unknown} The server's manager, which sets it. */
    this.manager = undefined;

    this.#packs = settings.native.raw;
    this.#flush = settings.native.commandTimeout;
    this.#deliveries = new Deliveries(new Reporter(this, () => clearInterval(this.#alive)));
    const native = { ...settings.native, nodeId: JSON.stringify(this.nodeId) };
    this.#native = new NativeStore(native, RedisStore.#waker(this));
    if (settings.native.raw) this.#deliveries.unpacker = new Unpacker(this, this.#native, settings.buffers);
    inner.set(this, { native: this.#native, deliveries: this.#deliveries });
    this.#alive = setInterval(() => this, FOREVER);
    // The application may still call auth() or select() on its clients, until its turn is over.
    this.#connecting = setImmediate(() => this.#connect());
  }

  #connect() {
    this.#connected = true;
    try {
      const { pub, sub, cmd } = this.#endpoints;
      this.#native.connect(...[pub, sub, cmd].map((endpoint) => JSON.stringify(endpoint.read())));
    } catch (error) {
      this.#deliveries.reporter.error(error);
    }
  }

  /**
   * What the native side calls. It holds what it is given, and the store holds it: a plain
   * reference would be a cycle that no garbage collector sees.
   */
  static #waker(store) {
    const reference = new WeakRef(store);
    return () => {
      const alive = reference.deref();
      if (alive) alive.#drain();
    };
  }

  #drain() {
    const batch = this.#native.drain();
    if (batch === null) return;
    // Timers and sockets get their turn before the next batch.
    if (batch.more) setImmediate(() => this.#drain());
    this.#deliveries.deliver(batch);
  }

  /**
   * Publishes to the other nodes, as 0.9's store does. Emits `publish` with the same arguments.
   * @param {string} name the channel
   * @param {...unknown} args what JSON can hold
   */
  publish(name, ...args) {
    if (this.#packs) {
      this.#native.publishPacked(String(name), this.pack({ nodeId: this.nodeId, args }));
    } else if (name === 'dispatch' && isFlat(args)) {
      this.#dispatch(args);
    } else {
      this.#native.publish(String(name), JSON.stringify(args));
    }
    this.emit('publish', name, ...args);
  }

  /** @param {any[]} args */
  #dispatch([room, packet, volatile, exceptions]) {
    const ids = exceptions.length === 0 ? '' : JSON.stringify(exceptions);
    this.#native.dispatch(room, packet, VOLATILE.indexOf(volatile ?? null), ids);
  }

  /**
   * Subscribes to a channel. A channel may have several consumers. Emits `subscribe`.
   * @param {string} name the channel
   * @param {(...args: any[]) => void} [consumer] called with what another node published
   * @param {() => void} [fn] called once Redis has confirmed the subscription
   */
  subscribe(name, consumer, fn) {
    const channel = this.#native.subscribe(String(name), this.#deliveries.expect(fn && (() => fn())));
    if (consumer) this.#deliveries.add(channel, String(name), consumer);
    this.emit('subscribe', name, consumer, fn);
  }

  /**
   * Leaves a channel, with all its consumers. Emits `unsubscribe`.
   * @param {string} name the channel
   * @param {() => void} [fn] called once Redis has confirmed it
   */
  unsubscribe(name, fn) {
    this.#deliveries.remove(String(name));
    this.#native.unsubscribe(String(name), this.#deliveries.expect(fn && (() => fn())));
    this.emit('unsubscribe', name, fn);
  }

  /**
   * The data of a client, in a Redis hash whose key is the client's id.
   * @param {string} id
   * @returns {InstanceType<typeof Client>}
   */
  client(id) {
    const { Client: Constructor } = /** @type {typeof RedisStore} */ (this.constructor);
    this.clients[id] ??= new Constructor(this, id);
    return this.clients[id];
  }

  /**
   * Deletes a client's data, or lets it expire.
   * @param {string} id
   * @param {number} [expiration] seconds; left out, the data goes at once
   * @returns {this}
   */
  destroyClient(id, expiration) {
    if (this.clients[id]) {
      this.clients[id].destroy(expiration);
      delete this.clients[id];
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
    clearImmediate(this.#connecting);
    if (!this.#connected) this.#connect();
    this.#native.close(this.#flush);
    for (const client of new Set([this.pub, this.sub, this.cmd])) endClient(client);
  }

  /**
   * Lets the process exit although the store is open.
   * @returns {this}
   */
  unref() {
    this.#alive.unref();
    return this;
  }

  /**
   * Takes `unref()` back.
   * @returns {this}
   */
  ref() {
    this.#alive.ref();
    return this;
  }

  /**
   * What has been counted since the store was made, how full its queues are, and how its
   * connections are.
   * @returns {import('..').RedisStoreStats}
   */
  stats() {
    const { depths, links, ...counters } = this.#native.stats();
    const [publish, publishBytes, command, commandBytes, mailbox, mailboxBytes] = depths;
    const [pub, sub, cmd] = links;
    return {
      nodeId: this.nodeId,
      ...counters,
      queues: {
        publish: { messages: publish, bytes: publishBytes },
        command: { messages: command, bytes: commandBytes },
        mailbox: { messages: mailbox, bytes: mailboxBytes },
      },
      connections: { pub, sub, cmd },
    };
  }
}

/** A third of the time that loading takes would be for node:crypto, so it is loaded when it is needed. */
function uniqueId() {
  return require('node:crypto').randomUUID();
}

RedisStore.Client = Client;

module.exports = { RedisStore };
