'use strict';

const path = require('node:path');

const { startRedis } = require('../dev/redis-server');
const { Child } = require('./ipc');

/** A subscriber that falls behind must not be cut off: the benchmark wants it to catch up. */
const PATIENT = ['--client-output-buffer-limit', 'pubsub 0 0 0'];

/**
 * Starts a Redis of its own for one implementation, so that the others see nothing of its load.
 * @returns {Promise<Awaited<ReturnType<typeof startRedis>>>}
 */
function startPatientRedis() {
  return startRedis({ args: PATIENT });
}

/**
 * The load, in a process of its own.
 * @param {{ port: number }} redis
 */
async function openLoad({ port }) {
  const load = new Child(path.join(__dirname, 'load.js'));
  await load.ask('start', { port });
  return load;
}

/** One implementation with its Redis and its load, each in a process of its own. */
class Fixture {
  /** The implementation's script. @type {string} */
  static SERVER;

  /**
   * @param {string} name
   * @param {object} [args] what else the server needs to start
   */
  static async open(name, args = {}) {
    const redis = await startPatientRedis();
    const server = new Child(path.join(__dirname, this.SERVER));
    const load = await openLoad(redis);
    await server.ask('start', { name, port: redis.port, ...args });
    return Object.assign(new this(), { redis, server, load });
  }

  async close() {
    this.server.stop();
    this.load.stop();
    await this.redis.stop();
  }
}

module.exports = { Fixture, openLoad, startPatientRedis };
