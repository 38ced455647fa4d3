'use strict';

/** Servers whose WebSockets are native, and clients of every sort. */

const { once } = require('node:events');
const { setImmediate: turn } = require('node:timers/promises');
const { WebSocket } = require('ws');
const { AdapterClient } = require('../../support/adapter-client');
const { Inbox } = require('../../support/client-inbox');
const { installBeside } = require('../../support/versions');

/** The newest Socket.IO, and the oldest with either way in which engine.io's transports write. */
const VERSIONS = ['socket.io-4', 'socket.io-4.3', 'socket.io-4.5'];
const { NativeFanout } = require('../../../lib/backplane/binding');

/**
 * A server with our adapter and our WebSockets.
 * @param {import('../faults/fixture').Fixture} fixture
 * @param {string} [version] of Socket.IO
 * @param {Record<string, any>} [server] its options
 * @param {Record<string, any>} [opts] the adapter's
 */
function nativeNode(fixture, version = 'socket.io-4', server = {}, opts = {}) {
  const installed = version === 'socket.io-4' ? undefined : installBeside(version);
  const { WebSocketServer } = /** @type {any} */ (installed ?? require('../../..'));
  return fixture.node({ installed, opts, server: { wsEngine: WebSocketServer, ...server } });
}

/**
 * A client of Socket.IO's own.
 * @param {import('../faults/fixture').Fixture} fixture
 * @param {any} node
 * @param {any} [options] those of `AdapterClient`, and `nsp`
 * @returns {Promise<any>}
 */
async function connect(fixture, node, { nsp = '/', ...options } = {}) {
  const client = await new AdapterClient(node, nsp, options).open();
  fixture.after(() => client.manager._close());
  return client;
}

/** A client that is no more than a WebSocket: what it hears are Engine.IO's packets. */
class BareClient {
  #inbox = new Inbox();

  /** @param {any} node @param {number} revision of Engine.IO */
  constructor(node, revision) {
    const url = `${node.url.replace('http', 'ws')}/socket.io/?EIO=${revision}&transport=websocket`;
    this.webSocket = new WebSocket(url, { perMessageDeflate: false });
    this.webSocket.on('message', (data, isBinary) => this.#inbox.push(isBinary ? data : String(data)));
    this.webSocket.on('error', () => {});
    this.webSocket.on('close', () => this.#inbox.end(new Error('closed')));
  }

  /** @param {(packet: any) => boolean} matches @returns {Promise<any[]>} what has come up to the first that matches */
  through(matches) {
    return this.#inbox.through(matches);
  }

  /** @param {string} text */
  send(text) {
    this.webSocket.send(text);
  }
}

/**
 * @param {import('../faults/fixture').Fixture} fixture
 * @param {any} node
 * @param {number} [revision]
 */
async function connectBare(fixture, node, revision = 4) {
  const client = new BareClient(node, revision);
  fixture.after(() => client.webSocket.terminate());
  await once(client.webSocket, 'open');
  return client;
}

/**
 * Emits the event `n` with the numbers from 0, some a turn of the event loop, until `isOver`.
 * @param {any} io
 * @param {() => boolean} isOver
 * @param {(number: number) => unknown} [meanwhile] called after each
 * @returns {Promise<number>} how many
 */
async function flood(io, isOver, meanwhile) {
  let number = 0;
  while (!isOver()) {
    for (let i = 0; i < 5; i++) {
      io.emit('n', number, ...(number % 7 === 0 ? [Buffer.from(`part ${number}`)] : []));
      meanwhile?.(number);
      number++;
    }
    await turn();
  }
  return number;
}

/**
 * The numbers of one event among what a client has heard.
 * @param {any[]} heard
 * @param {string} event
 */
function numbersOf(heard, event) {
  return heard.filter(([name]) => name === event).map(([, number]) => number);
}

/** Counts what the native side is told, of all namespaces. @param {(step: () => unknown) => void} after */
function countMembers(after) {
  const counts = { added: 0, removed: 0, native: 0 };
  const { add, remove, setNative } = NativeFanout.prototype;
  Object.assign(NativeFanout.prototype, {
    /** @this {any} */
    add(/** @type {any[]} */ ...args) {
      counts.added++;
      if (args[0] !== 0) counts.native++;
      return add.apply(this, args);
    },
    /** @this {any} */
    remove(/** @type {any[]} */ ...args) {
      counts.removed++;
      return remove.apply(this, args);
    },
    /** @this {any} */
    setNative(/** @type {any[]} */ ...args) {
      if (args[1] !== 0) counts.native++;
      return setNative.apply(this, args);
    },
  });
  after(() => Object.assign(NativeFanout.prototype, { add, remove, setNative }));
  return counts;
}

module.exports = { VERSIONS, connect, connectBare, countMembers, flood, nativeNode, numbersOf };
