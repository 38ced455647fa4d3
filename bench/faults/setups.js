'use strict';

/** Servers and nodes that several kinds of faults need alike. */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { startProxy } = require('../../dev/proxy');
const { startRedis } = require('../../dev/redis-server');
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

/**
 * One server with a user for the nodes, and a proxy in front of it for each node.
 * @param {Closing} closing
 * @param {Partial<Way>} [more] of our nodes
 * @param {Record<string, string>} [env] of the nodes
 */
async function single(closing, more = {}, env) {
  const redis = closing.add(await startRedis({ args: ['--user', USER, 'on', `>${PASSWORD}`, '~*', '&*', '+@all'] }));
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

/** @type {Record<string, () => Promise<any>>} */
const SETUPS = {
  single: () => opened((closing) => single(closing)),
  /** A small mailbox: JavaScript falls behind at once when it is blocked. */
  mailbox: () => opened((closing) => single(closing, { options: { mailbox: { messages: 200 } } })),
};

module.exports = { PASSWORD, SETUPS, SIDES, USER };
