'use strict';

/** Clusters of Socket.IO 4 servers on one Redis, some with our adapter, some with the official one. */

const { after, afterEach, before, describe, it } = require('node:test');
const { startRedis } = require('../../dev/redis-server');
const {
  AdapterNode,
  NATIVE_MISSING,
  ON_SHARDS,
  SHARDED,
  STREAMS,
  closeClient,
  createClients,
  isNative,
  settled,
} = require('./adapter-node');
const { Inbox } = require('./client-inbox');
const { LIMIT } = require('./limits');

/** @typedef {import('./adapter-node').Kind} Kind */
/**
 * @typedef {Partial<Omit<import('./adapter-node').AdapterNodeSettings, 'adapter' | 'redis'>>} Settings
 */

/** The sender's adapter, the receiver's adapter; the first proves that the test is right. @type {Kind[][]} */
const PAIRS = [
  ['official-redis', 'official-ioredis'],
  ['official-redis', 'native'],
  ['native', 'official-ioredis'],
  ['native', 'native'],
];
/** The same for what receivers do in each of our modes. @type {Kind[][]} */
const SENDING = STREAMS ? PAIRS : SHARDED ? inEachMode() : inOurModes();
/** One node of each sort. @type {Kind[][]} */
const SINGLES = [
  ['official-redis'],
  ['official-ioredis'],
  ['native'],
  .../** @type {Kind[][]} */ (
    STREAMS ? [] : [[SHARDED ? 'native:static' : 'native:dynamic'], ['native:dynamic-private']]
  ),
];

/** @returns {Kind[][]} */
function inOurModes() {
  return [
    ...PAIRS,
    ['official-ioredis', 'native:dynamic'],
    ['official-redis', 'native:dynamic-private'],
    ['native', 'native:dynamic'],
    ['native:dynamic-private', 'native:dynamic-private'],
    ['native:dynamic', 'official-redis'],
  ];
}

/** Of sharded channels, where all servers have to be in the same mode. @returns {Kind[][]} */
function inEachMode() {
  const modes = /** @type {const} */ (['static', 'dynamic-private']);
  const inMode = modes.flatMap((mode) =>
    PAIRS.map((kinds) => kinds.map((kind) => /** @type {Kind} */ (`${kind}:${mode}`))),
  );
  return [...PAIRS, ...inMode];
}

/** Its tests share a cluster, so that they do not run together, though suites may. */
const OWN = { concurrency: 1, ...LIMIT };

/** Nodes on one Redis, with the clients that a test has connected to them. */
class AdapterCluster {
  #kinds;
  #settings;
  /** @type {{ close(): Promise<any> }[]} */
  #kept = [];
  /** @type {string[]} */
  #spied = [];

  /**
   * @param {Kind[]} kinds one for each node
   * @param {Settings | Settings[]} [settings] of all nodes, or of each
   */
  constructor(kinds, settings = {}) {
    this.#kinds = kinds;
    this.#settings = settings;
    /** @type {import('../../dev/redis-server').RedisServer} */
    this.redis = /** @type {any} */ (null);
    /** @type {AdapterNode[]} */
    this.nodes = [];
  }

  /** Resolves when every node hears every other. */
  async start() {
    this.redis = await startRedis();
    this.nodes = this.#kinds.map((kind, i) => this.#node(kind, i));
    await Promise.all(this.nodes.map((node) => node.start()));
    await this.settled();
  }

  /**
   * Adds a node.
   * @param {Kind} kind
   */
  async add(kind) {
    const node = this.#node(kind, this.nodes.length);
    this.nodes.push(node);
    await node.start();
    await this.settled();
    return node;
  }

  #node(adapter, i) {
    const settings = Array.isArray(this.#settings) ? this.#settings[i] : this.#settings;
    return new AdapterNode({ ...settings, adapter, redis: this.redis });
  }

  /** Resolves when Redis knows exactly what it should: no subscription less, none too many. */
  settled() {
    return settled(this.redis, this.nodes, this.#spied);
  }

  /**
   * Connects a client, which is closed at the end of the test.
   * @param {AdapterNode} node
   * @param {string} [nsp]
   * @param {import('./adapter-client').ClientOptions} [options]
   */
  async connect(node, nsp, options) {
    const client = this.keep(await node.connect(nsp, options));
    await this.settled();
    return client;
  }

  /**
   * Has a client join rooms; resolves when its node hears what is sent there.
   * @param {import('./adapter-client').AdapterClient} client
   * @param {...any} rooms
   */
  async join(client, ...rooms) {
    client.peer.join(rooms);
    await this.settled();
  }

  /**
   * @template {{ close(): Promise<any> }} C
   * @param {C} closable
   * @returns {C} the same, which is closed at the end of the test
   */
  keep(closable) {
    this.#kept.push(closable);
    return closable;
  }

  /**
   * Listens to a channel, as no server.
   * @param {string} channel
   * @returns {Promise<Inbox>} of Buffers
   */
  async spy(channel) {
    const [client, spare] = await createClients('ioredis-6', this.redis.port);
    await closeClient(spare);
    const inbox = new Inbox();
    client.on(ON_SHARDS ? 'smessageBuffer' : 'messageBuffer', (_channel, message) => inbox.push(message));
    await client[ON_SHARDS ? 'ssubscribe' : 'subscribe'](channel);
    this.#spied.push(channel);
    this.keep({ close: () => closeClient(client) });
    return inbox;
  }

  /**
   * @param {string} channel
   * @param {string | Buffer} message
   * @returns {Promise<number>} how many connections Redis has sent it to
   */
  publish(channel, message) {
    return this.redis.command(ON_SHARDS ? 'SPUBLISH' : 'PUBLISH', channel, message);
  }

  /** Closes what a test has opened. */
  async release() {
    const kept = this.#kept.splice(0).reverse();
    this.#spied = [];
    await Promise.all(kept.map((closable) => closable.close()));
    if (kept.length > 0) await this.settled();
  }

  /** Ends it all. */
  async stop() {
    try {
      await this.release();
      await Promise.all(this.nodes.map((node) => node.stop()));
      await this.settled();
    } finally {
      await this.redis?.stop();
    }
  }
}

/** @param {Kind[]} kinds */
function skipReason(kinds) {
  return kinds.some(isNative) ? NATIVE_MISSING : false;
}

/**
 * @param {string} title
 * @param {() => Promise<void>} body
 */
function adapterTest(title, body) {
  it(title, LIMIT, body);
}

/**
 * Declares a test of what official adapters do not do on sharded channels and streams: not where one of these is one.
 * @param {...Kind} kinds
 */
function testUnlessOfficial(...kinds) {
  return (SHARDED || STREAMS) && !kinds.every(isNative) ? () => {} : adapterTest;
}

/**
 * A suite for each combination of adapters, each with a cluster of its own.
 * @param {string} topic
 * @param {Kind[][]} table such as `PAIRS`
 * @param {(cluster: AdapterCluster, kinds: Kind[]) => void} declare declares the tests
 * @param {Settings | Settings[]} [settings]
 */
function describeAdapterClusters(topic, table, declare, settings) {
  for (const kinds of table) {
    const cluster = new AdapterCluster(kinds, settings);
    describe(`${topic}: ${kinds.join(' → ')}`, { ...OWN, skip: skipReason(kinds) }, () => {
      before(() => cluster.start());
      afterEach(() => cluster.release());
      after(() => cluster.stop());
      declare(cluster, kinds);
    });
  }
}

/**
 * A cluster for one test.
 * @param {Kind[]} kinds
 * @param {Settings | Settings[]} settings
 * @param {(cluster: AdapterCluster) => Promise<void>} body
 */
async function withAdapterCluster(kinds, settings, body) {
  const cluster = new AdapterCluster(kinds, settings);
  try {
    await cluster.start();
    await body(cluster);
  } catch (error) {
    await cluster.stop().catch(() => {}); // what comes of the error says less than the error
    throw error;
  }
  await cluster.stop();
}

module.exports = {
  AdapterCluster,
  PAIRS,
  SENDING,
  SINGLES,
  adapterTest,
  describeAdapterClusters,
  skipReason,
  testUnlessOfficial,
  withAdapterCluster,
};
