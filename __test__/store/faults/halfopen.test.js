'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');

const { RedisStore } = require('../../..');
const {
  Load,
  Receipt,
  until,
  closeAll,
  cleanup,
  finish,
  assertSubscriberHealthy,
  assertPublisherHealthy,
} = require('../../support/load');
const { startProxy } = require('../../../dev/proxy');
const { startRedis } = require('../../../dev/redis-server');
const { LIMIT } = require('../../support/limits');

/** Messages in each turn of about 1 ms: some 2,000 in a second. */
const CHUNK = 2;

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
  // Heartbeats would tell the one store of what the other goes through.
  const direct = { redisPub: redis.url, redisSub: redis.url, redisClient: redis.url, heartbeat: false };
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
describe('a half-open connection', { concurrency: true, ...LIMIT }, () => {
  for (const loaded of [true, false]) {
    const how = loaded ? 'under load' : 'idle';

    it(`of the subscriber, ${how}, is noticed, and another takes its place; all is accounted for`, async (t) => {
      const { proxy, load, receipt } = await setUp(t, 'redisSub');
      if (loaded) {
        load.start(CHUNK);
        await receipt.more(500);
      }
      const since = receipt.eventLog.events.length;
      proxy.strand();
      if (!loaded) load.send(100);
      await noticed(receipt.eventLog, 'sub');
      await receipt.eventLog.next('connect', 'sub', undefined, since);
      if (loaded) await receipt.more(500);
      await finish(load, receipt);
      assertPublisherHealthy(load, receipt);
      const missing = receipt.missing(load).length;
      assert.ok(loaded ? missing > 0 : missing === 100, `the silence cost messages: ${missing}`);
      assert.equal(receipt.eventLog.all('gap', 'sub').length, 1);
      assert.deepEqual(
        ['reconnecting', 'error'].flatMap((event) => receipt.eventLog.all(event)),
        [],
      );
    });

    it(`of the publisher, ${how}, is noticed, and another takes its place; all is accounted for`, async (t) => {
      const { proxy, load, receipt } = await setUp(t, 'redisPub');
      if (loaded) {
        load.start(CHUNK);
        await receipt.more(500);
      }
      const since = load.eventLog.events.length;
      proxy.strand();
      await noticed(load.eventLog, 'pub');
      await load.eventLog.next('connect', 'pub', undefined, since);
      if (loaded) await receipt.more(500);
      else load.send(100);
      await finish(load, receipt);
      assertSubscriberHealthy(load, receipt);
      const { unconfirmed } = load.books();
      assert.equal(unconfirmed > 0, loaded, 'what was under way is unconfirmed');
      assert.deepEqual(
        ['reconnecting', 'error'].flatMap((event) => load.eventLog.all(event)),
        [],
      );
    });
  }

  for (const behind of /** @type {const} */ (['redisSub', 'redisPub'])) {
    const connection = behind === 'redisSub' ? 'sub' : 'pub';

    it(`${behind}: is noticed too when its server cannot be reached`, async (t) => {
      const { proxy, load, receipt } = await setUp(t, behind);
      const { eventLog } = behind === 'redisSub' ? receipt : load;
      const since = eventLog.events.length;
      proxy.vanish();
      await noticed(eventLog, connection);
      const { error } = await eventLog.next('error', connection, undefined, since);
      assert.equal(error.code, 'ERR_CONNECT');
      proxy.accept();
      proxy.thaw();
      await eventLog.next('connect', connection, undefined, since);
      await finish(load, receipt);
      assert.deepEqual(receipt.missing(load), []);
      assert.deepEqual(eventLog.errors('ERR_STALLED'), []);
    });
  }
});

/** Waits until the first connection is given up. How long that takes is tested on a clock of its own, without a network. */
async function noticed(eventLog, connection) {
  const { error } = await eventLog.next('disconnect', connection, undefined, 0);
  assert.equal(error.code, 'ERR_CONNECTION_LOST');
  assert.match(error.message, /no answer for [\d.]+ s/);
}

describe('a connection that is cut again and again', LIMIT, () => {
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
