'use strict';

/** What the tests of the examples on Socket.IO 4 share; see run.js. */

const assert = require('node:assert/strict');
const { setTimeout: delay } = require('node:timers/promises');
const { io } = require('socket.io-client-4');
const { Inbox } = require('../support/client-inbox.js');
const { start } = require('./run.js');

const POLL = 20;

/** @typedef {{ command: (...args: string[]) => Promise<any> }} Server */

/**
 * Resolves when that many nodes hear what others broadcast, and what they ask.
 * @param {Server | Server[]} redis the servers on which they may subscribe
 * @param {number} nodes
 */
async function hearing(redis, nodes) {
  const servers = [redis].flat();
  for (;;) {
    const asked = await numsub('NUMSUB', servers, 'socket.io-request#/#');
    const lists = await Promise.all(servers.map((server) => server.command('CLIENT', 'LIST', 'TYPE', 'pubsub')));
    if (asked === nodes && lists.join('').match(/ psub=1 /g)?.length === nodes) return;
    await delay(POLL);
  }
}

/**
 * The same of nodes on sharded channels, which have one channel for both.
 * @param {Server[]} servers
 * @param {number} nodes
 */
async function hearingSharded(servers, nodes) {
  while ((await numsub('SHARDNUMSUB', servers, 'socket.io#/#')) !== nodes) await delay(POLL);
}

/** @param {'NUMSUB' | 'SHARDNUMSUB'} subcommand @param {Server[]} servers @param {string} channel */
async function numsub(subcommand, servers, channel) {
  const replies = await Promise.all(servers.map((server) => server.command('PUBSUB', subcommand, channel)));
  return replies.reduce((sum, [, count]) => sum + count, 0);
}

/** A client, and what it has heard. */
class Client {
  #inbox = new Inbox();

  /** @param {{ port: number }} at @param {string[]} transports */
  constructor({ port }, transports) {
    this.socket = io(`http://127.0.0.1:${port}`, { transports, forceNew: true, reconnection: false });
    this.socket.onAny((event, ...args) => this.#inbox.push({ event, args }));
    this.socket.on('connect_error', (error) => this.#inbox.end(error));
    this.socket.on('disconnect', (reason) => this.#inbox.end(new Error(reason)));
  }

  /** @param {string} name @returns {Promise<any[]>} the arguments of the next event of this name */
  async event(name) {
    return (await this.#inbox.take(({ event }) => event === name)).args;
  }
}

/**
 * Connects a client.
 * @param {import('node:test').TestContext} t
 * @param {{ port: number }} at
 * @param {string[]} [transports]
 * @returns {Promise<{ client: Client, node: number }>} `node`: whose pid
 */
async function join(t, at, transports = ['websocket']) {
  const client = new Client(at, transports);
  t.after(() => client.socket.disconnect());
  const [{ node }] = await client.event('welcome');
  return { client, node };
}

/**
 * The same where several workers share the port, again as often as the client was faster than its worker's word to the
 * primary, which then gave its second request to another worker: that one does not know the session.
 * @type {typeof join}
 */
async function joinCluster(t, at, transports) {
  for (;;) {
    try {
      return await join(t, at, transports);
    } catch (/** @type {any} */ error) {
      if (error.type !== 'TransportError' || error.context?.status !== 400) throw error;
    }
  }
}

/**
 * What each client says all hear.
 * @param {Awaited<ReturnType<typeof join>>[]} joined
 */
async function assertChat(joined) {
  for (const { client, node } of joined) {
    client.socket.emit('say', 'hellö');
    const said = { name: 'guest', text: 'hellö', node };
    for (const each of joined) assert.deepEqual(await each.client.event('said'), [said]);
  }
}

module.exports = { Client, assertChat, hearing, hearingSharded, join, joinCluster, start };
