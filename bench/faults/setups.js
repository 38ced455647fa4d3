'use strict';

/** Servers and nodes that several kinds of faults need alike. */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { startProxy } = require('../../dev/proxy');
const { startCluster } = require('../../dev/redis-cluster');
const { startSentinels } = require('../../dev/redis-sentinel');
const { startRedis, until } = require('../../dev/redis-server');
const { Certificates, speaksTls, startTlsRedis } = require('../../dev/tls');
const { Fleet } = require('./fleet');
const { OFFICIAL, OURS } = require('./sides');

const NODES = 3;
const SIDES = [OURS, OFFICIAL];

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
 * @param {Record<string, string>} [env]
 */
async function startFleets(closing, wayOf, env) {
  return Promise.all(
    SIDES.map(async (side) => {
      const ways = await Promise.all(Array.from({ length: NODES }, (_, node) => wayOf(side, node)));
      return closing.add(await Fleet.start(side, ways, env));
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
 * @param {Partial<Way>} [more] of our nodes
 * @param {Record<string, string>} [env] of the nodes
 */
async function single(closing, more = {}, env) {
  const redis = closing.add(await startRedis({ args: USER_ARGS }));
  const passwordFile = sharedFile(closing, 'password', PASSWORD);
  /** By side, then by node. @type {Record<string, Awaited<ReturnType<typeof startProxy>>[]>} */
  const proxies = Object.fromEntries(SIDES.map((side) => [side, []]));
  const fleets = await startFleets(
    closing,
    async (side, node) => {
      proxies[side][node] = closing.add(await startProxy(redis.port));
      return { url: proxies[side][node].url, passwordFile, user: USER, ...more };
    },
    env,
  );
  return { redis, proxies, passwordFile, fleets };
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

/** @param {Closing} closing */
async function watched(closing) {
  const all = closing.add(await startSentinels({ replicas: 2, failoverTimeout: FAILOVER_TIMEOUT }));
  const sentinels = all.sentinels.map(({ host, port }) => ({ host, port }));
  // So long after a failover they begin none of their own: twice the time, and up to a second by chance.
  const rest = 2 * FAILOVER_TIMEOUT + 1000;
  return { all, rest, fleets: await startFleets(closing, () => ({ sentinels })) };
}

/** @param {Closing} closing @param {boolean} sharded */
async function clustered(closing, sharded) {
  const cluster = closing.add(await startCluster());
  const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }));
  return { cluster, fleets: await startFleets(closing, () => ({ cluster: nodes, sharded })) };
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
  return { ...(await single(closing, {}, env)), setClocks: (shift) => fs.writeFileSync(file, shift) };
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
  /** A small mailbox: JavaScript falls behind at once when it is blocked. */
  mailbox: (closing) => single(closing, { options: { mailbox: { messages: 200 } } }),
  pair,
  secured,
  dated,
  sentinel: watched,
  cluster: (closing) => clustered(closing, false),
  sharded: (closing) => clustered(closing, true),
};

/** @param {string} name @returns {Promise<any>} its servers and nodes, and `close` */
function openSetup(name) {
  return opened(SETUPS[name]);
}

/** @param {string} name @returns {string | undefined} why it cannot be opened here */
function whatIsMissing(name) {
  return MISSING[name]?.();
}

module.exports = { openSetup, PASSWORD, SIDES, USER, whatIsMissing };
