'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');

const { RedisStore } = require('../../..');
const { startProxy } = require('../../../dev/proxy');
const { startRedis } = require('../../../dev/redis-server');
const { LIMIT } = require('../../support/limits');
const { Load, Receipt, until, closeAll, cleanup, finish, assertSubscriberHealthy } = require('../../support/load');

/**
 * A subscriber that stays connected, and a publisher that is cut off.
 * @param {import('node:test').TestContext} t
 * @param {object} options the publisher's
 */
async function setUp(t, options) {
  const after = cleanup(t);
  const redis = await startRedis();
  after(() => redis.stop());
  const proxy = await startProxy(redis.port);
  after(() => proxy.close());
  const direct = { redisPub: redis.url, redisSub: redis.url, redisClient: redis.url };
  const publisher = new RedisStore({ ...direct, redisPub: proxy.url, redisClient: proxy.url, ...options });
  const subscriber = new RedisStore(direct);
  after(() => closeAll(publisher, subscriber));
  const load = new Load(publisher, 'queue');
  const receipt = new Receipt(subscriber, 'queue');
  await receipt.subscribed;
  await load.eventLog.next('connect', 'pub', undefined, 0);
  after(() => proxy.accept()); // so that what is queued at the end can leave
  const cutOff = async () => {
    const since = load.eventLog.events.length;
    proxy.refuse();
    await load.eventLog.next('disconnect', 'pub', undefined, since);
  };
  const comeBack = async () => {
    const since = load.eventLog.events.length;
    proxy.accept();
    await load.eventLog.next('connect', 'pub', undefined, since);
  };
  return { redis, proxy, publisher, subscriber, load, receipt, cutOff, comeBack };
}

/** Numbers from `first` to `last`. */
const range = (first, last) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe('the offline queue', LIMIT, () => {
  it('holds the newest `messages`; the rest is dropped, counted and told', async (t) => {
    const { publisher, load, receipt, cutOff, comeBack } = await setUp(t, { offlineQueue: { messages: 100 } });
    await cutOff();
    load.send(100);
    assert.equal(publisher.stats().dropped, 0);
    load.send(150);
    assert.equal(publisher.stats().dropped, 150);
    assert.equal(publisher.stats().queues.publish.messages, 100);
    await load.eventLog.next('error', undefined, ({ code }) => code === 'ERR_QUEUE_FULL', 0);
    await comeBack();
    await receipt.complete(load);
    await load.stop();
    assert.deepEqual(receipt.numbers, range(151, 250));
    assertSubscriberHealthy(load, receipt);
    assert.equal(load.books().unconfirmed, 0);
    const [gap, ...more] = load.eventLog.all('gap', 'pub');
    assert.deepEqual(more, []);
    assert.equal(gap.dropped, 150);
    assert.ok(gap.since <= load.settledAt[0] && gap.since + gap.duration >= load.sentAt[149]);
    assert.equal(load.eventLog.errors('ERR_QUEUE_FULL').length, 1);
    assert.equal(publisher.stats().queues.publish.messages, 0);
    assert.equal(publisher.stats().queues.publish.bytes, 0);
  });

  it('tells a full queue once in each outage', async (t) => {
    const { load, receipt, cutOff, comeBack } = await setUp(t, { offlineQueue: { messages: 10 } });
    for (let outage = 1; outage <= 3; outage++) {
      await cutOff();
      load.send(30);
      await comeBack();
      await receipt.complete(load);
      await load.stop();
      assert.equal(load.eventLog.errors('ERR_QUEUE_FULL').length, outage);
      assert.equal(load.books().dropped, 20 * outage);
    }
    assert.deepEqual(receipt.numbers, [...range(21, 30), ...range(51, 60), ...range(81, 90)]);
    assertSubscriberHealthy(load, receipt);
  });

  it('tells a gap that reaches to what was dropped last', async (t) => {
    const { load, receipt, cutOff, comeBack } = await setUp(t, { offlineQueue: { messages: 1 } });
    load.start(200);
    for (let outage = 1; outage <= 10; outage++) {
      await cutOff();
      await comeBack();
      await receipt.more(500);
    }
    await finish(load, receipt);
    assertSubscriberHealthy(load, receipt);
  });

  it('holds 10,000 messages unless told otherwise', async (t) => {
    const { publisher, load, receipt, cutOff, comeBack } = await setUp(t, {});
    await cutOff();
    load.send(12_345);
    assert.equal(publisher.stats().dropped, 2345);
    await comeBack();
    await receipt.complete(load);
    await load.stop();
    assert.deepEqual(receipt.numbers, range(2346, 12_345));
    assertSubscriberHealthy(load, receipt);
  });

  /** What one message takes while it waits: its text, and no more than a little about it. */
  function sizeOfWaiting(publisher, text) {
    const { messages, bytes } = publisher.stats().queues.publish;
    assert.equal(messages, 1);
    assert.ok(bytes > text && bytes < text + 512, `${bytes} bytes for ${text}`);
    return bytes;
  }

  it('holds `bytes`, of all that messages take', async (t) => {
    const { publisher, subscriber, load, cutOff, comeBack } = await setUp(t, { offlineQueue: { bytes: 10_000 } });
    const received = [];
    await new Promise((resolve) => {
      subscriber.subscribe(
        'bytes',
        (number) => received.push(number),
        () => resolve(undefined),
      );
    });
    await cutOff();
    const filler = 'x'.repeat(500);
    publisher.publish('bytes', 10, filler);
    const size = sizeOfWaiting(publisher, 'bytes'.length + JSON.stringify([10, filler]).length);
    const fit = Math.floor(10_000 / size);
    for (const number of range(11, 59)) publisher.publish('bytes', number, filler);
    assert.deepEqual(publisher.stats().queues.publish, { messages: fit, bytes: fit * size });
    assert.equal(publisher.stats().dropped, 50 - fit);
    await comeBack();
    await until('the last one', () => received.at(-1) === 59);
    assert.deepEqual(received, range(60 - fit, 59));
    await until('the gap', () => load.eventLog.all('gap', 'pub').length > 0);
    assert.equal(load.eventLog.all('gap', 'pub')[0].dropped, 50 - fit);
  });

  it('holds 16 MiB unless told otherwise', async (t) => {
    const { publisher, subscriber, cutOff, comeBack } = await setUp(t, {});
    const received = [];
    await new Promise((resolve) => {
      subscriber.subscribe(
        'big',
        (number) => received.push(number),
        () => resolve(undefined),
      );
    });
    await cutOff();
    // 16 of them take a little less than 16 MiB, and 17 take more.
    const filler = 'x'.repeat(1024 * 1024 - 1024);
    publisher.publish('big', 10, filler);
    const size = sizeOfWaiting(publisher, 'big'.length + JSON.stringify([10, filler]).length);
    for (const number of range(11, 29)) publisher.publish('big', number, filler);
    assert.deepEqual(publisher.stats().queues.publish, { messages: 16, bytes: 16 * size });
    await comeBack();
    await until('the last one', () => received.at(-1) === 29);
    assert.deepEqual(received, range(14, 29));
  });

  it('holds one message, however large', async (t) => {
    const { publisher, subscriber, cutOff, comeBack } = await setUp(t, { offlineQueue: { bytes: 1000 } });
    const received = [];
    await new Promise((resolve) => {
      subscriber.subscribe(
        'large',
        (text) => received.push(text.length),
        () => resolve(undefined),
      );
    });
    await cutOff();
    publisher.publish('large', 'small');
    publisher.publish('large', 'x'.repeat(5000));
    assert.equal(publisher.stats().dropped, 1);
    await comeBack();
    await until('it', () => received.length > 0);
    assert.deepEqual(received, [5000]);
  });

  it('calls back the commands that it drops, and answers those that stay', async (t) => {
    const { publisher, load, cutOff, comeBack } = await setUp(t, { offlineQueue: { messages: 10 } });
    await cutOff();
    const client = publisher.client('1');
    const set = (number) =>
      new Promise((resolve) => {
        client.set(`key${number}`, number, (error, added) => resolve(error ? error.code : added));
      });
    const answers = range(1, 15).map(set);
    assert.deepEqual(await Promise.all(answers.slice(0, 5)), Array(5).fill('ERR_QUEUE_FULL'));
    await comeBack();
    assert.deepEqual(await Promise.all(answers.slice(5)), Array(10).fill(1));
    assert.equal(publisher.stats().dropped, 5);
    await until('the gap', () => load.eventLog.all('gap', 'pub').length > 0);
    assert.equal(load.eventLog.all('gap', 'pub')[0].dropped, 5);
    assert.equal(load.eventLog.errors('ERR_QUEUE_FULL').length, 1);
  });

  it('keeps the order of publishes and commands between them', async (t) => {
    const { publisher, redis, load, receipt, cutOff, comeBack } = await setUp(t, {});
    await cutOff();
    const client = publisher.client('order');
    const seen = [];
    for (const number of range(1, 50)) {
      client.set('number', number, (error, added) => seen.push(error ?? added));
      load.send(1);
    }
    await comeBack();
    await receipt.complete(load);
    await load.stop();
    await until('the last callback', () => seen.length >= 50);
    assert.deepEqual(receipt.numbers, range(1, 50));
    assert.deepEqual(seen, [1, ...Array(49).fill(0)]);
    assert.equal(await redis.command('HGET', 'order', 'number'), '50');
  });

  it('has no place taken by commands that have timed out', async (t) => {
    const { publisher, load, receipt, cutOff, comeBack } = await setUp(t, {
      offlineQueue: { messages: 100 },
      commandTimeout: 100,
    });
    await cutOff();
    const client = publisher.client('1');
    await Promise.all(
      range(1, 60).map(
        (number) =>
          new Promise((resolve) => {
            client.get(`key${number}`, (error) => {
              assert.equal(error.code, 'ERR_COMMAND_TIMEOUT');
              resolve(undefined);
            });
          }),
      ),
    );
    load.send(60);
    assert.equal(publisher.stats().dropped, 0, 'nothing that could still leave was dropped');
    await comeBack();
    await receipt.complete(load);
    await load.stop();
    assert.deepEqual(receipt.numbers, range(1, 60));
    assert.equal(publisher.stats().dropped, 0);
    assert.deepEqual(load.eventLog.all('gap', 'pub'), []);
  });
});
