'use strict';

/** What the tests of the examples on Socket.IO 0.9 share; see run.js. */

const { setTimeout: delay } = require('node:timers/promises');
const { connect } = require('../support/store-client.js');

const POLL = 20;
const ATTEMPTS = 20;

/**
 * Resolves when that many nodes hear what others broadcast.
 * @param {{ command: (...args: string[]) => Promise<any> }} redis
 * @param {number} nodes
 */
async function hearing(redis, nodes) {
  while ((await redis.command('PUBSUB', 'NUMSUB', 'dispatch'))[1] !== nodes) await delay(POLL);
}

/**
 * Connects a client, again where it was faster than Redis ("client not handshaken").
 * @param {import('node:test').TestContext} t
 * @param {{ port: number }} at
 * @param {number} [attempts]
 * @returns {Promise<{ client: Awaited<ReturnType<typeof connect>>, node: number }>} `node`: whose pid
 */
async function join(t, at, attempts = ATTEMPTS) {
  try {
    const client = await connect(at);
    t.after(() => client.close());
    const [{ node }] = await client.event('welcome');
    return { client, node };
  } catch (error) {
    if (attempts <= 1) throw error;
    return join(t, at, attempts - 1);
  }
}

module.exports = { hearing, join };
