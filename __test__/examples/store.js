'use strict';

/** What the tests of the examples on Socket.IO 0.9 share; see run.js. */

const { setTimeout: delay } = require('node:timers/promises');
const { connect } = require('../support/store-client.js');

const POLL = 20;

/**
 * Resolves when that many nodes hear what others broadcast.
 * @param {{ command: (...args: string[]) => Promise<any> }} redis
 * @param {number} nodes
 */
async function hearing(redis, nodes) {
  while ((await redis.command('PUBSUB', 'NUMSUB', 'dispatch'))[1] !== nodes) await delay(POLL);
}

/**
 * Connects a client.
 * @param {import('node:test').TestContext} t
 * @param {{ port: number }} at
 * @returns {Promise<{ client: Awaited<ReturnType<typeof connect>>, node: number }>} `node`: whose pid
 */
async function join(t, at) {
  const client = await connect(at);
  t.after(() => client.close());
  const [{ node }] = await client.event('welcome');
  return { client, node };
}

/**
 * The same where several workers share the port, again as often as the client was faster than Redis: 0.9 closes the
 * connection of one of whose handshake, with another worker, it does not know yet.
 * @type {typeof join}
 */
async function joinCluster(t, at) {
  for (;;) {
    try {
      return await join(t, at);
    } catch (error) {
      if (/** @type {any} */ (error).message !== 'the WebSocket has closed') throw error;
    }
  }
}

module.exports = { hearing, join, joinCluster };
