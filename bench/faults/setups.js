'use strict';

/** Servers and nodes that several kinds of faults need alike. */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { startProxy } = require('../../dev/proxy');
const { slotOf, startCluster } = require('../../dev/redis-cluster');
const { startSentinels } = require('../../dev/redis-sentinel');
const { startRedis, until } = require('../../dev/redis-server');
const { Certificates, speaksTls, startTlsRedis } = require('../../dev/tls');
const { Fleet } = require('./fleet');
const { OFFICIAL, OFFICIAL_STREAMS, OURS, PREFIXES } = require('./sides');
const { storedOn } = require('./stored');

const NODES = 3;
const SIDES = [OURS, OFFICIAL];
const STREAMS_SIDES = [OURS, OFFICIAL_STREAMS];

/** @typedef {import('./sides').Way} Way */

/** What to close at the end, the last first. */
class Closing {
  /** @type {(() => any)[]} */
  #steps = [];

  /** @template {{ stop?: () => any, close?: () => any }} T @param {T} thing @returns {T} */
  add(thing) {
    this.#steps.unshift(() => (thing.stop ? thing.stop() : thing.close?.()));
    return thing;
  }

  async close() {
    for (const step of this.#steps) await step();
  }
}

/**
 * Starts the nodes of both sides.
 * @param {Closing} closing
 * @param {(side: string, node: number) => Way | Promise<Way>} wayOf
 * @param {{ streams?: boolean, env?: Record<string, string> }} [more]
 */
async function startFleets(closing, wayOf, { streams = false, env } = {}) {
  return Promise.all(
    (streams ? STREAMS_SIDES : SIDES).map(async (side) => {
      const nodes = Array.from({ length: NODES }, (_, node) => wayOf(side, node));
      const ways = (await Promise.all(nodes)).map((way) => ({ ...way, streams }));
      const fleet = closing.add(await Fleet.start(side, ways, env));
      if (streams) await fleet.warmUp();
      return fleet;
    }),
  );
}

/** Opens a setup, or nothing at all. @param {(closing: Closing) => Promise<object>} open */
async function opened(open) {
  const closing = new Closing();
  try {
    return { ...(await open(closing)), close: () => closing.close() };
  } catch (error) {
    await closing.close();
    throw error;
  }
}

/** A file that nodes read anew for each connection. @param {Closing} closing @param {string} name @param {string} text */
function sharedFile(closing, name, text) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sio-faults-'));
  closing.add({ stop: () => fs.rmSync(dir, { recursive: true, force: true }) });
  const file = path.join(dir, name);
  fs.writeFileSync(file, text);
  return file;
}

/** What nodes enter with; the schedule itself is the default user, without a password. */
const USER = 'app';
const PASSWORD = 'first';
const USER_ARGS = ['--user', USER, 'on', `>${PASSWORD}`, '~*', '&*', '+@all', '--repl-diskless-sync-delay', '0'];

/**
 * One server with a user for the nodes, and a proxy in front of it for each node.
 * @param {Closing} closing
 * @param {object} [settings]
 * @param {Partial<Way>} [settings.way] more of how nodes get there
 * @param {string[]} [settings.args] more of the server's
 * @param {boolean} [settings.streams]
 * @param {Record<string, string>} [settings.env] of the nodes
 */
async function single(closing, { way, args = [], ...more } = {}) {
  const redis = closing.add(await startRedis({ args: [...USER_ARGS, ...args] }));
  const passwordFile = sharedFile(closing, 'password', PASSWORD);
  /** By side, then by node. @type {Record<string, Awaited<ReturnType<typeof startProxy>>[]>} */
  const proxies = {};
  const wayOf = async (side, node) => {
    const proxy = closing.add(await startProxy(redis.port));
    (proxies[side] ??= [])[node] = proxy;
    return { url: proxy.url, passwordFile, user: USER, ...way };
  };
  return { redis, proxies, passwordFile, fleets: await startFleets(closing, wayOf, more) };
}

/** A server that keeps on its disk what it has confirmed. @param {Closing} closing */
async function kept(closing) {
  const args = ['--appendonly', 'yes', '--appendfsync', 'always'];
  const setup = await single(closing, { streams: true, args });
  return { ...setup, stored: (side, since) => storedOn(setup.redis, side, since) };
}

/**
 * A master and a replica, between which each node's proxy leads to either.
 * @param {Closing} closing
 */
async function pair(closing) {
  const { redis, ...more } = await single(closing);
  const other = closing.add(await startRedis({ args: USER_ARGS }));
  await follow(other, redis);
  return { ...more, servers: [redis, other], follow };
}

/** Makes one server the replica of another one, and waits until it is in sync. */
async function follow(server, master) {
  await server.command('REPLICAOF', '127.0.0.1', master.port);
  await until('the replica is in sync', async () =>
    (await server.command('INFO', 'replication')).includes('master_link_status:up'),
  );
}

/** A server with a certificate, and two authorities that nodes trust. @param {Closing} closing */
async function secured(closing) {
  const certificates = closing.add(Object.assign(new Certificates(), { stop: () => certificates.remove() }));
  const { redis, url, stop } = await startTlsRedis(certificates, { proxy: false });
  closing.add({ stop });
  const trusted = [certificates.ca, certificates.stranger];
  const ca = sharedFile(closing, 'ca.pem', trusted.map(({ cert }) => cert).join(''));
  const fleets = await startFleets(closing, () => ({ url, ca }));
  return { redis, certificates, fleets };
}

/** In ms. */
const FAILOVER_TIMEOUT = 2000;

/** @param {Closing} closing @param {boolean} [streams] */
async function watched(closing, streams) {
  const all = closing.add(await startSentinels({ replicas: 2, failoverTimeout: FAILOVER_TIMEOUT }));
  const sentinels = all.sentinels.map(({ host, port }) => ({ host, port }));
  // So long after a failover they begin none of their own: twice the time, and up to a second by chance.
  const rest = 2 * FAILOVER_TIMEOUT + 1000;
  const fleets = await startFleets(closing, () => ({ sentinels }), { streams });
  const stored = async (side, since) => storedOn((await all.master()).server, side, since);
  return { all, rest, fleets, ...(streams ? { stored } : {}) };
}

/** @param {Closing} closing @param {{ sharded?: boolean, streams?: boolean }} [wire] */
async function clustered(closing, { sharded, streams } = {}) {
  const cluster = closing.add(await startCluster());
  const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }));
  const fleets = await startFleets(closing, () => ({ cluster: nodes, sharded }), { streams });
  const stored = async (side, since) => storedOn((await cluster.masterOf(slotOf(PREFIXES[side]))).server, side, since);
  return { cluster, fleets, ...(streams ? { stored } : {}) };
}

/** Nodes whose clocks can be set. @param {Closing} closing */
async function dated(closing) {
  const file = sharedFile(closing, 'time', '+0');
  const env = {
    LD_PRELOAD: /** @type {string} */ (findFakeTime()),
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
  return { ...(await single(closing, { env })), setClocks: (shift) => fs.writeFileSync(file, shift) };
}

/** @returns {string | undefined} the library of the package `libfaketime`, which sets a process' clock */
function findFakeTime() {
  const dirs = [
    `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/faketime`,
    '/usr/lib64/faketime',
  ];
  return dirs.map((dir) => path.join(dir, 'libfaketimeMT.so.1')).find((file) => fs.existsSync(file));
}

/** What is missing for a setup, in words; undefined if nothing is. @type {Record<string, () => string | undefined>} */
const MISSING = {
  secured: () => (speaksTls() ? undefined : 'this Redis server was built without TLS'),
  dated: () => (findFakeTime() ? undefined : 'libfaketime is not installed'),
};

/** @type {Record<string, (closing: Closing) => Promise<any>>} */
const SETUPS = {
  single: (closing) => single(closing),
  streams: kept,
  /** A small mailbox: JavaScript falls behind at once when it is blocked. */
  mailbox: (closing) => single(closing, { way: { options: { mailbox: { messages: 200 } } } }),
  pair,
  secured,
  dated,
  sentinel: (closing) => watched(closing),
  'streams-sentinel': (closing) => watched(closing, true),
  cluster: (closing) => clustered(closing),
  sharded: (closing) => clustered(closing, { sharded: true }),
  'streams-cluster': (closing) => clustered(closing, { streams: true }),
};

/** @param {string} name @returns {Promise<any>} its servers and nodes, and `close` */
function openSetup(name) {
  return opened(SETUPS[name]);
}

/** @param {string} name @returns {string | undefined} why it cannot be opened here */
function whatIsMissing(name) {
  return MISSING[name]?.();
}

module.exports = { openSetup, PASSWORD, USER, whatIsMissing };
