'use strict';

/** Socket.IO 0.9 servers in processes of their own, on one Redis: some on our store, some on 0.9's own. */

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { after, afterEach, before, describe } = require('node:test');
const { setTimeout: delay } = require('node:timers/promises');
const { startRedis } = require('../../dev/redis-server');
const { Inbox } = require('./client-inbox');
const { LIMIT, PATIENCE } = require('./limits');
const { PollingClient, connect, handshake } = require('./store-client');

/** @typedef {'native' | 'js' | 'engine'} Kind ours, 0.9's own, or ours with native WebSockets */
/**
 * @typedef {object} NodeSettings
 * @property {string} name
 * @property {Kind} store
 * @property {'options' | 'clients' | 'default'} form what `new RedisStore` is given
 * @property {string} host Redis'
 * @property {number} port Redis'
 * @property {string} [password] Redis'
 * @property {string[]} [transports] Socket.IO's setting
 * @property {number} expiration Socket.IO's `client store expiration`
 * @property {boolean} [oneLiner] whether `SocketIO.RedisStore` is replaced by ours
 */

const SCRIPT = path.join(__dirname, 'store-node.js');
/** All that a node subscribes to: 0.9's own channels, and the one of the tests. */
const CHANNELS = [
  'handshake',
  'connect',
  'open',
  'join',
  'leave',
  'close',
  'dispatch',
  'disconnect',
  'message-remote',
  'disconnect-remote',
  'dispatch-remote',
  'heartbeat-clear',
  'disconnect-force',
  'interop:barrier',
];
/** The sender's store, the receiver's store. @type {Kind[][]} */
const PAIRS = [
  ['native', 'js'],
  ['js', 'native'],
  ['native', 'native'],
  ['js', 'engine'],
  ['engine', 'engine'],
];
/** Seconds; long, so that nothing expires while a test looks at it. */
const EXPIRATION = 1000;
const POLL = 5;

/**
 * Resolves when a channel has so many subscribers.
 * @param {import('../../dev/redis-server').RedisServer} redis
 * @param {string | string[]} channels one or several, each of which must have them
 * @param {number} count
 */
async function subscribersOf(redis, channels, count) {
  const names = [channels].flat();
  for (;;) {
    const reply = await redis.command('PUBSUB', 'NUMSUB', ...names);
    if (names.every((_, i) => reply[2 * i + 1] === count)) return;
    await delay(POLL);
  }
}

/** A server in a process of its own. */
class Node {
  #child;
  #exited;
  #calls = 0;
  #inbox = new Inbox();
  /** @type {string[]} */
  #faults = [];
  #closing = false;

  /** @param {NodeSettings} settings */
  constructor(settings) {
    this.name = settings.name;
    this.store = settings.store;
    this.port = 0;
    this.#child = fork(SCRIPT, [JSON.stringify(settings)], { execArgv: ['--no-deprecation'] });
    this.#child.on('message', (/** @type {any} */ message) => {
      if (message.event === 'fault') this.#faults.push(`${message.fault}: ${message.details}`);
      else this.#inbox.push(message);
    });
    this.#exited = once(this.#child, 'exit').then(([code, signal]) => {
      this.#inbox.end(new Error(`node ${this.name} (${this.store}) has exited: ${signal ?? code}`));
      return signal ?? code;
    });
  }

  /** Resolves when it serves. */
  async listening() {
    this.port = (await this.saw('listening')).port;
  }

  /**
   * Waits for the first report of an event with these details; no test waits for it twice.
   * @param {string} event
   * @param {Record<string, any>} [details]
   * @returns {Promise<any>}
   */
  saw(event, details = {}) {
    const wanted = Object.entries({ nsp: '', ...details });
    return this.#inbox.take(
      (item) =>
        item.event === event &&
        wanted.every(([key, value]) => item[key] === value || (key === 'nsp' && item.nsp === undefined)),
    );
  }

  /**
   * Waits until the node has published something about a client.
   * @param {string} channel
   * @param {string} id
   */
  published(channel, id) {
    return this.saw('published', { channel, id });
  }

  /**
   * Has the node carry out a command of store-node.js.
   * @param {string} command
   * @param {...any} args
   * @returns {Promise<any>}
   */
  async call(command, ...args) {
    const id = ++this.#calls;
    this.#child.send({ id, command, args }, () => {}); // if that fails it has exited, which is told below
    const { result, error } = await this.#inbox.take((item) => item.id === id && item.event === undefined);
    if (error) throw new Error(`${command} on node ${this.name}: ${error}`);
    return result;
  }

  /**
   * Walks from the node's `io`: a string is a property, an array a method and its arguments.
   * @param {...(string | any[])} steps
   */
  run(...steps) {
    return this.call('run', ...steps);
  }

  /** Closes the server and its store, and resolves when the process has ended by itself. */
  async close() {
    if (this.#closing) return;
    this.#closing = true;
    try {
      const stats = await this.call('stats');
      await this.call('close');
      this.#child.disconnect();
      const timeout = new AbortController();
      const late = delay(PATIENCE, 'still there', { signal: timeout.signal });
      late.catch(() => {}); // aborted
      assert.equal(await Promise.race([this.#exited, late]), 0, `exit of node ${this.name} (${this.store})`);
      timeout.abort();
      assert.deepEqual(this.#faults, [], `faults of node ${this.name} (${this.store})`);
      if (stats) assert.deepEqual([stats.malformed, stats.dropped, stats.unconfirmed, stats.reconnects], [0, 0, 0, 0]);
    } finally {
      this.#child.kill('SIGKILL');
    }
  }
}

/** The nodes on one Redis, and the clients that a test has connected to them. */
class Cluster {
  #stores;
  #settings;
  #clients = new Set();
  #barriers = 0;

  /**
   * @param {Kind[]} stores one for each node
   * @param {Partial<NodeSettings>} [settings] `port`: where to start the Redis, else anywhere
   */
  constructor(stores, settings = {}) {
    this.#stores = stores;
    this.#settings = settings;
    /** @type {import('../../dev/redis-server').RedisServer} */
    this.redis = /** @type {any} */ (null);
    /** @type {Node[]} */
    this.nodes = [];
  }

  /** Resolves when every node serves and hears every other. */
  async start() {
    const { port, password } = this.#settings;
    this.redis = await startRedis({ port, password });
    this.nodes = this.#stores.map(
      (store, i) =>
        new Node({
          form: 'options',
          expiration: EXPIRATION,
          ...this.#settings,
          name: 'abcdef'[i],
          store,
          host: this.redis.host,
          port: this.redis.port,
        }),
    );
    await Promise.all(this.nodes.map((node) => node.listening()));
    await subscribersOf(this.redis, CHANNELS, this.nodes.length);
  }

  /** Ends it all; rejects if a process did not end by itself or had something to complain about. */
  async stop() {
    try {
      await this.release();
      const closed = await Promise.allSettled(this.nodes.map((node) => node.close()));
      for (const each of closed) if (each.status === 'rejected') throw each.reason;
    } finally {
      await this.redis?.stop();
    }
  }

  /**
   * Connects a client, which is closed at the end of the test.
   * @param {Node} node
   * @param {{ transport?: string, id?: string, query?: Record<string, string> }} [options]
   */
  async connect(node, options) {
    return this.keep(await connect(node, options));
  }

  /**
   * Connects a client of which every node knows, and which can hear the next packet: over xhr-polling,
   * its poll is open. It polls no more after that, because 0.9 does not survive a packet for one
   * client that comes from another node when the poll is over (`dispatch-remote` writes to it).
   * @param {Node} node
   * @param {string} transport
   */
  async listener(node, transport) {
    if (transport === 'websocket') {
      const client = await this.connect(node);
      await this.barrier(node);
      return client;
    }
    const client = await this.poller(node, node);
    await this.hang(node, client);
    return client;
  }

  /**
   * A client of which every node knows and which has polled once, to connect.
   * @param {Node} first where it shakes hands
   * @param {Node} second where it polls, and will send to
   */
  async poller(first, second) {
    const client = this.keep(new PollingClient(second, await this.handshake(first)));
    assert.equal(await this.fetch(second, client), '1::');
    await client.connected();
    return client;
  }

  /**
   * Starts a poll; resolves when every node knows that it is open.
   * @param {Node} node
   * @param {PollingClient} client
   */
  async hang(node, client) {
    client.hang(node);
    await node.published('open', client.id);
    await this.barrier(node);
  }

  /**
   * Polls once; resolves with the payload when every node knows that it is over.
   * @param {Node} node
   * @param {PollingClient} client
   */
  async fetch(node, client) {
    const payload = await client.poll(node);
    await node.published('open', client.id);
    await this.barrier(node);
    return payload;
  }

  /**
   * @template {{ close(): Promise<void> }} C
   * @param {C} client
   * @returns {C} the same, which is closed at the end of the test
   */
  keep(client) {
    this.#clients.add(client);
    return client;
  }

  /**
   * @param {Node} node
   * @param {Record<string, string>} [query]
   * @returns {Promise<string>} the id of a session of which every node knows
   */
  async handshake(node, query) {
    const id = await handshake(node, query);
    await this.barrier(node);
    return id;
  }

  /** Closes the clients. */
  async release() {
    await Promise.all([...this.#clients].map((client) => client.close()));
    this.#clients.clear();
  }

  /**
   * Resolves when what a node has published so far has arrived at all others.
   * @param {Node} node
   */
  async barrier(node) {
    const token = `${node.name}${++this.#barriers}`;
    const others = this.nodes.filter((other) => other !== node);
    await Promise.all([node.call('barrier', token), ...others.map((other) => other.saw('barrier', { token }))]);
  }
}

/**
 * A suite for each combination of stores, each with a cluster of two nodes.
 * @param {string} topic
 * @param {(cluster: Cluster) => void} declare declares the tests
 * @param {Partial<NodeSettings>} [settings]
 */
function describePairs(topic, declare, settings) {
  for (const stores of PAIRS) {
    describeCluster(`${topic}: ${stores.join(' → ')}`, new Cluster(stores, settings), declare);
  }
}

/**
 * A suite with a cluster.
 * @param {string} title
 * @param {Cluster} cluster
 * @param {(cluster: Cluster) => void} declare declares the tests
 * @param {{ skip?: string }} [options]
 */
function describeCluster(title, cluster, declare, options) {
  describe(title, { ...LIMIT, ...options }, () => {
    before(() => cluster.start());
    afterEach(() => cluster.release());
    after(() => cluster.stop());
    declare(cluster);
  });
}

module.exports = { Cluster, PAIRS, describeCluster, describePairs, subscribersOf };
