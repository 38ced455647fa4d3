'use strict';

/** A mailbox that is full because the event loop is blocked. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { LIMIT } = require('../../support/limits');
const { blockUntil } = require('../../support/block');
const { until } = require('../../support/load');
const { broadcast, createFixture, range, stub } = require('./fixture');

const FITS = 1000;
const FLOOD = 5000;

/**
 * @param {import('node:test').TestContext} t
 * @param {string} [overflow]
 * @param {string[]} [redisArgs]
 */
async function setUp(t, overflow, redisArgs) {
  const fixture = await createFixture(t, redisArgs);
  const opts = { mailbox: { messages: FITS }, ...(overflow ? { overflow } : {}) };
  const node = await fixture.node({ opts, namespaces: ['/chat'] });
  const flooder = await fixture.flooder();
  /** @type {number[]} */
  const numbers = [];
  const remove = stub(node, 'stub', ['room'], ([text]) => {
    const [event, number] = JSON.parse(text.slice(1));
    if (event === 'n') numbers.push(Number(number));
  });
  t.after(remove);
  const stats = () => node.adapter().stats();
  const flood = () => flooder.flood('socket.io#/#room#', FLOOD);
  const last = (number) => until(`number ${number}`, () => numbers.at(-1) === number);
  /** What is published now arrives, and nothing before it is under way any more. */
  const marker = async () => {
    await fixture.publish('socket.io#/#room#', broadcast(['n', '999999'], { rooms: ['room'] }));
    await last(999_999);
    numbers.pop();
  };
  const gaps = (nsp = '/') => node.eventLog(nsp).all('gap', 'sub');
  const told = (nsp) => gaps(nsp).reduce((sum, { dropped }) => sum + dropped, 0);
  return { fixture, node, numbers, stats, flood, last, marker, gaps, told };
}

describe('a full mailbox', LIMIT, () => {
  for (const overflow of [undefined, 'drop-oldest']) {
    it(`drop-oldest${overflow ? '' : ', the default'}: the newest messages arrive`, async (t) => {
      const { node, numbers, stats, flood, marker, gaps, told } = await setUp(t, overflow);

      flood();
      blockUntil('all to have arrived', () => stats().overflowed + stats().queues.mailbox.messages === FLOOD);
      const { messages } = stats().queues.mailbox;
      assert.ok(messages <= FITS && messages > FITS / 2, `${messages} wait`);
      const blocked = Date.now();
      await marker();
      assert.deepEqual(numbers, range(FLOOD - messages + 1, FLOOD));
      const { overflowed, received, delivered } = stats();
      assert.equal(overflowed, FLOOD - messages);
      assert.equal(received, FLOOD + 1);
      assert.equal(delivered, FLOOD + 1);
      await until('all of it to be told', () => told('/') === overflowed);
      assert.equal(told('/chat'), overflowed);
      const [gap] = gaps();
      assert.ok(gap.since <= blocked && gap.unconfirmed === 0, 'it lies in the flood');
      assert.deepEqual(
        ['disconnect', 'error'].flatMap((event) => node.eventLog().all(event)),
        [],
      );
    });
  }

  it('drop-oldest: answers of Redis and of nobody else are kept', async (t) => {
    const { fixture, node, numbers, stats, flood, marker } = await setUp(t, 'drop-oldest');
    const there = await fixture.node();
    const far = await fixture.client(there);
    const asked = Promise.all([node.adapter().serverCount(), node.adapter('/chat').allRooms()]);
    blockUntil('all to have left', () => stats().queues.publish.messages === 0);
    flood();
    blockUntil('all to have arrived', () => stats().overflowed + stats().queues.mailbox.messages >= FLOOD);
    const [count, rooms] = await asked;
    assert.deepEqual([count, rooms], [2, new Set()]);
    await marker();
    assert.ok(numbers.length < FLOOD);
    assert.deepEqual(
      (await node.io.in(far.id).fetchSockets()).map(({ id }) => id),
      [far.id],
    );
  });

  it('drop-oldest: a join that is confirmed meanwhile is told', async (t) => {
    const fixture = await createFixture(t);
    const node = await fixture.node({
      opts: { mailbox: { messages: FITS }, subscriptionMode: 'dynamic', requestsTimeout: 100_000 },
    });
    const client = await fixture.client(node);
    await client.peer.join('room');
    const flooder = await fixture.flooder();
    const joined = client.peer.join('other');
    await null; // the end of this microtask is when it is asked for
    await null;
    flooder.flood('socket.io#/#room#', FLOOD);
    const stats = () => node.adapter().stats();
    blockUntil('all to have arrived', () => stats().overflowed + stats().queues.mailbox.messages === FLOOD);
    await joined;
    assert.equal(await fixture.subscribers('socket.io#/#other#'), 1);
  });

  it('drop-newest: the oldest messages arrive', async (t) => {
    const { node, numbers, stats, flood, marker, told } = await setUp(t, 'drop-newest');
    flood();
    blockUntil('all to have arrived', () => stats().overflowed === FLOOD - FITS);
    assert.equal(stats().queues.mailbox.messages, FITS);
    await marker();
    assert.deepEqual(numbers, range(1, FITS));
    await until('all of it to be told', () => told('/') === FLOOD - FITS);
    assert.equal(told('/chat'), FLOOD - FITS);
    assert.equal(stats().overflowed, FLOOD - FITS);
    assert.deepEqual(
      ['disconnect', 'error'].flatMap((event) => node.eventLog().all(event)),
      [],
    );
  });

  it('disconnect: the connection is given up, and comes back', async (t) => {
    const { node, numbers, stats, flood, marker, gaps, fixture } = await setUp(t, 'disconnect');
    const there = await fixture.node();
    const far = await fixture.client(there);

    const before = Date.now();
    flood();
    blockUntil('a full mailbox', () => stats().queues.mailbox.messages === FITS);
    blockUntil('the connection to be given up', () => stats().connections.sub.state === 'reconnecting');
    const blocked = Date.now();
    await node.eventLog().next('gap', 'sub', undefined, 0);
    for (const nsp of ['/', '/chat']) {
      const events = node
        .eventLog(nsp)
        .events.filter(({ connection }) => connection === 'sub')
        .map(({ event }) => event);
      assert.deepEqual(events, ['connect', 'disconnect', 'reconnecting', 'connect', 'gap']);
      assert.equal(node.eventLog(nsp).all('disconnect', 'sub')[0].error.code, 'ERR_MAILBOX_FULL');
    }
    const [gap] = gaps();
    assert.ok(gap.since <= blocked && gap.since + gap.duration >= before, 'it covers the flood');
    await marker();
    assert.deepEqual(numbers, range(1, FITS));
    assert.equal(stats().overflowed, 0);
    assert.equal(await node.adapter().serverCount(), 2);
    assert.deepEqual((await node.io.fetchSockets()).map(({ id }) => id).sort(), [far.id, 'stub'].sort());
  });

  it('wait: nothing is lost', async (t) => {
    const { node, numbers, stats, flood, last, gaps } = await setUp(t, 'wait');
    flood();
    blockUntil('a full mailbox', () => stats().queues.mailbox.messages === FITS);
    await last(FLOOD);
    assert.deepEqual(numbers, range(1, FLOOD));
    assert.equal(stats().overflowed, 0);
    assert.equal(stats().received, FLOOD);
    assert.deepEqual(gaps(), []);
    assert.deepEqual(
      ['disconnect', 'error'].flatMap((event) => node.eventLog().all(event)),
      [],
    );
  });

  it('is full by its bytes too', async (t) => {
    const fixture = await createFixture(t);
    const node = await fixture.node({ opts: { mailbox: { bytes: 20_000 }, overflow: 'drop-newest' } });
    const flooder = await fixture.flooder();
    let arrived = 0;
    t.after(
      stub(node, 'stub', ['room'], () => {
        arrived++;
      }),
    );
    await null; // the end of this microtask is when the room is told of
    await null;
    flooder.flood('socket.io#/#room#', FLOOD);
    const stats = () => node.adapter().stats();
    blockUntil('all to have arrived', () => stats().overflowed + stats().queues.mailbox.messages === FLOOD);
    const { messages, bytes } = stats().queues.mailbox;
    // What waits is packed into chunks, the last of which may have grown for what does not come any more.
    assert.ok(bytes >= 20_000 && bytes < 21_000, `${bytes} bytes`);
    // Each takes the 8 words that say what it is, and its text: what is counted is what it takes.
    const least = 8 * 4 + '2["n","000001"]'.length;
    assert.ok(messages > 0 && messages * least <= bytes, `${messages} of ${least} bytes in ${bytes}`);
    await until('what fits', () => arrived === messages);
  });
});
