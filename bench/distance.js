'use strict';

const path = require('node:path');

const { startProxy } = require('../dev/proxy');
const { PATTERN } = require('./adapter-messages');
const { openLoad, startPatientRedis } = require('./fixture');
const { Child } = require('./ipc');

/** A server that is far from its Redis; who measures is beside it. */
class Distance {
  /**
   * @param {string} name
   * @param {number} roundTrip in ms
   */
  static async open(name, roundTrip) {
    const redis = await startPatientRedis();
    const proxy = await startProxy(redis.port, { latency: roundTrip / 2 });
    const [server, load] = [new Child(path.join(__dirname, 'adapter-server.js')), await openLoad(redis)];
    await server.ask('start', { name, port: proxy.port, sockets: 0 });
    return Object.assign(new Distance(), { redis, proxy, server, load });
  }

  /** The server emits, `rate` a second; how long each takes to Redis. */
  async emit(count, rate, data) {
    let emitting;
    const delays = await this.load.ask('delays', { subscribe: ['PSUBSCRIBE', PATTERN], count }, () => {
      emitting = this.server.ask('trickle', { count, rate, data });
    });
    return { ...(await emitting), ...delays, expected: count };
  }

  async close() {
    this.server.stop();
    this.load.stop();
    await this.proxy.close();
    await this.redis.stop();
  }
}

module.exports = { Distance };
