'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');

const { RedisStore } = require('../../..');
const { startRedis } = require('../../../dev/redis-server');
const { LIMIT } = require('../../support/limits');
const { block, blockUntil } = require('../../support/block');
const { Receipt, until, closeAll, cleanup } = require('../../support/load');
const { connectRaw } = require('./raw-publisher');

/** Redis cuts nobody off who is slow for some minutes. */
const PATIENT = ['--client-output-buffer-limit', 'pubsub 64mb 64mb 600'];

async function setUp(t, args = PATIENT, options = {}) {
  const after = cleanup(t);
  const redis = await startRedis({ args });
  after(() => redis.stop());
  const store = new RedisStore({ redisPub: redis.url, redisSub: redis.url, redisClient: redis.url, ...options });
  after(() => closeAll(store));
  const raw = await connectRaw(redis.port);
  after(() => raw.close());
  const receipt = new Receipt(store, 'flood');
  await receipt.subscribed;
  return { redis, store, raw, receipt };
}

describe('an event loop that is blocked while messages arrive', LIMIT, () => {
  it("loses nothing of what fits the mailbox and Redis' buffers", async (t) => {
    const { store, raw, receipt } = await setUp(t);
    raw.flood('flood', 250_000);
    const waiting = () => store.stats().queues.mailbox.messages;
    blockUntil('a full mailbox', () => waiting() >= 100_000);
    // Were there no bound, more would follow.
    block(1000);
    const { mailbox } = store.stats().queues;
    // One chunk may be begun when the limit is reached.
    assert.ok(mailbox.messages <= 101_000, `${mailbox.messages} wait: that is no bound`);
    await until('the last one', () => receipt.last === 250_000);
    assert.equal(receipt.numbers.length, 250_000);
    receipt.assertInOrder();
    assert.deepEqual(receipt.eventLog.all('gap'), []);
    assert.deepEqual(receipt.eventLog.all('disconnect'), []);
    assert.equal(store.stats().received, 250_000);
    assert.deepEqual(store.stats().queues.mailbox, { messages: 0, bytes: 0 });
  });

  it('tells a gap when Redis cuts it off for being slow', async (t) => {
    const { redis, store, raw, receipt } = await setUp(t, ['--client-output-buffer-limit', 'pubsub 4mb 4mb 1']);
    const before = Date.now();
    raw.flood('flood', 150_000);
    block(1500);
    await receipt.eventLog.next('gap', 'sub', undefined, 0);
    const after = Date.now();
    const [gap] = receipt.eventLog.all('gap', 'sub');
    assert.equal(receipt.eventLog.all('disconnect', 'sub').length, 1);
    assert.ok(receipt.numbers.length < 150_000);
    assert.ok(gap.since <= after && gap.since + gap.duration >= before, 'the gap covers the flood');
    receipt.assertInOrder();
    const count = receipt.numbers.length;
    raw.publish('flood', '{"nodeId":"raw","args":[150001]}');
    await until('a later message', () => receipt.last === 150_001);
    assert.equal(receipt.numbers.length, count + 1);
    assert.equal(store.stats().reconnects, 1);
    assert.equal(await redis.command('PUBSUB', 'NUMSUB', 'flood').then(([, number]) => number), 1);
  });

  it('is not taken for a silence of Redis, however long', async (t) => {
    // Few, since Redis answers nothing while it floods.
    const { store, raw, receipt } = await setUp(t, PATIENT, { mailbox: { messages: 1000 } });
    raw.flood('flood', 20_000);
    blockUntil('a full mailbox', () => store.stats().queues.mailbox.messages >= 1000);
    block(9000); // longer than a connection may owe an answer
    await until('the last one', () => receipt.last === 20_000);
    assert.equal(receipt.numbers.length, 20_000);
    receipt.assertInOrder();
    let confirmed = false;
    store.subscribe(
      'other',
      () => {},
      () => {
        confirmed = true;
      },
    );
    await until('the connection to serve', () => confirmed);
    assert.deepEqual(
      ['disconnect', 'gap', 'error'].flatMap((event) => receipt.eventLog.all(event)),
      [],
    );
  });

  it('lets timers run between the batches of a flood', async (t) => {
    const { raw, receipt } = await setUp(t);
    let ticks = 0;
    let before = 0;
    const timer = setInterval(() => {
      ticks++;
      if (receipt.numbers.length === 0) before = ticks;
    }, 1);
    raw.flood('flood', 200_000);
    block(500);
    await until('the last one', () => receipt.last === 200_000);
    clearInterval(timer);
    assert.ok(ticks - before >= 3, `${ticks - before} turns of a timer while 200,000 messages were delivered`);
  });
});
