'use strict';

/** HTTP servers with a WebSocket server behind them: ws's, which is the control, or ours. */

const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');
const ws = require('ws');
const { PATIENCE } = require('../support/limits');
const { WebSocketServer } = require('../..');

/**
 * @typedef {object} Engine
 * @property {'ws' | 'native'} name
 * @property {any} Server
 */

/** @type {Engine[]} */
const ENGINES = [
  { name: 'ws', Server: ws.WebSocketServer },
  { name: 'native', Server: WebSocketServer },
];

const HOST = '127.0.0.1';
/** The request of RFC 6455, and what is to be answered. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

/** The head of a request to upgrade. @param {Record<string, string | null>} [headers] null leaves one out */
function requestHead(headers = {}, { method = 'GET', path = '/' } = {}) {
  const all = {
    Host: HOST,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': KEY,
    'Sec-WebSocket-Version': '13',
    ...headers,
  };
  const lines = Object.entries(all).filter(([, value]) => value !== null);
  return `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

/** A frame of a client. @param {number} opcode @param {string | Buffer} payload of less than 126 bytes */
function clientFrame(opcode, payload) {
  const data = Buffer.from(payload);
  const mask = Buffer.from([1, 2, 3, 4]);
  return Buffer.concat([
    Buffer.from([0x80 | opcode, 0x80 | data.length]),
    mask,
    data.map((byte, i) => byte ^ mask[i % 4]),
  ]);
}

/** Waits for an event, not for ever. @returns {Promise<any[]>} */
function next(emitter, event) {
  return once(emitter, event, { signal: AbortSignal.timeout(PATIENCE) });
}

/** Collects what comes, for those who wait for a number of it. */
class Collected {
  items = [];
  #waiting = () => {};

  push(item) {
    this.items.push(item);
    this.#waiting();
  }

  /** @param {number} count @returns {Promise<any[]>} */
  async atLeast(count) {
    while (this.items.length < count) {
      await new Promise((resolve, reject) => {
        const limit = setTimeout(
          () => reject(new Error(`${count} were awaited, and these came: ${this.items}`)),
          PATIENCE,
        );
        this.#waiting = () => {
          clearTimeout(limit);
          resolve(undefined);
        };
      });
    }
    return this.items;
  }
}

/** A client of bytes. */
class RawClient {
  #bytes = Buffer.alloc(0);
  #waiting = () => {};
  ended = false;

  /** @param {any} target what `net.connect` takes; it ends when the server does */
  constructor(target) {
    this.socket = net.connect(target);
    this.socket.on('data', (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#waiting();
    });
    // A reset is an end too.
    for (const event of ['end', 'error', 'close']) {
      this.socket.on(event, () => {
        this.ended = true;
        this.#waiting();
      });
    }
  }

  async #more() {
    await new Promise((resolve, reject) => {
      const limit = setTimeout(
        () => reject(new Error(`nothing came behind ${this.#bytes.toString('latin1')}`)),
        PATIENCE,
      );
      this.#waiting = () => {
        clearTimeout(limit);
        resolve(undefined);
      };
    });
  }

  /** All until the end. @returns {Promise<string>} */
  async rest() {
    while (!this.ended) await this.#more();
    return this.#bytes.toString('latin1');
  }

  /** The head of the response. @returns {Promise<string>} */
  async head() {
    while (!this.#bytes.includes('\r\n\r\n') && !this.ended) await this.#more();
    const end = this.#bytes.indexOf('\r\n\r\n') + 4;
    const head = this.#bytes.subarray(0, end).toString('latin1');
    this.#bytes = this.#bytes.subarray(end);
    return head;
  }

  /** The next frame, of less than 64 KiB. @returns {Promise<{ opcode: number, payload: Buffer } | null>} null at the end */
  async frame() {
    for (;;) {
      const bytes = this.#bytes;
      const isLong = bytes.length > 4 && bytes[1] === 126;
      const start = isLong ? 4 : 2;
      const end = bytes.length < 2 ? Infinity : start + (isLong ? bytes.readUInt16BE(2) : bytes[1]);
      if (bytes.length >= end) {
        this.#bytes = bytes.subarray(end);
        return { opcode: bytes[0] & 15, payload: bytes.subarray(start, end) };
      }
      if (this.ended) return null;
      await this.#more();
    }
  }
}

/** An HTTP server, whose upgrades go to a WebSocket server. */
class Fixture {
  /** @type {any[]} */
  #clients = [];

  /**
   * @param {any} Server the class of the WebSocket server
   * @param {any} [options] of it
   * @param {(upgrade: { req: any, socket: any, head: Buffer, accept: (webSocket: any, req: any) => void }) => void} [upgrade]
   */
  constructor(
    Server,
    options = {},
    upgrade = ({ req, socket, head, accept }) => this.wss.handleUpgrade(req, socket, head, accept),
  ) {
    this.wss = new Server({ noServer: true, clientTracking: false, ...options });
    this.http = http.createServer();
    /** The server's side of each connection. */
    this.accepted = new Collected();
    /** @type {(webSocket: any, req: any) => void} */
    this.onAccept = () => {};
    this.http.on('upgrade', (req, socket, head) => {
      const accept = (/** @type {any} */ webSocket, /** @type {any} */ request) => {
        this.onAccept(webSocket, request);
        this.accepted.push(webSocket);
      };
      upgrade({ req, socket, head, accept });
    });
  }

  /** @param {any} [target] what `listen` takes */
  async listen(target = { port: 0, host: HOST }) {
    this.http.listen(target);
    await next(this.http, 'listening');
    this.address = /** @type {any} */ (this.http.address());
    return this;
  }

  get port() {
    return this.address.port;
  }

  /** A client of bytes. */
  raw() {
    const client = new RawClient({ host: HOST, port: this.port });
    this.#clients.push(client.socket);
    return client;
  }

  /** A client that sends bytes, and its connection here. */
  async connectRaw() {
    const client = this.raw();
    const count = this.accepted.items.length + 1;
    client.socket.write(requestHead());
    await client.head();
    return { client, server: (await this.accepted.atLeast(count))[count - 1] };
  }

  /** A client of ws and the server's side of it. @returns {Promise<{ client: any, server: any }>} */
  async connect({ protocols = [], ...options } = /** @type {any} */ ({}), path = '') {
    const client = new ws.WebSocket(`ws://${HOST}:${this.port}${path}`, protocols, {
      perMessageDeflate: false,
      ...options,
    });
    this.#clients.push(client);
    const count = this.accepted.items.length + 1;
    await next(client, 'open');
    return { client, server: (await this.accepted.atLeast(count))[count - 1] };
  }

  /** Ends all. */
  async close() {
    for (const webSocket of this.accepted.items) webSocket.terminate();
    for (const client of this.#clients) (client.terminate ?? client.destroy).call(client);
    const closed = next(this.http, 'close');
    this.http.close();
    this.http.closeAllConnections();
    await closed;
  }
}

/**
 * A fixture that is closed after the test.
 * @param {import('node:test').TestContext} t
 * @param {any} Server
 * @param {any} [options]
 * @param {any} [upgrade]
 */
async function start(t, Server, options, upgrade) {
  const fixture = new Fixture(Server, options, upgrade);
  await fixture.listen();
  t.after(() => fixture.close());
  return fixture;
}

module.exports = { ACCEPT, Collected, ENGINES, Fixture, HOST, KEY, RawClient, clientFrame, next, requestHead, start };
