'use strict';

/** A TCP proxy in front of Redis that can fail in the ways in which networks do. */

const { once } = require('node:events');
const net = require('node:net');

const HOST = '127.0.0.1';

/** What is not forwarded. @typedef {'nothing' | 'replies' | 'all'} Held */

/** One direction of a connection. */
class Direction {
  #from;
  #to;
  #latency;
  /** Chunks under way, the oldest first. @type {Buffer[]} */
  #underWay = [];
  #held = false;
  #full = false;
  /** @type {{ bytes: number, done: () => void } | null} */
  #limit = null;

  /**
   * @param {net.Socket} from
   * @param {net.Socket} to
   * @param {number} latency in ms
   */
  constructor(from, to, latency) {
    this.#from = from;
    this.#to = to;
    this.#latency = latency;
    from.setNoDelay(true);
    from.on('data', (chunk) => this.#take(chunk));
    to.on('drain', () => {
      this.#full = false;
      this.#update();
    });
  }

  #take(chunk) {
    if (this.#latency === 0) return this.#write(chunk);
    this.#underWay.push(chunk);
    // Timers of the same delay fire in order.
    setTimeout(() => this.#write(/** @type {Buffer} */ (this.#underWay.shift())), this.#latency);
  }

  #write(chunk) {
    if (this.#to.destroyed || this.#to.writableEnded) return;
    const limit = this.#limit;
    if (limit && chunk.length >= limit.bytes) {
      this.#to.end(chunk.subarray(0, limit.bytes), limit.done);
      return;
    }
    if (limit) limit.bytes -= chunk.length;
    this.#full = !this.#to.write(chunk);
    this.#update();
  }

  #update() {
    if (this.#held || this.#full) this.#from.pause();
    else this.#from.resume();
  }

  /** @param {boolean} held */
  hold(held) {
    this.#held = held;
    this.#update();
  }

  /** Ends the connection once so many more bytes are through. @param {number} bytes @param {() => void} done */
  endAfter(bytes, done) {
    this.#limit = { bytes, done };
  }
}

/** One connection through the proxy. */
class Pair {
  #requests;
  #replies;

  /**
   * @param {net.Socket} client
   * @param {net.Socket} upstream
   * @param {number} latency of each direction, in ms
   */
  constructor(client, upstream, latency) {
    this.client = client;
    this.upstream = upstream;
    /** @type {Held} */
    this.held = 'nothing';
    this.#requests = new Direction(client, upstream, latency);
    this.#replies = new Direction(upstream, client, latency);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ]) {
      from.on('error', () => {});
      from.on('close', () => to.destroy());
    }
  }

  /** @param {Held} held */
  hold(held) {
    this.held = held;
    this.#requests.hold(held === 'all');
    this.#replies.hold(held !== 'nothing');
  }

  /** @param {{ requests?: number, replies?: number }} bytes */
  cutAfter({ requests, replies }) {
    if (requests !== undefined) this.#requests.endAfter(requests, () => this.cut());
    if (replies !== undefined) this.#replies.endAfter(replies, () => this.cut());
  }

  cut() {
    this.client.destroy();
    this.upstream.destroy();
  }
}

class Proxy {
  #server;
  #target;
  #latency;
  /** @type {Set<Pair>} */
  #pairs = new Set();
  /** What new connections do not forward. @type {Held} */
  #held = 'nothing';
  #refusing = false;

  /**
   * @param {net.Server} server
   * @param {number} target the port to forward to
   * @param {number} latency of each direction, in ms
   */
  constructor(server, target, latency) {
    this.#server = server;
    this.#target = target;
    this.#latency = latency;
    /** Called with what Redis answers. @type {(chunk: Buffer) => void} */
    this.onAnswer = () => {};
    server.on('connection', (client) => this.#forward(client));
    const { port } = /** @type {net.AddressInfo} */ (server.address());
    this.port = port;
    this.url = `redis://${HOST}:${port}`;
  }

  #forward(client) {
    client.on('error', () => {});
    if (this.#refusing) {
      client.destroy();
      return;
    }
    const pair = new Pair(client, net.connect(this.#target, HOST), this.#latency);
    this.#pairs.add(pair);
    pair.upstream.on('data', (chunk) => this.onAnswer(chunk));
    for (const socket of [client, pair.upstream]) socket.on('close', () => this.#pairs.delete(pair));
    pair.hold(this.#held);
  }

  /** How many connections lead through it. */
  get connections() {
    return this.#pairs.size;
  }

  /** @param {Held} held by the connections there are, and by new ones unless said */
  #hold(held, byNew = held) {
    this.#held = byNew;
    for (const pair of this.#pairs) pair.hold(held);
  }

  /** Forwards nothing more, either way, and closes nothing; new connections are accepted. */
  freeze() {
    this.#hold('all');
  }

  /** Freezes the connections there are, and lets new ones pass: those are half-open then. */
  strand() {
    this.#hold('all', 'nothing');
  }

  /** Forwards what clients say, and nothing of what Redis says. */
  holdReplies() {
    this.#hold('replies');
  }

  /** Goes on where `freeze()`, `strand()` or `holdReplies()` stopped. */
  thaw() {
    this.#hold('nothing');
  }

  /** Ends all connections there are, with what is under way in them. */
  cut() {
    for (const pair of this.#pairs) pair.cut();
  }

  /** The same for those alone that are frozen. */
  cutFrozen() {
    for (const pair of this.#pairs) if (pair.held === 'all') pair.cut();
  }

  /**
   * Ends the connections there are once so many more bytes of requests, or of replies, are through.
   * @param {{ requests?: number, replies?: number }} bytes
   */
  cutAfter(bytes) {
    for (const pair of this.#pairs) pair.cutAfter(bytes);
  }

  /** Ends all connections, and new ones at once. */
  refuse() {
    this.#refusing = true;
    this.cut();
  }

  /** Ends new connections at once, and leaves those there are. */
  refuseNew() {
    this.#refusing = true;
  }

  /** Freezes the connections there are, and ends new ones at once. */
  vanish() {
    this.#refusing = true;
    this.freeze();
  }

  /** Leads new connections to another port. @param {number} target */
  retarget(target) {
    this.#target = target;
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
 * @param {object} [options]
 * @param {number} [options.port] where to listen; a free one unless said
 * @param {number} [options.latency] of each direction, in ms
 * @returns {Promise<Proxy>}
 */
async function startProxy(target, { port = 0, latency = 0 } = {}) {
  const server = net.createServer().listen(port, HOST);
  await once(server, 'listening');
  return new Proxy(server, target, latency);
}

module.exports = { startProxy };
