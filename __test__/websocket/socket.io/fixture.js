'use strict';

/** Servers of Socket.IO with ws, which is the control, with our WebSockets, and with our adapter besides. */

const assert = require('node:assert/strict');
const http = require('node:http');
const { after, before, describe } = require('node:test');
const { Server } = require('socket.io-4');
const { Manager } = require('socket.io-client-4');
const { createAdapter, WebSocketServer } = require('../../..');
const { startRedis } = require('../../../dev/redis-server');
const { LIMIT } = require('../../support/limits');
const { collect, next } = require('../engine.io/fixture');

const HOST = '127.0.0.1';

/**
 * @typedef {object} Variant
 * @property {string} name
 * @property {boolean} ours whether the WebSockets are ours
 * @property {boolean} adapter whether the adapter is ours
 */

/** @type {Variant[]} */
const VARIANTS = [
  { name: 'ws', ours: false, adapter: false },
  { name: 'ours', ours: true, adapter: false },
  { name: 'ours, with our adapter', ours: true, adapter: true },
];

class Fixture {
  /** @type {Manager[]} */
  #managers = [];

  /** @param {Variant} variant @param {any} options Socket.IO's @param {import('../../../dev/redis-server').RedisServer} redis */
  constructor(variant, options, redis) {
    this.variant = variant;
    this.http = http.createServer();
    const engine = variant.ours ? { wsEngine: WebSocketServer } : {};
    const adapter = variant.adapter ? { adapter: createAdapter(redis.url) } : {};
    this.io = new Server(this.http, { ...engine, ...adapter, ...options });
  }

  async listen() {
    this.http.listen(0, HOST);
    await next(this.http, 'listening');
    this.port = /** @type {import('node:net').AddressInfo} */ (this.http.address()).port;
    return this;
  }

  /** A connection, on which sockets of many namespaces may be. @param {any} [options] */
  manager(options) {
    const all = { transports: ['websocket'], reconnection: false, autoConnect: false, ...options };
    const manager = new Manager(`http://${HOST}:${this.port}`, all);
    this.#managers.push(manager);
    return manager;
  }

  /**
   * Begins to connect.
   * @param {string} [nsp]
   * @param {any} [options] the client's
   */
  client(nsp = '/', { auth, manager, ...options } = /** @type {any} */ ({})) {
    const socket = (manager ?? this.manager(options)).socket(nsp, { auth });
    socket.connect();
    return socket;
  }

  /**
   * Connects.
   * @param {string} [nsp]
   * @param {any} [options]
   * @returns {Promise<{ client: any, socket: any }>} `socket`: the server's side
   */
  async pair(nsp = '/', options = undefined) {
    const client = this.client(nsp, options);
    await next(client, 'connect');
    return { client, socket: this.io.of(nsp).sockets.get(client.id) };
  }

  /** Connects so many. @param {number} count @param {string} [nsp] @param {any} [options] */
  async pairs(count, nsp, options) {
    const pairs = [];
    for (let i = 0; i < count; i++) pairs.push(await this.pair(nsp, options));
    return pairs;
  }

  /** Ends all. */
  async close() {
    for (const manager of this.#managers) manager.reconnection(false).engine?.close();
    const closed = next(this.http, 'close');
    this.io.close();
    this.http.closeAllConnections();
    await closed;
    if (this.variant.ours) {
      const { fallbacks } = /** @type {any} */ (this.io.engine).ws.stats();
      assert.deepEqual(fallbacks, {}, 'all WebSockets are native');
    }
  }
}

/**
 * Describes what all have to do.
 * @param {string} title
 * @param {(start: (t: import('node:test').TestContext, options?: any) => Promise<Fixture>, variant: Variant) => void} tests
 */
function describeEach(title, tests) {
  for (const variant of VARIANTS) {
    describe(`${title}: ${variant.name}`, LIMIT, () => {
      /** @type {any} */
      let redis;
      before(async () => {
        if (variant.adapter) redis = await startRedis();
      });
      after(() => redis?.stop());
      tests(async (t, options = {}) => {
        const fixture = await new Fixture(variant, options, redis).listen();
        t.after(() => fixture.close());
        return fixture;
      }, variant);
    });
  }
}

/**
 * What clients have heard, once a last event has come to all of them.
 * @param {any} io who sends it
 * @param {any[]} clients
 * @param {() => unknown} act
 * @returns {Promise<any[][][]>} for each client, its events and their arguments
 */
async function heardBy(io, clients, act) {
  const heard = clients.map((client) => collect(client, 'end', () => 'end'));
  const events = clients.map((client) => {
    const all = /** @type {any[][]} */ ([]);
    client.onAny((...args) => args[0] !== 'end' && all.push(args));
    return all;
  });
  await act();
  io.emit('end');
  for (const each of heard) await each.atLeast(1);
  for (const client of clients) client.offAny();
  return events;
}

module.exports = { collect, describeEach, heardBy, next };
