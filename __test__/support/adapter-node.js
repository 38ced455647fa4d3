'use strict';

/** Socket.IO 4 servers in this process, each with an adapter of its own. */

const { once } = require('node:events');
const http = require('node:http');
const { setTimeout: delay } = require('node:timers/promises');
const official = require('@socket.io/redis-adapter');
const officialStreams = require('@socket.io/redis-streams-adapter');
const { AdapterClient } = require('./adapter-client');
const { families } = require('./client-families');
const { PATIENCE } = require('./limits');
const { engineOptions } = require('./ws-engine');

/** @typedef {'pattern' | 'static' | 'dynamic' | 'dynamic-private'} Mode how an adapter subscribes */
/**
 * What a node is made of: the adapter, and the mode unless it is the default.
 * @typedef {'official-redis' | 'official-ioredis' | 'native'} Adapter
 * @typedef {Adapter | `${Adapter}:${Mode}`} Kind
 */
/**
 * @typedef {object} AdapterNodeSettings
 * @property {Kind} adapter
 * @property {import('../../dev/redis-server').RedisServer} redis
 * @property {'socket.io-4' | 'socket.io-4.3'} [io] which Socket.IO
 * @property {Record<string, any>} [opts] the adapter's options; requests wait for minutes unless said
 * @property {boolean} [asGiven] whether the adapter gets these alone
 * @property {Record<string, any>} [serverOptions] Socket.IO's
 * @property {string[]} [namespaces] besides `/`
 * @property {string} [clients] the family of clients that the adapter is given; ours gets URLs unless said
 */

const HOST = '127.0.0.1';
const POLL = 3;
const ID_LENGTH = 20;
/** The families that the official adapter is given. */
const OFFICIAL_FAMILIES = { 'official-redis': 'redis-6', 'official-ioredis': 'ioredis-6' };

/** Whether the adapters are those of `createShardedAdapter`: for suites that know nothing of it. */
const SHARDED = process.env.ADAPTER_WIRE === 'sharded';
/** The same of `createStreamsAdapter`, with channels or with sharded ones. */
const STREAMS = ['streams', 'streams-sharded'].includes(process.env.ADAPTER_WIRE ?? '');
/** Whether channels are sharded. */
const ON_SHARDS = SHARDED || process.env.ADAPTER_WIRE === 'streams-sharded';

/**
 * Why clusters with our adapter in them cannot be had, if so: the one switch for all of them. With
 * OFFICIAL_ONLY=1, what remains shows that the tests are right.
 */
const NATIVE_MISSING = nativeMissing();

function nativeMissing() {
  if (process.env.OFFICIAL_ONLY) return 'OFFICIAL_ONLY';
  return typeof require('../../index.js').createAdapter === 'function' ? false : 'createAdapter is not there yet';
}

/** @param {Kind} kind */
function isNative(kind) {
  return kind.startsWith('native');
}

/**
 * @param {Kind} kind
 * @returns {Mode}
 */
function modeOf(kind) {
  return /** @type {Mode} */ (kind.split(':')[1] ?? (SHARDED ? 'dynamic' : STREAMS ? 'static' : 'pattern'));
}

/** @param {any} client of whatever family */
async function closeClient(client) {
  if (client.pSubscribe) return client.close ? client.close() : client.quit(); // redis 5 and later, redis 4
  if (client.pubsub) return client.quit(); // ioredis
  const ended = once(client, 'end');
  client.quit();
  await ended;
}

/**
 * Two connected clients of a family.
 * @param {string} name the module's
 * @param {number} port Redis'
 * @returns {Promise<any[]>}
 */
async function createClients(name, port) {
  const family = /** @type {any} */ (families.find((each) => each.name === name));
  const clients = [family.create({ port }), family.create({ port })];
  for (const client of clients) client.setMaxListeners(0); // each namespace adds some
  await Promise.all(clients.map((client) => family.start(client)));
  return clients;
}

/** One server. */
class AdapterNode {
  #server = http.createServer();
  /** @type {any[]} what the adapter was given and is to be closed */
  #clients = [];
  /** @type {Promise<void> | undefined} */
  #stopped;

  /** @param {AdapterNodeSettings} settings */
  constructor(settings) {
    this.settings = settings;
    this.kind = settings.adapter;
    this.native = isNative(this.kind);
    this.mode = modeOf(this.kind);
    this.redis = settings.redis;
    this.key = settings.opts?.key || settings.opts?.channelPrefix || 'socket.io';
    this.port = 0;
    /** Whether it has been shown an entry, see `areReading`. */
    this.isShown = false;
    /** @type {any} */
    this.io = null;
    /** The codes of the errors that ours has told. @type {string[]} */
    this.problems = [];
    /** @type {any} what the adapter was given */
    this.pubClient = null;
    /** @type {any} */
    this.subClient = null;
  }

  get url() {
    return `http://${HOST}:${this.port}`;
  }
  /** The streams that an official node reads. @returns {string[]} */
  get streams() {
    const { streamName = 'socket.io', streamCount = 1 } = this.settings.opts ?? {};
    return streamCount === 1 ? [streamName] : Array.from({ length: streamCount }, (_, i) => `${streamName}-${i}`);
  }
  get running() {
    return this.io !== null && !this.#stopped;
  }

  async start() {
    const { io = 'socket.io-4', serverOptions, namespaces = [], redis } = this.settings;
    const family = this.settings.clients ?? OFFICIAL_FAMILIES[this.kind.split(':')[0]];
    if (family) this.#clients = await createClients(family, redis.port);
    [this.pubClient, this.subClient] = family ? this.#clients : [redis.url, redis.url];
    this.io = new (require(io).Server)(this.#server, {
      adapter: this.#adapter(),
      ...engineOptions(),
      ...serverOptions,
    });
    for (const nsp of namespaces) this.io.of(nsp);
    if (this.native) this.adapter().on('error', (/** @type {any} */ error) => this.problems.push(error.code));
    this.#server.listen(0, HOST);
    await once(this.#server, 'listening');
    this.port = /** @type {import('node:net').AddressInfo} */ (this.#server.address()).port;
  }

  #adapter() {
    const { asGiven } = this.settings;
    const opts = asGiven ? this.settings.opts : { requestsTimeout: PATIENCE, ...this.settings.opts };
    if (SHARDED) return this.#shardedAdapter(opts);
    if (STREAMS) return this.#streamsAdapter(opts);
    if (!this.native) return official.createAdapter(this.pubClient, this.subClient, opts);
    const { createAdapter } = /** @type {any} */ (require('../../index.js'));
    const whole = this.kind === 'native' ? opts : { ...opts, subscriptionMode: this.mode };
    return createAdapter(this.pubClient, this.subClient, whole);
  }

  #shardedAdapter({ key, ...opts } = /** @type {any} */ ({})) {
    delete opts.publishOnSpecificResponseChannel; // it is always so
    const { createShardedAdapter } = this.native ? /** @type {any} */ (require('../../index.js')) : official;
    const prefix = key === undefined ? {} : { channelPrefix: key };
    return createShardedAdapter(this.pubClient, this.subClient, { ...opts, ...prefix, subscriptionMode: this.mode });
  }

  #streamsAdapter({ key, ...opts } = /** @type {any} */ ({})) {
    delete opts.publishOnSpecificResponseChannel; // it is always so
    const prefix = key === undefined ? {} : { channelPrefix: key };
    if (ON_SHARDS) opts.useShardedPubSub = true;
    if (this.native) return require('../../index.js').createStreamsAdapter(this.pubClient, { ...opts, ...prefix });
    // It ends when an XREAD does.
    return officialStreams.createAdapter(this.pubClient, { blockTimeInMs: 200, ...opts, ...prefix });
  }

  /**
   * @param {string} [nsp]
   * @returns {any}
   */
  adapter(nsp = '/') {
    return this.io.of(nsp).adapter;
  }

  /**
   * Connects a client.
   * @param {string} [nsp]
   * @param {import('./adapter-client').ClientOptions} [options]
   */
  connect(nsp = '/', options) {
    return new AdapterClient(this, nsp, options).open();
  }

  /** Makes it a server that is counted and hears nothing; only with ioredis and the official adapter. */
  freeze() {
    if (!this.kind.startsWith('official-ioredis')) throw new Error(`${this.kind} cannot be frozen`);
    this.subClient.removeAllListeners('messageBuffer');
    this.subClient.removeAllListeners('pmessageBuffer');
    this.subClient.removeAllListeners('smessageBuffer');
  }

  /**
   * The channels that Redis should know of because of this node.
   * @returns {string[]}
   */
  channels() {
    if (SHARDED || STREAMS) return this.#shardedChannels();
    /** @type {string[]} */
    const channels = this.native && this.running ? [`${this.key}-heartbeat`] : [];
    for (const { name, adapter } of this.running ? this.io._nsps.values() : []) {
      const response = `${this.key}-response#${name}#`;
      channels.push(`${this.key}-request#${name}#`, response, `${response}${adapter.uid}#`);
      if (this.native) channels.push(`${this.key}-native#${name}#`, `${this.key}-native#${name}#1#`);
      if (this.mode === 'pattern') continue;
      channels.push(`${this.key}#${name}#`);
      for (const room of adapter.rooms.keys()) {
        // A name as long as a socket's id is left to a pattern.
        const own = this.mode === 'dynamic-private' || Buffer.byteLength(String(room)) !== ID_LENGTH;
        if (own) channels.push(`${this.key}#${name}#${room}#`);
      }
    }
    return [...new Set(channels)]; // the rooms 1 and "1" share one
  }

  #shardedChannels() {
    /** @type {string[]} */
    const channels = this.native && this.running ? [`${this.key}-heartbeat`] : [];
    for (const { name, adapter } of this.running ? this.io._nsps.values() : []) {
      const channel = `${this.key}#${name}#`;
      channels.push(channel, `${channel}${adapter.uid}#`);
      if (this.native) channels.push(`${this.key}-native#${name}#`, `${this.key}-native#${name}#1#`);
      if (this.mode === 'static') continue;
      for (const room of adapter.rooms.keys()) {
        // The official adapter looks whether a socket has this id, ours at the length that publishers look at.
        const isId = this.native ? String(room).length === ID_LENGTH : adapter.sids.has(room);
        if (this.mode === 'dynamic-private' || !isId) channels.push(`${channel}${room}#`);
      }
    }
    return [...new Set(channels)];
  }

  /** How many patterns Redis should know of because of this node. */
  patterns() {
    return !SHARDED && !STREAMS && this.running && this.mode !== 'dynamic-private' ? this.io._nsps.size : 0;
  }

  /** Closes the server and its adapters. */
  stop() {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop() {
    if (!this.io) return;
    const closed = once(this.#server, 'close');
    const late = this.settings.io === 'socket.io-4.3' ? [...this.io._nsps.values()] : [];
    this.io.close();
    for (const { adapter } of late) adapter.close(); // which 4.3 leaves to us
    this.#server.closeAllConnections();
    await closed;
    await Promise.all(this.#clients.map(closeClient));
  }
}

/**
 * What Redis knows.
 * @param {import('../../dev/redis-server').RedisServer} redis
 * @param {string[]} channels
 * @returns {Promise<{ patterns: number, counts: Map<string, number> }>} `patterns`: of all connections together
 */
async function subscriptions(redis, channels) {
  const [list, reply] = await Promise.all([
    redis.command('CLIENT', 'LIST', 'TYPE', 'pubsub'),
    redis.command('PUBSUB', ON_SHARDS ? 'SHARDNUMSUB' : 'NUMSUB', ...channels),
  ]);
  const patterns = [...list.matchAll(/ psub=(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
  return { patterns, counts: new Map(channels.map((channel, i) => [channel, reply[2 * i + 1]])) };
}

/**
 * Resolves when Redis has confirmed exactly what these nodes, and the test, should have subscribed to.
 * @param {import('../../dev/redis-server').RedisServer} redis
 * @param {AdapterNode[]} nodes all that are on this Redis
 * @param {string[]} [others] channels that the test itself listens to
 */
async function settled(redis, nodes, others = []) {
  const deadline = Date.now() + PATIENCE;
  const seen = new Set();
  for (;;) {
    /** @type {Map<string, number>} */
    const wanted = new Map();
    const prefixes = new Set(nodes.map(({ key }) => key));
    for (const channel of [...others, ...nodes.flatMap((node) => node.channels())]) {
      wanted.set(channel, (wanted.get(channel) ?? 0) + 1);
    }
    for (const channel of await redis.command('PUBSUB', ON_SHARDS ? 'SHARDCHANNELS' : 'CHANNELS')) {
      const isOurs = [...prefixes].some((prefix) => channel.startsWith(prefix));
      // That of heartbeats is there as long as one server of a connection is.
      if (isOurs && ![...prefixes].some((prefix) => channel === `${prefix}-heartbeat`)) seen.add(channel);
    }
    for (const channel of seen) if (!wanted.has(channel)) wanted.set(channel, 0);
    const patterns = nodes.reduce((sum, node) => sum + node.patterns(), 0);
    const found = await subscriptions(redis, [...wanted.keys()]);
    const missing = [...wanted].filter(([channel, count]) => found.counts.get(channel) !== count);
    if (missing.length === 0 && found.patterns === patterns && (await areReading(redis, nodes))) return;
    if (Date.now() > deadline) {
      const details = missing.map(([channel, count]) => `${channel}: ${found.counts.get(channel)} instead of ${count}`);
      throw new Error(`subscriptions: ${found.patterns} patterns instead of ${patterns}; ${details.join('; ')}`);
    }
    await delay(POLL);
  }
}

/**
 * Whether all servers read, and no others do any more. Official ones lose what is added between two `XREAD` before
 * they have seen an entry, so that they are shown one, which nobody takes for a message.
 * @param {import('../../dev/redis-server').RedisServer} redis
 * @param {AdapterNode[]} nodes
 */
async function areReading(redis, nodes) {
  if (!STREAMS) return true;
  const running = nodes.filter((node) => node.running);
  const clients = await redis.command('CLIENT', 'LIST', 'TYPE', 'normal');
  const reading = [...clients.matchAll(/ flags=(\S+) .* cmd=xread/g)].map(([, flags]) => flags.includes('b'));
  const wanted = running.reduce((sum, node) => sum + (node.native ? 1 : node.streams.length), 0);
  const isSettled = reading.length === wanted && reading.every(Boolean);
  const unshown = running.filter((node) => !node.native && !node.isShown);
  if (!isSettled || unshown.length === 0) return isSettled;
  for (const node of unshown) node.isShown = true;
  for (const stream of unshown[0].streams) await redis.command('XADD', stream, '*', 'uid', 'test');
  return areReading(redis, nodes);
}

/**
 * Starts a server; resolves when it hears all others. Where several are on one Redis, `AdapterCluster` starts them.
 * @param {AdapterNodeSettings} settings
 */
async function startAdapterNode(settings) {
  const node = new AdapterNode(settings);
  await node.start();
  const channels = node.channels();
  while ([...(await subscriptions(node.redis, channels)).counts.values()].includes(0)) await delay(POLL);
  return node;
}

module.exports = {
  AdapterNode,
  NATIVE_MISSING,
  ON_SHARDS,
  SHARDED,
  STREAMS,
  closeClient,
  createClients,
  isNative,
  modeOf,
  settled,
  startAdapterNode,
};
