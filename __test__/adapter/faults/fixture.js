'use strict';

/** A Redis, servers of Socket.IO 4 on it and clients of theirs, all of which end with the test. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');
const official = require('@socket.io/redis-adapter');
const Redis = require('ioredis-6').default;
const notepack = require('notepack.io');
const redis3 = require('redis-3');
const { Server } = require('socket.io-4');
const { createAdapter } = require('../../..');
const { startProxy } = require('../../../dev/proxy');
const { startRedis } = require('../../../dev/redis-server');
const { encodeCommand } = require('../../../dev/resp');
const { AdapterClient } = require('../../support/adapter-client');
const { Inbox } = require('../../support/client-inbox');
const { EventLog, cleanup, until } = require('../../support/load');
const { PATIENCE, SHORT } = require('../../support/limits');
const { installBeside } = require('../../support/versions');
const { engineOptions } = require('../../support/ws-engine');

const HOST = '127.0.0.1';

/**
 * @typedef {object} Settings
 * @property {Record<string, any>} [opts] the adapter's
 * @property {import('../../..').AdapterFactory} [factory] one that several servers share, in the place of `opts` and `url`
 * @property {string} [url] where Redis is, if not at the fixture's
 * @property {string[]} [namespaces] besides `/`
 * @property {Record<string, any>} [server] Socket.IO's options
 * @property {import('../../support/versions').Installed} [installed] Socket.IO and this package, where not the newest
 * @property {boolean} [listens] whether somebody listens to errors; true unless said
 * @property {boolean} [connects] whether the subscriber connects, which is waited for; true unless said
 */

/** A server with our adapter or the official one. */
class Node {
  #http = http.createServer();
  /** @type {Map<string, EventLog>} */
  #eventLogs = new Map();
  #old;

  /** @param {any} adapter @param {Settings} settings */
  constructor(adapter, { namespaces = [], server, installed, listens = true }) {
    this.#old = installed !== undefined;
    this.io = new (installed?.Server ?? Server)(this.#http, { adapter, ...engineOptions(), ...server });
    /** @type {any} */
    this.url = '';
    for (const name of ['/', ...namespaces]) {
      this.io.of(name);
      if (listens) this.#eventLogs.set(name, new EventLog(this.adapter(name)));
    }
  }

  async listen() {
    this.#http.listen(0, HOST);
    await once(this.#http, 'listening');
    this.url = `http://${HOST}:${/** @type {net.AddressInfo} */ (this.#http.address()).port}`;
  }

  /** @returns {any} the adapter of a namespace */
  adapter(nsp = '/') {
    return this.io.of(nsp).adapter;
  }

  /** @returns {EventLog} what the adapter of a namespace has told */
  eventLog(nsp = '/') {
    return /** @type {EventLog} */ (this.#eventLogs.get(nsp));
  }

  async close() {
    const adapters = [...this.io._nsps.values()].map(({ adapter }) => adapter);
    await this.io.close();
    // Which older versions of Socket.IO leave to the application.
    if (this.#old) await Promise.all(adapters.map((adapter) => adapter.close?.()));
    this.#http.closeAllConnections();
  }
}

/** A connection that floods a channel from within Redis, while this event loop may be blocked. */
class Flooder {
  #socket;

  /** @param {net.Socket} socket */
  constructor(socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.resume();
  }

  /**
   * Publishes broadcasts of the event `n` with the numbers 1 to `count`, as six digits.
   * @param {string} channel
   * @param {number} count
   */
  flood(channel, count) {
    const script = `for number = 1, tonumber(ARGV[1]) do
      redis.call('PUBLISH', KEYS[1], ARGV[2] .. string.format('%06d', number) .. ARGV[3]) end return 0`;
    const whole = broadcast(['n', '######']);
    const at = whole.indexOf('######');
    const args = ['EVAL', script, '1', channel, count, whole.subarray(0, at), whole.subarray(at + 6)];
    this.#socket.write(encodeCommand(...args));
  }

  close() {
    this.#socket.destroy();
  }
}

class Fixture {
  #after;

  /** @param {import('../../../dev/redis-server').RedisServer} redis @param {(step: () => unknown) => void} after */
  constructor(redis, after) {
    this.redis = redis;
    this.#after = after;
  }

  /** @param {() => unknown} step is done when the test is over, the last one first */
  after(step) {
    this.#after(step);
  }

  /** A proxy in front of Redis. */
  async proxy() {
    const proxy = await startProxy(this.redis.port);
    this.#after(() => proxy.close());
    return proxy;
  }

  /**
   * A server with our adapter, which hears all others.
   * @param {Settings} [settings]
   */
  async node({ url = this.redis.url, opts, factory, connects = true, ...settings } = {}) {
    const create = settings.installed?.createAdapter ?? createAdapter;
    const made = () => create(url, { commandTimeout: SHORT, requestsTimeout: PATIENCE, ...opts });
    const node = new Node(factory ?? made(), settings);
    this.#after(() => node.close());
    await node.listen();
    if (!connects) return node;
    if (factory)
      await until('the server to hear', async () => (await this.subscribers(node.adapter().requestChannel)) > 0);
    else if (settings.listens === false)
      await until('a connection', () => node.adapter().stats().connections.sub.state === 'connected');
    else await node.eventLog().next('connect', 'sub', undefined, 0);
    return node;
  }

  /**
   * A server with the official adapter.
   * @param {Settings & { login?: { username: string, password: string } }} [settings]
   */
  async official({ opts, login, ...settings } = {}) {
    const [pub, sub] = [this.redisClient(login), this.redisClient(login)];
    const node = new Node(official.createAdapter(pub, sub, { requestsTimeout: PATIENCE, ...opts }), {
      ...settings,
      listens: false,
    });
    this.#after(() => node.close());
    await node.listen();
    for (const { adapter } of /** @type {any} */ (node.io)._nsps.values()) {
      await until('the official server to hear', () =>
        this.subscribers(adapter.specificResponseChannel).then((count) => count === 1),
      );
    }
    // It is counted and hears nothing.
    const freeze = () => sub.removeAllListeners('messageBuffer').removeAllListeners('pmessageBuffer');
    return Object.assign(node, { freeze });
  }

  /**
   * A server with an adapter of an older time, and with the Socket.IO of that time.
   * @param {string} name an alias in the devDependencies
   * @param {Settings} [settings]
   */
  async older(name, { opts, ...settings } = {}) {
    const [pubClient, subClient] = [redis3.createClient(this.redis.port), redis3.createClient(this.redis.port)];
    this.#after(() => [pubClient, subClient].forEach((client) => client.end(true)));
    const subscribed = new Set();
    subClient.on('subscribe', (channel) => subscribed.add(channel));
    const { createAdapter: create } = require(name);
    const adapter = name.startsWith('socket.io-redis')
      ? create({ pubClient, subClient, ...opts })
      : create(pubClient, subClient, opts);
    const node = new Node(adapter, { installed: installBeside('socket.io-4.3'), ...settings, listens: false });
    this.#after(() => node.close());
    await node.listen();
    for (const nsp of node.io._nsps.values()) {
      await until('the older server to hear', () => subscribed.has(nsp.adapter.responseChannel));
    }
    // It is counted and hears nothing.
    const freeze = () => subClient.removeAllListeners('messageBuffer').removeAllListeners('pmessageBuffer');
    return Object.assign(node, { freeze });
  }

  /**
   * A client of ioredis.
   * @param {{ username: string, password: string }} [login]
   */
  redisClient(login) {
    const client = new Redis(this.redis.port, HOST, { retryStrategy: () => 20, enableReadyCheck: !login, ...login });
    client.setMaxListeners(0);
    client.on('error', () => {});
    // What the official adapter has asked for last is answered first.
    this.#after(() => (client.status === 'ready' ? client.quit() : client.disconnect()));
    return client;
  }

  /**
   * Somebody who listens to channels and patterns, and is no server.
   * @param {string[]} channels
   * @param {string[]} [patterns]
   */
  async spy(channels, patterns = []) {
    const client = this.redisClient();
    const inbox = new Inbox();
    client.on('messageBuffer', (channel, message) => inbox.push({ channel: String(channel), message }));
    client.on('pmessageBuffer', (_, channel, message) => inbox.push({ channel: String(channel), message }));
    if (channels.length > 0) await client.subscribe(...channels);
    if (patterns.length > 0) await client.psubscribe(...patterns);
    return Object.assign(inbox, { leave: () => client.quit() });
  }

  async flooder() {
    const socket = net.connect(this.redis.port, HOST);
    await once(socket, 'connect');
    const flooder = new Flooder(socket);
    this.#after(() => flooder.close());
    return flooder;
  }

  /**
   * Connects a client.
   * @param {Node} node
   * @param {string} [nsp]
   */
  async client(node, nsp = '/') {
    const client = await new AdapterClient(/** @type {any} */ (node), nsp).open();
    this.#after(() => client.manager._close());
    return client;
  }

  /** @param {string} channel @returns {Promise<number>} */
  async subscribers(channel) {
    return (await this.redis.command('PUBSUB', 'NUMSUB', channel))[1];
  }

  /** @returns {Promise<string[]>} all channels that somebody is subscribed to */
  async channels(pattern = '*') {
    return (await this.redis.command('PUBSUB', 'CHANNELS', pattern)).sort();
  }

  /** @param {string} channel @param {string | Buffer} message @returns {Promise<number>} */
  publish(channel, message) {
    return this.redis.command('PUBLISH', channel, message);
  }
}

/**
 * @param {import('node:test').TestContext} t
 * @param {string[]} [args] of Redis
 */
async function createFixture(t, args = []) {
  const after = cleanup(t);
  /** @type {unknown[]} */
  const unhandled = [];
  const keep = (reason) => unhandled.push(reason);
  process.setMaxListeners(0); // tests that run together add some
  process.on('unhandledRejection', keep);
  after(() => {
    process.removeListener('unhandledRejection', keep);
    assert.deepEqual(unhandled, [], 'nothing rejects unhandled');
  });
  // Neither adapters nor this Redis hold the process.
  const hold = setInterval(() => {}, 1_000_000);
  after(() => clearInterval(hold));
  const redis = await startRedis({ args });
  after(() => redis.stop());
  return new Fixture(redis, after);
}

/**
 * A broadcast as it stands on the wire.
 * @param {any[]} data
 * @param {{ nsp?: string, rooms?: any[], except?: any[], uid?: string }} [options]
 * @returns {Buffer}
 */
function broadcast(data, { nsp = '/', rooms = [], except = [], uid = 'raw' } = {}) {
  return notepack.encode([uid, { type: 2, data, nsp }, { rooms, except, flags: {} }]);
}

/**
 * A socket without a connection, in rooms.
 * @param {Node} node
 * @param {string} id
 * @param {any[]} rooms
 * @param {(packets: any[]) => void} write gets what is written to it
 */
function stub({ io }, id, rooms, write) {
  const socket = { id, rooms: new Set(rooms), notifyOutgoingListeners() {}, client: { writeToEngine: write } };
  const nsp = io.of('/');
  nsp.sockets.set(id, /** @type {any} */ (socket));
  nsp.adapter.addAll(id, new Set([id, ...rooms]));
  return () => {
    nsp.adapter.delAll(id);
    nsp.sockets.delete(/** @type {any} */ (id));
  };
}

/**
 * Has a server wait for responses for a minute; one that does not gets none.
 * @param {any} adapter of a namespace
 */
function awaitResponses(adapter) {
  const opts = { rooms: new Set(['elsewhere']), except: new Set(), flags: { timeout: 60_000 } };
  const ignore = () => {};
  adapter.broadcastWithAck({ type: 2, data: ['awaited'] }, opts, ignore, ignore);
}

/** @param {number} from @param {number} to */
function range(from, to) {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

module.exports = { Fixture, awaitResponses, broadcast, createFixture, range, stub };
