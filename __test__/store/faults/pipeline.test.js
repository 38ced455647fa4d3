'use strict';

/** Publishes are written before the first is answered, and each of them ends in one place. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');

const { RedisStore } = require('../../..');
const { startProxy } = require('../../../dev/proxy');
const { startRedis } = require('../../../dev/redis-server');
const { LIMIT } = require('../../support/limits');
const { Load, Receipt, assertSubscriberHealthy, cleanup, closeAll, finish, until } = require('../../support/load');

/** So many requests may be unanswered, and so many bytes. */
const MAX_REQUESTS = 16 * 1024;
const MAX_BYTES = 4 * 1024 * 1024;
const KIB = 1024;

/**
 * A publisher behind a proxy, and a subscriber that is not.
 * @param {import('node:test').TestContext} t
 * @param {...any} filler what each message carries
 */
async function setUp(t, ...filler) {
  const after = cleanup(t);
  const redis = await startRedis();
  after(() => redis.stop());
  const proxy = await startProxy(redis.port);
  after(() => proxy.close());
  const direct = { redisPub: redis.url, redisSub: redis.url, redisClient: redis.url };
  const publisher = new RedisStore({ ...direct, redisPub: proxy.url, redisClient: proxy.url });
  const subscriber = new RedisStore(direct);
  after(() => closeAll(publisher, subscriber));
  const load = new Load(publisher, 'load', ...filler);
  const receipt = new Receipt(subscriber, 'load');
  await receipt.subscribed;
  await load.eventLog.next('connect', 'pub', undefined, 0);
  after(() => proxy.thaw());
  return { proxy, publisher, load, receipt };
}

describe('the pipeline of publishes', LIMIT, () => {
  it('is written though nothing is answered, and answered later', async (t) => {
    const { proxy, publisher, load, receipt } = await setUp(t);
    proxy.holdReplies();
    for (let sent = 0; sent < 3000; sent += 100) {
      load.send(100);
      await receipt.complete(load);
    }
    assert.equal(publisher.stats().published, 0);
    assert.equal(publisher.stats().queues.publish.messages, 3000);
    proxy.thaw();
    await finish(load, receipt);
    assertSubscriberHealthy(load, receipt);
    assert.deepEqual(receipt.missing(load), []);
    assert.equal(publisher.stats().published, load.sent);
  });

  for (const { title, size, count, most } of [
    { title: 'requests', size: 0, count: MAX_REQUESTS + 4000, most: MAX_REQUESTS },
    { title: 'bytes', size: 100 * KIB, count: 100, most: Math.ceil(MAX_BYTES / (100 * KIB)) },
  ]) {
    it(`is bounded by the ${title} that are unanswered`, async (t) => {
      const { proxy, load, receipt } = await setUp(t, 'x'.repeat(size));
      proxy.holdReplies();
      load.send(count);
      // A ping may be among them.
      await until('all that may be under way', () => receipt.numbers.length >= most - 10);
      proxy.cut();
      proxy.thaw();
      await finish(load, receipt);
      assertSubscriberHealthy(load, receipt);
      const { unconfirmed, dropped } = load.books();
      assert.equal(dropped, 0);
      assert.ok(unconfirmed >= most - 10 && unconfirmed <= most, `${unconfirmed} were under way`);
    });
  }

  for (const direction of /** @type {const} */ (['requests', 'replies'])) {
    it(`each ends in one place, wherever its ${direction} are cut`, async (t) => {
      const { proxy, load, receipt } = await setUp(t);
      for (let round = 0; round < 60; round++) {
        const since = load.eventLog.events.length;
        // In the middle of a command, or of a reply, and between two of them.
        proxy.cutAfter({ [direction]: 1 + round * 7 });
        load.send(200);
        await load.eventLog.next('connect', 'pub', undefined, since);
        await load.stop();
        const { sent, published, unconfirmed, dropped, queued } = load.books();
        assert.equal(published + unconfirmed + dropped + queued, sent, `round ${round}`);
      }
      await finish(load, receipt);
      assertSubscriberHealthy(load, receipt);
      const { unconfirmed, dropped } = load.books();
      assert.ok(unconfirmed > 0);
      assert.equal(dropped, 0);
    });
  }
});
