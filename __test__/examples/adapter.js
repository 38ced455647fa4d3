'use strict';

/** What the tests of the examples on Socket.IO 4 share; see run.js. */

const { setTimeout: delay } = require('node:timers/promises');
const { io } = require('socket.io-client-4');
const { Inbox } = require('../support/client-inbox.js');
const run = require('./run.js');

const POLL = 20;
const MODULES = require.resolve('./adapter-modules.js');

/**
 * Starts an example; see `start` of run.js.
 * @param {import('node:test').TestContext} t
 * @param {string} name
 * @param {{ redis: { host: string, port: number }, workers?: number }} settings
 */
function start(t, name, settings) {
  return run.start(t, name, { ...settings, flags: ['--require', MODULES] });
}

/**
 * Resolves when that many nodes hear what others broadcast, and what they ask.
 * @param {{ command: (...args: string[]) => Promise<any> }} redis
 * @param {number} nodes
 */
async function hearing(redis, nodes) {
  for (;;) {
    const [, asked] = await redis.command('PUBSUB', 'NUMSUB', 'socket.io-request#/#');
    const list = await redis.command('CLIENT', 'LIST', 'TYPE', 'pubsub');
    if (asked === nodes && list.match(/ psub=1 /g)?.length === nodes) return;
    await delay(POLL);
  }
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

module.exports = { hearing, join, joinCluster, start };
