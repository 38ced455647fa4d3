'use strict';

/** Servers of Engine.IO with ws, which is the control, and with ours; with its newest version and its oldest. */

const assert = require('node:assert/strict');
const http = require('node:http');
const path = require('node:path');
const { describe } = require('node:test');
const { Socket: Client } = require('engine.io-client');
const ws = require('ws');
const { WebSocketServer } = require('../../..');
const { LIMIT, PATIENCE } = require('../../support/limits');
const { connectRaw } = require('../../support/raw-websocket');
const { Collected } = require('../fixture');

const HOST = '127.0.0.1';
const ROOT = path.join(__dirname, '../../..');

/** The Engine.IO of a Socket.IO. @param {string} name the alias in the devDependencies */
function engineOf(name) {
  return require(require.resolve('engine.io', { paths: [path.join(ROOT, 'node_modules', name)] }));
}

/**
 * @typedef {object} Variant
 * @property {string} name
 * @property {boolean} ours whether the WebSockets are ours
 * @property {boolean} isOld whether it is the oldest Engine.IO
 * @property {any} engineIo
 */

/** @type {Variant[]} */
const VARIANTS = [
  ['ws', 'socket.io-4', false],
  ['ours', 'socket.io-4', true],
  ['ws, Engine.IO 6.0', 'socket.io-4.3', false],
  ['ours, Engine.IO 6.0', 'socket.io-4.3', true],
].map(([name, io, ours]) => ({
  name: String(name),
  ours: Boolean(ours),
  isOld: io === 'socket.io-4.3',
  engineIo: engineOf(String(io)),
}));

/** The arguments of the next event. @param {any} emitter @param {string} event @returns {Promise<any[]>} */
function next(emitter, event) {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error(`${event} did not come`)), PATIENCE);
    // What is not awaited does not keep the process.
    limit.unref();
    emitter.once(event, (/** @type {any[]} */ ...args) => {
      clearTimeout(limit);
      resolve(args);
    });
  });
}

/** All events of a name from now on. @param {any} emitter @param {string} event @param {(...args: any[]) => any} [map] */
function collect(emitter, event, map = (first) => first) {
  const collected = new Collected();
  emitter.on(event, (/** @type {any[]} */ ...args) => collected.push(map(...args)));
  return collected;
}

class Fixture {
  /** @type {any[]} */
  #clients = [];

  /** @param {Variant} variant @param {any} options Engine.IO's */
  constructor(variant, options) {
    this.variant = variant;
    this.http = http.createServer();
    const all = variant.ours ? { wsEngine: WebSocketServer, ...options } : options;
    this.engine = variant.engineIo.attach(this.http, all);
  }

  async listen() {
    this.http.listen(0, HOST);
    await next(this.http, 'listening');
    this.port = /** @type {import('node:net').AddressInfo} */ (this.http.address()).port;
    this.url = `http://${HOST}:${this.port}`;
    return this;
  }

  /** Begins to connect. @param {any} [options] the client's: WebSocket alone unless said */
  client(options) {
    const client = new Client(this.url, { transports: ['websocket'], ...options });
    this.#clients.push(client);
    return client;
  }

  /**
   * Connects.
   * @param {any} [options] the client's
   * @returns {Promise<{ client: any, socket: any }>} `socket`: the server's side
   */
  async pair(options) {
    const connection = next(this.engine, 'connection');
    const client = this.client(options);
    const [[socket]] = await Promise.all([connection, next(client, 'open')]);
    return { client, socket };
  }

  /** Connects by polling, and resolves when both sides have upgraded. */
  async upgradedPair(options) {
    const connection = next(this.engine, 'connection');
    const client = this.client({ transports: ['polling', 'websocket'], ...options });
    const upgrade = next(client, 'upgrade');
    const [socket] = await connection;
    await Promise.all([next(socket, 'upgrade'), upgrade]);
    return { client, socket };
  }

  /** A WebSocket of ws, on which the test speaks Engine.IO itself. @param {string} query @param {any} [options] */
  ws(query, options) {
    const client = new ws.WebSocket(`ws://${HOST}:${this.port}/engine.io/?${query}`, options);
    this.#clients.push(client);
    return client;
  }

  /** A client of bytes. @param {string} query @param {any} [options] */
  async raw(query, options) {
    const raw = await connectRaw({ port: /** @type {number} */ (this.port), path: `/engine.io/?${query}`, ...options });
    this.#clients.push({ close: () => raw.destroy() });
    return raw;
  }

  /** A request of polling. @param {string} query @param {RequestInit} [options] */
  fetch(query, options) {
    return fetch(`${this.url}/engine.io/?${query}`, options);
  }

  /** Ends all. */
  async close() {
    for (const client of this.#clients) client.close();
    this.engine.close();
    const closed = next(this.http, 'close');
    this.http.close();
    this.http.closeAllConnections();
    await closed;
    if (this.variant.ours && this.engine.ws instanceof WebSocketServer) {
      assert.deepEqual(this.engine.ws.stats().fallbacks, {}, 'all WebSockets are native');
    }
  }
}

/**
 * Describes what all have to do.
 * @param {string} title
 * @param {{ newest?: boolean }} settings whether only by the newest Engine.IO
 * @param {(start: (t: import('node:test').TestContext, options?: any) => Promise<Fixture>, variant: Variant) => void} tests
 */
function describeEach(title, { newest = false }, tests) {
  for (const variant of VARIANTS.filter(({ isOld }) => !(newest && isOld))) {
    describe(`${title}: ${variant.name}`, LIMIT, () => {
      tests(async (t, options = {}) => {
        const fixture = await new Fixture(variant, options).listen();
        t.after(() => fixture.close());
        return fixture;
      }, variant);
    });
  }
}

module.exports = { HOST, collect, describeEach, next };
