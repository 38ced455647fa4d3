'use strict';

const assert = require('node:assert/strict');
const { afterEach, beforeEach, describe, it } = require('node:test');

const { RedisStore } = require('../../..');
const { startRedis } = require('../../../dev/redis-server');
const { LIMIT } = require('../../support/limits');
const { EventLog, closeAll, until } = require('../../support/load');

const MANY = Array.from({ length: 1000 }, (_, i) => `channel-${i}`);

describe('subscriptions after a restart of Redis', LIMIT, () => {
  let redis;
  let publisher;
  let subscriber;
  let eventLog;
  /** @type {Map<string, number>} How many messages came, by channel. */
  let received;

  const count = (channel) => () => received.set(channel, (received.get(channel) ?? 0) + 1);
  const subscribe = (channel) =>
    new Promise((resolve) => {
      subscriber.subscribe(channel, count(channel), () => resolve(undefined));
    });
  const unsubscribe = (channel) =>
    new Promise((resolve) => {
      subscriber.unsubscribe(channel, () => resolve(undefined));
    });
  const channels = async () => (await redis.command('PUBSUB', 'CHANNELS')).sort();

  beforeEach(async () => {
    redis = await startRedis();
    const endpoints = { redisPub: redis.url, redisSub: redis.url, redisClient: redis.url, heartbeat: false };
    publisher = new RedisStore(endpoints);
    publisher.on('error', () => {});
    subscriber = new RedisStore(endpoints);
    eventLog = new EventLog(subscriber);
    received = new Map();
    await Promise.all(MANY.map(subscribe));
  });

  afterEach(async () => {
    await closeAll(publisher, subscriber);
    await redis.stop();
  });

  /** Publishes once on each channel, and waits for what comes. */
  async function assertReceives(wanted, others = []) {
    received.clear();
    for (const channel of [...others, ...wanted]) publisher.publish(channel, 1);
    await until('the last channel', () => received.has(wanted.at(-1)));
    assert.deepEqual([...received].sort(), wanted.map((channel) => [channel, 1]).sort());
  }

  it('1,000 channels are put back before `connect` is told', async () => {
    await assertReceives(MANY);
    const since = eventLog.events.length;
    await redis.kill();
    await eventLog.next('disconnect', 'sub', undefined, since);
    await redis.restart();
    await eventLog.next('connect', 'sub', undefined, since);
    assert.deepEqual(await channels(), [...MANY].sort());
    await assertReceives(MANY);
  });

  it('what changes during the outage is changed, and both kinds of callback are called', async () => {
    const since = eventLog.events.length;
    await redis.kill();
    await eventLog.next('disconnect', 'sub', undefined, since);
    let confirmed = false;
    const left = unsubscribe('channel-0');
    const added = subscribe('new').then(() => {
      confirmed = true;
    });
    const again = unsubscribe('channel-1').then(() => subscribe('channel-1'));
    const brief = subscribe('brief');
    const briefLeft = unsubscribe('brief');
    await left; // there is nothing to leave while Redis is away
    await briefLeft;
    await brief;
    await eventLog.next('reconnecting', 'sub', ({ attempt }) => attempt >= 2, since);
    assert.equal(confirmed, false, 'nothing can be confirmed yet');
    await redis.restart();
    await Promise.all([added, again]);
    await eventLog.next('connect', 'sub', undefined, since);
    const wanted = [...MANY.slice(1), 'new'];
    assert.deepEqual(await channels(), [...wanted].sort());
    await assertReceives(wanted, ['channel-0', 'brief']);
  });

  it('what was under way when the connection broke is done, and called back', async () => {
    const since = eventLog.events.length;
    redis.pause(); // so that no answer comes
    const left = unsubscribe('channel-0');
    const added = subscribe('new');
    await redis.kill();
    await left;
    await redis.restart();
    await added;
    await eventLog.next('connect', 'sub', undefined, since);
    const wanted = [...MANY.slice(1), 'new'];
    assert.deepEqual(await channels(), [...wanted].sort());
    await assertReceives(wanted, ['channel-0']);
  });

  it('a channel left and wanted again at once is there when the second is confirmed', async () => {
    for (let round = 0; round < 50; round++) {
      unsubscribe('channel-5');
      await subscribe('channel-5');
      publisher.publish('channel-5', round);
      await until('the message', () => received.get('channel-5') === 1);
      received.clear();
    }
  });

  it('survives being cut while it puts them back', async () => {
    let cuts = 0;
    const cut = async () => {
      await until('the first of them back', async () => (await channels()).length > 0);
      cuts += await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    };
    for (let i = 0; i < 10; i++) await cut();
    // Every cut is followed by one attempt to reconnect, whether it had got to `connect` or not.
    await until(
      'the last of them',
      () =>
        eventLog.all('reconnecting', 'sub').length === cuts &&
        eventLog.events.findLastIndex(({ event }) => event === 'connect') >
          eventLog.events.findLastIndex(({ event }) => event === 'reconnecting'),
    );
    assert.ok(cuts >= 5);
    await assertReceives(MANY);
  });

  it('several consumers of a channel all stay, and all leave', async () => {
    await subscribe('channel-7');
    const since = eventLog.events.length;
    await redis.restart();
    await eventLog.next('connect', 'sub', undefined, since);
    received.clear();
    publisher.publish('channel-7', 1);
    await until('both', () => received.get('channel-7') === 2);
    await unsubscribe('channel-7');
    assert.ok(!(await channels()).includes('channel-7'));
  });
});
