'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');

const { RedisStore } = require('../../..');
const {
  Load, Receipt, until, closeAll, cleanup, finish, assertSubscriberHealthy, assertPublisherHealthy,
} = require('../../support/load');
const { startProxy } = require('../../../dev/proxy');
const { startRedis } = require('../../../dev/redis-server');

/** Messages in each turn of about 1 ms: some 2,000 in a second. */
const CHUNK = 2;

/** What a silence is told as. */
const SILENT = /no answer for \d+ s/;

/**
 * A publisher and a subscriber of which one is behind a proxy.
 * @param {import('node:test').TestContext} t
 * @param {'redisPub' | 'redisSub'} behind
 */
async function setUp(t, behind) {
  const after = cleanup(t);
  const redis = await startRedis();
  after(() => redis.stop());
  const proxy = await startProxy(redis.port);
  after(() => proxy.close());
  const direct = { redisPub: redis.url, redisSub: redis.url, redisClient: redis.url };
  const proxied = { ...direct, [behind]: proxy.url };
  const publisher = new RedisStore(behind === 'redisPub' ? proxied : direct);
  const subscriber = new RedisStore(behind === 'redisSub' ? proxied : direct);
  after(() => closeAll(publisher, subscriber));
  const load = new Load(publisher, 'load');
  const receipt = new Receipt(subscriber, 'load');
  await receipt.subscribed;
  await load.eventLog.next('connect', 'pub', undefined, 0);
  after(() => load.stop());
  return { redis, proxy, publisher, subscriber, load, receipt };
}

// They mostly wait, so they wait together.
describe('a half-open connection', { concurrency: true, timeout: 60_000 }, () => {
  for (const loaded of [true, false]) {
    const how = loaded ? 'under load' : 'idle';

    it(`of the subscriber, ${how}, is noticed; once it is thawed all is accounted for`, async (t) => {
      const { proxy, load, receipt } = await setUp(t, 'redisSub');
      if (loaded) {
        load.start(CHUNK);
        await receipt.more(500);
      }
      proxy.freeze();
      const { error } = await receipt.eventLog.next('disconnect', 'sub');
      assert.equal(error.code, 'ERR_CONNECTION_LOST');
      assert.match(error.message, SILENT);
      if (!loaded) load.send(100);
      proxy.thaw();
      await receipt.eventLog.next('connect', 'sub');
      if (loaded) await receipt.more(500);
      await finish(load, receipt);
      assertPublisherHealthy(load, receipt);
      assert.ok(receipt.missing(load).length > 0, 'the silence cost messages');
      assert.equal(receipt.eventLog.all('gap', 'sub').length, 1);
    });

    it(`of the publisher, ${how}, is noticed; once it is cut all is accounted for`, async (t) => {
      const { proxy, load, receipt, publisher } = await setUp(t, 'redisPub');
      if (loaded) {
        load.start(CHUNK);
        await receipt.more(500);
      }
      proxy.freeze();
      const { error } = await load.eventLog.next('disconnect', 'pub');
      assert.equal(error.code, 'ERR_CONNECTION_LOST');
      assert.match(error.message, SILENT);
      if (!loaded) load.send(100);
      assert.ok(publisher.stats().queues.publish.messages > 0);
      proxy.cut();
      proxy.thaw();
      await load.eventLog.next('connect', 'pub');
      if (loaded) await receipt.more(500);
      await finish(load, receipt);
      assertSubscriberHealthy(load, receipt);
      assert.equal(load.books().unconfirmed > 0, loaded, 'what was under way is unconfirmed');
    });
  }

  it('of the subscriber that stays frozen: attempts go on, and each of them fails in time', async (t) => {
    const { proxy, load, receipt } = await setUp(t, 'redisSub');
    proxy.freeze();
    await receipt.eventLog.next('disconnect', 'sub');
    const { error } = await receipt.eventLog.next('error', 'sub');
    assert.equal(error.code, 'ERR_CONNECT');
    assert.match(error.message, /timed out/i);
    proxy.thaw();
    await receipt.eventLog.next('connect', 'sub');
    await finish(load, receipt);
    assertPublisherHealthy(load, receipt);
  });

  it('that recovers before it is noticed loses nothing', async (t) => {
    for (const behind of /** @type {const} */ (['redisSub', 'redisPub'])) {
      const { proxy, load, receipt } = await setUp(t, behind);
      load.start(CHUNK);
      await receipt.more(500);
      proxy.freeze();
      await load.more(2000);
      proxy.thaw();
      await receipt.more(2500);
      await finish(load, receipt);
      assertSubscriberHealthy(load, receipt);
      assert.deepEqual(receipt.missing(load), []);
      assert.deepEqual(load.eventLog.all('disconnect'), []);
    }
  });
});

describe('a connection that is cut again and again', { timeout: 60_000 }, () => {
  for (const behind of /** @type {const} */ (['redisSub', 'redisPub'])) {
    it(`${behind}: all is accounted for`, async (t) => {
      const { proxy, load, receipt } = await setUp(t, behind);
      const hit = behind === 'redisPub' ? load.eventLog : receipt.eventLog;
      load.start(10);
      for (let round = 0; round < 10; round++) {
        await receipt.more(200);
        const since = hit.events.length;
        proxy.cut();
        await hit.next('connect', undefined, undefined, since);
      }
      await receipt.more(200);
      await finish(load, receipt);
      const assertAccounted = behind === 'redisPub' ? assertSubscriberHealthy : assertPublisherHealthy;
      assertAccounted(load, receipt);
      await until('no connection too many', () => proxy.connections === 1);
    });

    it(`${behind}: refused for some attempts`, async (t) => {
      const { proxy, load, receipt } = await setUp(t, behind);
      const hit = behind === 'redisPub' ? load.eventLog : receipt.eventLog;
      const connection = behind === 'redisPub' ? 'pub' : 'sub';
      load.start(5);
      await receipt.more(200);
      const since = hit.events.length;
      proxy.refuse();
      await hit.next('reconnecting', connection, ({ attempt }) => attempt >= 4, since);
      proxy.accept();
      await hit.next('connect', connection, undefined, since);
      await receipt.more(200);
      await finish(load, receipt);
      const assertAccounted = behind === 'redisPub' ? assertSubscriberHealthy : assertPublisherHealthy;
      assertAccounted(load, receipt);
      assert.equal(load.books().dropped, 0);
    });
  }
});
