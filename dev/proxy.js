'use strict';

/** A TCP proxy in front of Redis that can fail in the ways in which networks do. */

const { once } = require('node:events');
const net = require('node:net');

const HOST = '127.0.0.1';

class Proxy {
  #server;
  /** @type {Set<{ client: net.Socket, upstream: net.Socket }>} */
  #pairs = new Set();
  #frozen = false;
  #refusing = false;

  /**
   * @param {net.Server} server
   * @param {number} target the port to forward to
   */
  constructor(server, target) {
    this.#server = server;
    /** Called with what Redis answers. @type {(chunk: Buffer) => void} */
    this.onAnswer = () => {};
    server.on('connection', (client) => this.#forward(client, target));
    const { port } = /** @type {net.AddressInfo} */ (server.address());
    this.port = port;
    this.url = `redis://${HOST}:${port}`;
  }

  #forward(client, target) {
    client.on('error', () => {});
    if (this.#refusing) {
      client.destroy();
      return;
    }
    const upstream = net.connect(target, HOST);
    const pair = { client, upstream };
    this.#pairs.add(pair);
    upstream.on('data', (chunk) => this.onAnswer(chunk));
    for (const [from, to] of [[client, upstream], [upstream, client]]) {
      from.setNoDelay(true);
      from.on('error', () => {});
      from.on('data', (chunk) => {
        if (!to.write(chunk)) from.pause();
      });
      from.on('close', () => {
        this.#pairs.delete(pair);
        to.destroy();
      });
      to.on('drain', () => {
        if (!this.#frozen) from.resume();
      });
      if (this.#frozen) from.pause();
    }
  }

  /** How many connections lead through it. */
  get connections() { return this.#pairs.size; }

  /** Forwards nothing more, either way, and closes nothing; new connections are accepted. */
  freeze() {
    this.#frozen = true;
    for (const { client, upstream } of this.#pairs) {
      client.pause();
      upstream.pause();
    }
  }

  /** Goes on where `freeze()` stopped. */
  thaw() {
    this.#frozen = false;
    for (const { client, upstream } of this.#pairs) {
      client.resume();
      upstream.resume();
    }
  }

  /** Ends all connections there are, with what is under way in them. */
  cut() {
    for (const { client, upstream } of this.#pairs) {
      client.destroy();
      upstream.destroy();
    }
  }

  /** Ends all connections, and new ones at once. */
  refuse() {
    this.#refusing = true;
    this.cut();
  }

  /** Accepts connections again. */
  accept() {
    this.#refusing = false;
  }

  /**
   * Writes to the clients what Redis never said.
   * @param {Buffer | string} bytes
   */
  inject(bytes) {
    for (const { client } of this.#pairs) client.write(bytes);
  }

  async close() {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }
}

/**
 * @param {number} target the port to forward to
 * @param {number} [port] where to listen; a free one unless said
 * @returns {Promise<Proxy>}
 */
async function startProxy(target, port = 0) {
  const server = net.createServer().listen(port, HOST);
  await once(server, 'listening');
  return new Proxy(server, target);
}

module.exports = { startProxy };
