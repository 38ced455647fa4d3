'use strict';

const { once } = require('node:events');
const { WebSocket } = require('ws');
const { writable } = require('../../support/load');

/** The event between two cases. */
const MARKER = '#';
const MARKER_TEXT = /^42\["#",(\d+)\]$/;

/**
 * A client that knows just enough of Engine.IO and Socket.IO to be connected, and keeps every frame
 * as it comes: text as it is, behind `text `, and binary as hex, behind `binary `.
 */
class RawClient {
  #socket;
  /** @type {string[]} What comes before the first marker is of no interest. */
  #frames = [];
  /** @type {Map<number, string[]>} */
  #cases = new Map();
  /** @type {Map<number, () => void>} */
  #waits = new Map();

  /** @param {import('../../support/adapter-node').AdapterNode} node */
  constructor(node) {
    this.node = node;
    const address = `ws://127.0.0.1:${node.port}/socket.io/?EIO=4&transport=websocket`;
    this.#socket = new WebSocket(address, { perMessageDeflate: false });
    this.#socket.on('message', (data, isBinary) => this.#take(/** @type {Buffer} */ (data), isBinary));
  }

  /**
   * Connects to namespaces and joins the rooms in each. The server's side does that: there are names
   * that a client cannot say.
   * @param {string[]} namespaces the first is `/`
   * @param {any[]} rooms
   */
  async open(namespaces, rooms) {
    const [main, ...others] = namespaces.map((name) => this.node.io.of(name));
    await once(this.#socket, 'open');
    this.#socket.send('40');
    const [first] = await once(main, 'connection');
    first.join(rooms);
    for (const nsp of others) {
      const connected = once(nsp, 'connection');
      first.client.connect(nsp.name, {});
      (await connected)[0].join(rooms);
    }
    this.engine = first.conn;
    return this;
  }

  /**
   * @param {Buffer} data
   * @param {boolean} isBinary
   */
  #take(data, isBinary) {
    const text = isBinary ? '' : data.toString();
    if (text === '2') return this.#socket.send('3');
    const marker = MARKER_TEXT.exec(text);
    if (marker === null) {
      this.#frames.push(isBinary ? `binary ${data.toString('hex')}` : `text ${text}`);
      return;
    }
    const number = Number(marker[1]);
    this.#frames = [];
    this.#cases.set(number, this.#frames);
    this.#waits.get(number)?.();
  }

  /**
   * Resolves when a marker has come.
   * @param {number} number
   */
  async marker(number) {
    if (this.#cases.has(number)) return;
    await new Promise((resolve) => this.#waits.set(number, () => resolve(undefined)));
    this.#waits.delete(number);
  }

  /**
   * @param {number} number
   * @returns {string[]} the frames between this marker and the next one, which are forgotten
   */
  after(number) {
    const frames = this.#cases.get(number) ?? [];
    this.#cases.delete(number);
    return frames;
  }

  /** Resolves when the server would write to it at once, which is when `volatile` arrives. */
  async writable() {
    await writable(this.engine);
  }

  close() {
    this.#socket.terminate();
  }
}

module.exports = { MARKER, RawClient };
