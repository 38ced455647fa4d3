'use strict';

/** What the tests of the examples on Socket.IO 4 share; see run.js. */

const { setTimeout: delay } = require('node:timers/promises');
const { io } = require('socket.io-client-4');
const { Inbox } = require('../support/client-inbox.js');
const run = require('./run.js');

const POLL = 20;
const ATTEMPTS = 5;
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
 * Connects a client, again where it was faster than the worker's word to the primary, which then
 * gave its second request to another worker.
 * @param {import('node:test').TestContext} t
 * @param {{ port: number }} at
 * @param {string[]} [transports]
 * @param {number} [attempts]
 * @returns {Promise<{ client: Client, node: number }>} `node`: whose pid
 */
async function join(t, at, transports = ['websocket'], attempts = ATTEMPTS) {
  const client = new Client(at, transports);
  t.after(() => client.socket.disconnect());
  try {
    const [{ node }] = await client.event('welcome');
    return { client, node };
  } catch (error) {
    if (attempts <= 1) throw error;
    return join(t, at, transports, attempts - 1);
  }
}

module.exports = { hearing, join, start };
