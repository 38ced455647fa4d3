'use strict';

const { Fixture } = require('./fixture');
const { dispatchOf, ROOM } = require('./store-messages');
const { TIME } = require('./timestamp');

const STAMPED = dispatchOf(`3::${ROOM}:${TIME}`);

/** The fixture of a 0.9 store. */
class StoreFixture extends Fixture {
  static SERVER = 'store-server.js';

  /**
   * Publishes from outside while the implementation measures itself.
   * @param {{ count: number, messages?: number }} receive what the implementation waits for
   * @param {{ payload: string, count: number, last?: { channel: string, payload: string } }} load
   */
  async receive(receive, load) {
    let published;
    const measured = await this.server.ask('receive', receive, () => {
      published = this.load.ask('publish', { channel: 'dispatch', ...load });
    });
    await published;
    return { ...measured, expected: receive.count };
  }

  /**
   * The implementation publishes, and everything must come out of Redis.
   * @param {{ count: number, burst: number, packet: string }} publish
   */
  async publish({ count, ...publish }) {
    let measured;
    const { received } = await this.load.ask('count', { subscribe: ['SUBSCRIBE', 'dispatch'], count }, () => {
      measured = this.server.ask('publish', { count, ...publish });
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
    const measured = await this.server.ask('latency', { count }, () => {
      published = this.load.ask('stamped', { channel: 'dispatch', payload: STAMPED, count, rate });
    });
    await published;
    return { ...measured, expected: count };
  }
}

module.exports = { StoreFixture };
