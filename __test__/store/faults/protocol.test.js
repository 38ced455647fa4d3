'use strict';

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');

const { RedisStore } = require('../../..');
const { startProxy } = require('../../../dev/proxy');
const { startRedis } = require('../../../dev/redis-server');
const { EventLog, closeAll, until } = require('../../support/load');

/** What no Redis would say, or not at that time. */
const LIES = {
  noise: Buffer.from('2121f3a0ff00d7c1e2900a0d7f45c3b6aa5501fe0d0a90', 'hex'),
  'an HTTP server': 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n',
  'a length that is none': '$x\r\n',
  'a negative length': '$-5\r\n',
  'an array of 2 Gi elements, broken': '*2147483647\r\n+a\r\n!\r\n',
  'an array of 2^62 elements, broken': '*4611686018427387904\r\n+a\r\n!\r\n',
  'arrays in arrays': '*1\r\n'.repeat(100_000),
  'a message without a payload': '*2\r\n$7\r\nmessage\r\n$1\r\na\r\n',
  'an empty array': '*0\r\n',
  'a reply that nobody asked for': ':1\r\n',
  'a confirmation that nobody asked for': '*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n',
  'an error that nobody asked for': '-ERR nobody asked\r\n',
};

describe('bytes that Redis would not send', { concurrency: 4, timeout: 60_000 }, () => {
  let redis;

  before(async () => { redis = await startRedis(); });
  after(() => redis.stop());

  /**
   * Connects through a proxy, says what Redis would not, and sees that the store comes back.
   * @param {'redisSub' | 'redisPub'} behind
   * @param {string | Buffer} bytes
   */
  async function assertRecovers(behind, bytes) {
    const proxy = await startProxy(redis.port);
    const direct = { redisPub: redis.url, redisSub: redis.url, redisClient: redis.url };
    const store = new RedisStore({ ...direct, [behind]: proxy.url });
    const other = new RedisStore(direct);
    const eventLog = new EventLog(store);
    const connection = behind === 'redisSub' ? 'sub' : 'pub';
    try {
      await eventLog.next('connect', connection, undefined, 0);
      const since = eventLog.events.length;
      proxy.inject(bytes);
      const { error } = await eventLog.next('disconnect', connection, undefined, since);
      assert.equal(error.code, 'ERR_CONNECTION_LOST');
      await eventLog.next('connect', connection, undefined, since);
      const [publisher, subscriber] = behind === 'redisSub' ? [other, store] : [store, other];
      const channel = `after-${proxy.port}`;
      let received = false;
      await new Promise((resolve) => {
        subscriber.subscribe(channel, () => { received = true; }, () => resolve(undefined));
      });
      publisher.publish(channel, 1);
      await until('a message', () => received);
    } finally {
      await closeAll(store, other);
      await proxy.close();
    }
  }

  for (const behind of /** @type {const} */ (['redisSub', 'redisPub'])) {
    for (const [name, bytes] of Object.entries(LIES)) {
      it(`${behind}: ${name}`, () => assertRecovers(behind, bytes));
    }
  }

  it('redisSub: a string of 1 TiB that never comes', () => assertRecovers('redisSub', '$1099511627776\r\nx'));
});
