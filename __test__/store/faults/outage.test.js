'use strict';

const assert = require('node:assert/strict');
const { afterEach, beforeEach, describe, it } = require('node:test');

const { RedisStore } = require('../../..');
const {
  Load,
  Receipt,
  until,
  closeAll,
  finish,
  assertSubscriberHealthy,
  assertPublisherHealthy,
  assertBothHit,
} = require('../../support/load');
const { startRedis } = require('../../../dev/redis-server');
const { LIMIT } = require('../../support/limits');

/** Messages in each turn of about 1 ms: some thousand in a second. */
const CHUNK = 10;

describe('under load', LIMIT, () => {
  let redis;
  let publisher;
  let subscriber;
  let load;
  let receipt;

  beforeEach(async () => {
    redis = await startRedis();
    // Heartbeats would tell the one store of what the other goes through.
    const endpoints = { redisPub: redis.url, redisSub: redis.url, redisClient: redis.url, heartbeat: false };
    publisher = new RedisStore(endpoints);
    subscriber = new RedisStore(endpoints);
    load = new Load(publisher, 'load');
    receipt = new Receipt(subscriber, 'load');
    await receipt.subscribed;
  });

  afterEach(async () => {
    await load.stop();
    await closeAll(publisher, subscriber);
    await redis.stop();
  });

  /** Both stores' connections that carry messages are up again. */
  const backUp = async (since, sinceSub) => {
    await load.eventLog.next('connect', 'pub', undefined, since);
    await receipt.eventLog.next('connect', 'sub', undefined, sinceSub);
  };

  const positions = () => [load.eventLog.events.length, receipt.eventLog.events.length];

  it('kill -9 and restart, three times', async () => {
    load.start(CHUNK);
    for (let round = 0; round < 3; round++) {
      await receipt.more(1000);
      const since = positions();
      await redis.kill();
      await load.eventLog.next('reconnecting', 'pub', ({ attempt }) => attempt >= 2, since[0]);
      await redis.restart();
      await backUp(...since);
    }
    await receipt.more(1000);
    await until('both connections', () => publisher.stats().connections.sub.state === 'connected');
    await finish(load, receipt);
    assertBothHit(load, receipt);
    assert.equal(load.eventLog.all('disconnect', 'pub').length, 3);
    assert.equal(receipt.eventLog.all('disconnect', 'sub').length, 3);
    assert.equal(receipt.eventLog.all('gap', 'sub').length, 3);
    // Both of its connections count; one of them may have slept through an outage.
    const { pub, sub } = publisher.stats().connections;
    assert.deepEqual([pub.state, sub.state], ['connected', 'connected']);
    assert.equal(publisher.stats().reconnects, load.eventLog.all('connect').length - 2);
  });

  it('kill -9 with more queued than fits', async () => {
    load.start(CHUNK);
    await receipt.more(1000);
    const since = positions();
    await redis.kill();
    await load.eventLog.next('disconnect', 'pub', undefined, since[0]);
    load.send(12_000);
    assert.equal(publisher.stats().queues.publish.messages, 10_000);
    await redis.restart();
    await backUp(...since);
    await receipt.more(1000);
    await finish(load, receipt);
    assertBothHit(load, receipt);
    assert.ok(load.books().dropped >= 2000);
    assert.equal(load.eventLog.errors('ERR_QUEUE_FULL').length, 1);
  });

  it('CLIENT KILL TYPE normal, five times', async () => {
    load.start(CHUNK);
    for (let round = 0; round < 5; round++) {
      await receipt.more(500);
      const [since] = positions();
      await redis.command('CLIENT', 'KILL', 'TYPE', 'normal');
      await load.eventLog.next('connect', 'pub', undefined, since);
    }
    await finish(load, receipt);
    assertSubscriberHealthy(load, receipt);
    assert.equal(load.books().dropped, 0);
    assert.equal(load.eventLog.all('disconnect', 'pub').length, 5);
  });

  it('CLIENT KILL TYPE normal in the middle of full pipelines', async () => {
    for (let round = 0; round < 5; round++) {
      const [since] = positions();
      load.send(4000);
      await redis.command('CLIENT', 'KILL', 'TYPE', 'normal');
      await load.eventLog.next('connect', 'pub', undefined, since);
      await load.stop();
    }
    load.send(1);
    await receipt.complete(load);
    await load.stop();
    assertSubscriberHealthy(load, receipt);
    assert.equal(load.books().dropped, 0);
  });

  it('CLIENT KILL TYPE pubsub, ten times', async () => {
    load.start(CHUNK);
    for (let round = 0; round < 10; round++) {
      await receipt.more(500);
      const [, since] = positions();
      await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await receipt.eventLog.next('connect', 'sub', undefined, since);
    }
    await receipt.more(500);
    await finish(load, receipt);
    assertPublisherHealthy(load, receipt);
    assert.equal(receipt.eventLog.all('gap', 'sub').length, 10);
  });

  it('CLIENT PAUSE loses nothing', async () => {
    load.start(CHUNK);
    await receipt.more(500);
    await redis.command('CLIENT', 'PAUSE', 400, 'ALL');
    await until('publishes to wait', () => publisher.stats().queues.publish.messages > 500);
    await receipt.more(3000);
    await load.stop();
    await receipt.complete(load);
    assertNothingLost();
  });

  it('a stopped Redis (SIGSTOP) loses nothing', async () => {
    load.start(CHUNK);
    await receipt.more(500);
    redis.pause();
    await load.more(3000);
    redis.resume();
    await receipt.more(3500);
    await load.stop();
    await receipt.complete(load);
    assertNothingLost();
  });

  it('more than the offline queue holds may wait while Redis only stalls', async () => {
    redis.pause();
    load.send(15_000);
    redis.resume();
    await receipt.complete(load);
    await load.stop();
    assertNothingLost();
  });

  function assertNothingLost() {
    assertSubscriberHealthy(load, receipt);
    assert.deepEqual(receipt.missing(load), []);
    for (const { eventLog } of [load, receipt]) {
      assert.deepEqual(
        ['disconnect', 'gap', 'error'].flatMap((event) => eventLog.all(event)),
        [],
      );
    }
  }
});
