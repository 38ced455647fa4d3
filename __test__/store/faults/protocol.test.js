'use strict';

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');

const { RedisStore } = require('../../..');
const { startProxy } = require('../../../dev/proxy');
const { startRedis } = require('../../../dev/redis-server');
const { LIMIT } = require('../../support/limits');
const { EventLog, closeAll, until } = require('../../support/load');

/** What no Redis would say, or not at that time; and how it is told, where the decoder refuses it. */
const LIES = {
  noise: [Buffer.from('2121f3a0ff00d7c1e2900a0d7f45c3b6aa5501fe0d0a90', 'hex'), 'the kind'],
  'an HTTP server': ['HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n', 'the kind'],
  'an unknown first byte, and no more': ['?', 'the kind'],
  'a line without an end': [`+${'x'.repeat(4 * 1024 * 1024)}`, 'a line'],
  'an error without an end': [`-ERR ${'x'.repeat(4 * 1024 * 1024)}`, 'a line'],
  'a string that is longer than it says': ['$5\r\nhelloXX', 'the end of a string'],
  'such a string within a message': ['*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$5\r\nhelloXX', 'the end of a string'],
  'a length that is none': ['$x\r\n', 'an integer'],
  'a negative length': ['$-5\r\n', 'a length'],
  'an array of 5 million elements': ['*5000000\r\n', 'the number of values'],
  'arrays that add up to 5 million elements': ['*2\r\n*3000000\r\n*2000000\r\n', 'the number of values'],
  'an array of 2 Gi elements': ['*2147483647\r\n', 'a length'],
  'an array of 2^62 elements': ['*4611686018427387904\r\n', 'a length'],
  'arrays in arrays': ['*1\r\n'.repeat(100_000), null],
  'a string of 1 TiB': ['$1099511627776\r\nx', 'a length'],
  'a message without a payload': ['*2\r\n$7\r\nmessage\r\n$1\r\na\r\n', null],
  'an empty array': ['*0\r\n', null],
  'a reply that nobody asked for': [':1\r\n', null],
  'a confirmation that nobody asked for': ['*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n', null],
  'an error that nobody asked for': ['-ERR nobody asked\r\n', null],
};

describe('bytes that Redis would not send', { concurrency: 4, ...LIMIT }, () => {
  let redis;

  before(async () => {
    redis = await startRedis();
  });
  after(() => redis.stop());

  /**
   * Connects through a proxy, says what Redis would not, and sees that the store comes back.
   * @param {'redisSub' | 'redisPub'} behind
   * @param {string | Buffer} bytes
   * @param {string | null} refused what cannot be understood
   */
  async function assertRecovers(behind, bytes, refused) {
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
      if (refused) assert.match(error.message, new RegExp(`: ${refused} of a reply cannot be understood$`));
      await eventLog.next('connect', connection, undefined, since);
      const [publisher, subscriber] = behind === 'redisSub' ? [other, store] : [store, other];
      const channel = `after-${proxy.port}`;
      let received = false;
      await new Promise((resolve) => {
        subscriber.subscribe(
          channel,
          () => {
            received = true;
          },
          () => resolve(undefined),
        );
      });
      publisher.publish(channel, 1);
      await until('a message', () => received);
    } finally {
      await closeAll(store, other);
      await proxy.close();
    }
  }

  for (const behind of /** @type {const} */ (['redisSub', 'redisPub'])) {
    for (const [name, [bytes, refused]] of Object.entries(LIES)) {
      it(`${behind}: ${name}`, () => assertRecovers(behind, bytes, refused));
    }
  }
});
