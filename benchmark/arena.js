'use strict';

const path = require('node:path');

const { startRedis } = require('../dev/redis-server');
const { Child } = require('./ipc');
const { dispatchOf, ROOM, TIME } = require('./messages');

const STAMPED = dispatchOf(`3::${ROOM}:${TIME}`);

/** A subscriber that falls behind must not be cut off: the benchmark wants it to catch up. */
const PATIENT = ['--client-output-buffer-limit', 'pubsub 0 0 0'];

/**
 * Starts a Redis of its own for one contestant, so that the others see nothing of its load.
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

/** One contestant with its Redis and its load, each in a process of its own. */
class Arena {
  /** The contestant's script. @type {string} */
  static SUBJECT;

  /**
   * @param {string} name
   * @param {object} [args] what else the subject needs to start
   */
  static async open(name, args = {}) {
    const redis = await startPatientRedis();
    const subject = new Child(path.join(__dirname, this.SUBJECT));
    const load = await openLoad(redis);
    await subject.ask('start', { name, port: redis.port, ...args });
    return Object.assign(new this(), { redis, subject, load });
  }

  async close() {
    this.subject.stop();
    this.load.stop();
    await this.redis.stop();
  }
}

/** The arena of a 0.9 store. */
class StoreArena extends Arena {
  static SUBJECT = 'subject.js';

  /**
   * Publishes from outside while the contestant measures itself.
   * @param {{ count: number, messages?: number }} receive what the contestant waits for
   * @param {{ payload: string, count: number, last?: { channel: string, payload: string } }} load
   */
  async receive(receive, load) {
    let published;
    const measured = await this.subject.ask('receive', receive, () => {
      published = this.load.ask('publish', { channel: 'dispatch', ...load });
    });
    await published;
    return { ...measured, expected: receive.count };
  }

  /**
   * The contestant publishes, and everything must come out of Redis.
   * @param {{ count: number, burst: number, packet: string }} publish
   */
  async publish({ count, ...publish }) {
    let measured;
    const { received } = await this.load.ask('count', { subscribe: ['SUBSCRIBE', 'dispatch'], count }, () => {
      measured = this.subject.ask('publish', { count, ...publish });
    });
    return { ...(await measured), received, expected: count };
  }

  /**
   * How long a message takes from its publisher to the transport.
   * @param {number} count
   * @param {number} rate messages a second
   */
  async latency(count, rate) {
    let published;
    const measured = await this.subject.ask('latency', { count }, () => {
      published = this.load.ask('stamped', { channel: 'dispatch', payload: STAMPED, count, rate });
    });
    await published;
    return { ...measured, expected: count };
  }
}

module.exports = { Arena, openLoad, startPatientRedis, StoreArena };
