'use strict';

/** Clients of Socket.IO 4, each on a connection of its own, that keep what they hear until a test asks for it. */

const { once } = require('node:events');
const { Manager } = require('socket.io-client-4');
const { Inbox } = require('./client-inbox');
const { writable } = require('./load');

/**
 * @typedef {object} ClientOptions
 * @property {('websocket' | 'polling')[]} [transports] WebSocket alone unless said
 * @property {any} [parser] as the server's
 * @property {Record<string, any>} [auth]
 * @property {Record<string, string>} [query]
 * @property {Manager} [manager] of a client whose connection is to be shared
 */

/** One client in one namespace. */
class AdapterClient {
  #inbox = new Inbox();
  /** @type {Promise<any> | undefined} */
  #gone;

  /**
   * @param {import('./adapter-node').AdapterNode} node
   * @param {string} nsp
   * @param {ClientOptions} [options]
   */
  constructor(node, nsp, { manager, auth, ...options } = {}) {
    this.node = node;
    this.nsp = nsp;
    this.manager =
      manager ??
      new Manager(node.url, {
        transports: ['websocket'],
        reconnection: false,
        forceNew: true,
        autoConnect: false,
        ...options,
      });
    this.socket = this.manager.socket(nsp, { auth });
    this.socket.onAny((event, ...args) => this.#inbox.push({ event, args }));
    this.socket.on('disconnect', (reason) => this.#inbox.end(new Error(`disconnected: ${reason}`)));
    /** Set when the client has connected. */
    this.id = '';
  }

  /** Resolves when the server has confirmed it. */
  async open() {
    const connected = new Promise((resolve, reject) => {
      this.socket.once('connect', () => resolve(undefined));
      this.socket.once('connect_error', reject);
      this.manager.once('error', reject);
    });
    this.socket.connect();
    await connected;
    this.id = /** @type {string} */ (this.socket.id);
    /** The server's end of it, which lives in the same process. */
    this.peer = this.node.io.of(this.nsp).sockets.get(this.id);
    this.#gone = once(this.peer, 'disconnect').then(([reason]) => reason);
    return this;
  }

  /**
   * @param {string} name
   * @returns {Promise<any[]>} the arguments of the next event of this name
   */
  async event(name) {
    return (await this.#inbox.take(({ event }) => event === name)).args;
  }

  /**
   * @param {string} name
   * @returns {Promise<any[]>} what has arrived up to this event, itself left out: `[event, ...args]` each
   */
  async until(name) {
    const items = await this.#inbox.through(({ event }) => event === name);
    return items.slice(0, -1).map(({ event, args }) => [event, ...args]);
  }

  /**
   * As `until`, for several events that come in any order; all of them are left out.
   * @param {...string} names
   * @returns {Promise<any[]>}
   */
  async untilAll(...names) {
    const missing = new Set(names);
    const seen = [];
    while (missing.size > 0) {
      const items = await this.#inbox.through(({ event }) => missing.has(event));
      missing.delete(items.pop().event);
      seen.push(...items.map(({ event, args }) => [event, ...args]));
    }
    return seen;
  }

  /** Resolves when the server would write to it at once. */
  async writable() {
    await writable(this.peer.conn);
  }

  /**
   * Answers an event that wants an acknowledgement.
   * @param {string} event
   * @param {(...args: any[]) => any} answer what of its arguments makes the answer
   */
  answers(event, answer) {
    this.socket.on(event, (...args) => args.pop()(answer(...args)));
  }

  /** Resolves with the reason when the server has seen it go. */
  gone() {
    return this.#gone;
  }

  /** Closes it; resolves when the server has seen that. */
  async close() {
    this.socket.disconnect();
    this.manager._close?.();
    await this.#gone;
  }
}

module.exports = { AdapterClient };
