'use strict';

const { startRedis } = require('../../../dev/redis-server');
const { AdapterNode, settled } = require('../../support/adapter-node');
const { MARKER, RawClient } = require('./raw-client');

/**
 * A case: what is emitted, and to whom.
 * @typedef {object} Case
 * @property {string} nsp
 * @property {any} event
 * @property {any[]} args
 * @property {any[]} [to] rooms
 * @property {any[]} [except] rooms
 * @property {boolean} [compress]
 * @property {boolean} [volatile]
 * @property {boolean} [local]
 */
/**
 * What the clients of one sort of node got of a case, client after client.
 * @typedef {string[][]} Seen
 */
/**
 * What came of one case: to the sender's own clients, and to those of the two receivers.
 * @typedef {{ local: Seen, official: Seen, native: Seen }} Outcome
 */

/**
 * How many cases are on their way at a time. Few enough that no client is slow for Redis.
 */
const BATCH = 200;

/** The namespaces besides `/`. To `/a,b` no client could connect by itself. */
const NAMESPACES = ['/', '/chat', '/ünï #1', '/a,b', '/x*y'];
/** The one that official servers cannot hear: its name as a pattern matches another. */
const DEAF = '/[a]';

/** A room of twenty characters, as the ids of sockets have. */
const LIKE_AN_ID = 'abcdefghijklmnopqrst';
const LONG_NAMES = ['room '.repeat(7), 'room '.repeat(60)];
const ODD = 'ünï #1 *?[x]\\ "😀"\n';
/** The rooms of each client. There is one client for each, on each node. */
const ROOMS = [
  ['a', 'b', 7, '8', 1.5, -1, 0, '', ODD, LIKE_AN_ID, ...LONG_NAMES],
  ['b', 'c', '9', 'null', 'undefined'],
];

/** Sends a case. @param {any} io @param {Case} what */
function emit(io, { nsp, event, args, to = [], except = [], compress, volatile, local }) {
  let target = io.of(nsp).to(to).except(except);
  if (compress !== undefined) target = target.compress(compress);
  if (volatile) target = target.volatile;
  if (local) target = target.local;
  return target.emit(event, ...args);
}

/** One Redis, two official servers and two of ours: of each kind a sender and a receiver. */
class FourServers {
  #marker = 0;
  /** @type {Map<AdapterNode, RawClient[]>} */
  #clients = new Map();
  #nodes() {
    return [...Object.values(this.senders ?? {}), ...Object.values(this.receivers ?? {})];
  }

  /** The codes of the errors that our two servers have told. @returns {string[]} */
  get problems() {
    return this.#nodes().flatMap(({ problems }) => problems);
  }

  forgetProblems() {
    for (const { problems } of this.#nodes()) problems.length = 0;
  }

  /** @param {import('../../support/adapter-node').Kind} [receiver] which of ours receives */
  async start(receiver = 'native') {
    this.redis = await startRedis();
    const node = (/** @type {import('../../support/adapter-node').Kind} */ adapter) =>
      new AdapterNode({
        adapter,
        // One of the edges has a thousand.
        opts: { limits: { attachments: 2000 } },
        redis: /** @type {any} */ (this.redis),
        namespaces: [...NAMESPACES.slice(1), DEAF],
      });
    this.senders = { official: node('official-redis'), native: node('native') };
    this.receivers = { official: node('official-redis'), native: node(receiver) };
    const nodes = this.#nodes();
    await Promise.all(nodes.map((each) => each.start()));
    for (const each of nodes) this.#clients.set(each, await this.#connect(each));
    await settled(/** @type {any} */ (this.redis), nodes);
  }

  /** @param {AdapterNode} node */
  async #connect(node) {
    const clients = [];
    for (const rooms of ROOMS) clients.push(await new RawClient(node).open([...NAMESPACES, DEAF], rooms));
    return clients;
  }

  get #all() {
    return [...this.#clients.values()].flat();
  }

  /** @param {any} io */
  #mark(io) {
    io.emit(MARKER, ++this.#marker);
    return this.#marker;
  }

  /** @param {number} marker */
  #arrived(marker) {
    return Promise.all(this.#all.map((client) => client.marker(marker)));
  }

  /**
   * Emits cases through one of the senders, and resolves with what came of each.
   * @param {'official' | 'native'} kind
   * @param {Case[]} cases
   * @returns {Promise<Outcome[]>}
   */
  async emit(kind, cases) {
    const { io } = this.senders[kind];
    /** @type {Outcome[]} */
    const outcomes = [];
    for (let at = 0; at < cases.length; at += BATCH) {
      const markers = cases.slice(at, at + BATCH).map((each) => {
        const marker = this.#mark(io);
        emit(io, each);
        return marker;
      });
      await this.#arrived(this.#mark(io));
      outcomes.push(...markers.map((marker) => this.#outcome(kind, marker)));
    }
    return outcomes;
  }

  /**
   * The same for one case, when all clients can be written to; what the sender throws is thrown.
   * @param {'official' | 'native'} kind
   * @param {Case} what
   * @returns {Promise<Outcome>}
   */
  async emitAlone(kind, what) {
    const { outcome, threw, error } = await this.attempt(kind, what);
    if (threw) throw error;
    return outcome;
  }

  /**
   * The same, with what the sender has thrown: something may have arrived all the same.
   * @param {'official' | 'native'} kind
   * @param {Case} what
   * @returns {Promise<{ outcome: Outcome, threw: boolean, error?: unknown }>}
   */
  async attempt(kind, what) {
    const { io } = this.senders[kind];
    const marker = this.#mark(io);
    await this.#arrived(marker);
    await Promise.all(this.#all.map((client) => client.writable()));
    /** @type {{ threw: boolean, error?: unknown }} */
    let result = { threw: false };
    try {
      emit(io, what);
    } catch (error) {
      result = { threw: true, error };
    }
    await this.#arrived(this.#mark(io));
    return { outcome: this.#outcome(kind, marker), ...result };
  }

  /** @returns {Outcome} */
  #outcome(kind, marker) {
    const seen = (/** @type {AdapterNode} */ node) =>
      (this.#clients.get(node) ?? []).map((client) => client.after(marker));
    const [other] = Object.entries(this.senders)
      .filter(([name]) => name !== kind)
      .map(([, node]) => node);
    seen(other); // a receiver as well, but the same as another
    return {
      local: seen(this.senders[kind]),
      official: seen(this.receivers.official),
      native: seen(this.receivers.native),
    };
  }

  async stop() {
    for (const client of this.#all) client.close();
    await Promise.all([...this.#clients.keys()].map((node) => node.stop()));
    await this.redis?.stop();
  }
}

module.exports = { DEAF, FourServers, LIKE_AN_ID, LONG_NAMES, NAMESPACES, ODD };
