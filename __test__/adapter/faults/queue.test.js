'use strict';

/** What is published while Redis is away: kept within bounds, in order, and accounted for. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { LIMIT } = require('../../support/limits');
const { until } = require('../../support/load');
const { createFixture, range } = require('./fixture');

/** A server whose way to Redis can fail, and one with a client whose way does not. */
async function setUp(t, opts) {
  const fixture = await createFixture(t);
  const proxy = await fixture.proxy();
  const namespaces = ['/chat'];
  const sender = await fixture.node({ url: proxy.url, opts, namespaces });
  const receiver = await fixture.node({ namespaces });
  const there = await fixture.client(receiver);
  const chatting = await fixture.client(receiver, '/chat');
  const cutOff = async () => {
    const gone = sender.eventLog().next('disconnect', 'pub');
    proxy.refuse();
    await gone;
  };
  const comeBack = async () => {
    const back = sender.eventLog().next('connect', 'pub');
    proxy.accept();
    await back;
  };
  return { fixture, sender, there, chatting, cutOff, comeBack };
}

/** Every broadcast has come to one known end. */
function assertBalanced({ eventLog, adapter }, sent) {
  const { published, dropped, unconfirmed, queues } = adapter.stats();
  assert.equal(published + dropped + unconfirmed + queues.publish.messages, sent);
  const gaps = eventLog.all('gap', 'pub');
  const told = (name) => gaps.reduce((sum, gap) => sum + gap[name], 0);
  assert.deepEqual([told('dropped'), told('unconfirmed')], [dropped, unconfirmed]);
  return { published, dropped, unconfirmed };
}

describe('broadcasts of an outage', LIMIT, () => {
  it('are delivered after it, in order', async (t) => {
    const { sender, there, chatting, cutOff, comeBack } = await setUp(t, {});
    await cutOff();
    const numbers = range(1, 3000);
    for (const number of numbers) {
      const target = number % 3 === 0 ? sender.io.to(there.id) : sender.io;
      if (number % 5 === 0) target.emit('news', number, Buffer.from([1]));
      else target.emit('news', number);
      if (number % 10 === 0) sender.io.of('/chat').emit('news', number);
    }
    sender.io.emit('end');
    sender.io.of('/chat').emit('end');
    assert.equal(sender.adapter().stats().queues.publish.messages, 3302);
    assertBalanced({ eventLog: sender.eventLog(), adapter: sender.adapter() }, 3302);
    await comeBack();
    assert.deepEqual(
      (await there.until('end')).map(([, number]) => number),
      numbers,
    );
    assert.deepEqual(
      (await chatting.until('end')).map(([, number]) => number),
      range(1, 300).map((number) => number * 10),
    );
    await until('all to be confirmed', () => sender.adapter().stats().published === 3302);
    assertBalanced({ eventLog: sender.eventLog(), adapter: sender.adapter() }, 3302);
    assert.deepEqual(sender.eventLog().all('gap', 'pub'), []);
  });

  it('beyond offlineQueue are dropped, the oldest first, counted and told', async (t) => {
    const { sender, there, cutOff, comeBack } = await setUp(t, { offlineQueue: { messages: 50 } });
    const full = () => sender.eventLog().errors('ERR_QUEUE_FULL');
    await cutOff();
    const before = Date.now();
    for (const number of range(1, 119)) sender.io.emit('news', number);
    sender.io.emit('end');
    const emitted = Date.now();
    const { dropped, queues } = sender.adapter().stats();
    assert.deepEqual([dropped, queues.publish.messages], [70, 50]);
    await comeBack();
    assert.deepEqual(
      (await there.until('end')).map(([, number]) => number),
      range(71, 119),
    );
    await until('the gap', () => sender.eventLog().all('gap', 'pub').length > 0);
    await until('all to be confirmed', () => sender.adapter().stats().queues.publish.messages === 0);
    assert.deepEqual(assertBalanced({ eventLog: sender.eventLog(), adapter: sender.adapter() }, 120), {
      published: 50,
      dropped: 70,
      unconfirmed: 0,
    });
    assert.equal(full().length, 1);
    assert.equal(sender.eventLog('/chat').errors('ERR_QUEUE_FULL').length, 1);
    const [gap] = sender.eventLog('/chat').all('gap', 'pub');
    assert.ok(
      gap.since >= before - 1 && gap.since <= emitted + 1 && gap.since + gap.duration >= before,
      'it begins with the first of them',
    );
    await cutOff();
    for (const number of range(1, 60)) sender.io.emit('news', number);
    assert.equal(sender.adapter().stats().dropped, 80);
    await comeBack();
    await until('the second gap', () => sender.eventLog().all('gap', 'pub').length > 1);
    assert.equal(full().length, 2, 'told again in the next outage');
    await until('all to be confirmed', () => sender.adapter().stats().queues.publish.messages === 0);
    assertBalanced({ eventLog: sender.eventLog(), adapter: sender.adapter() }, 180);
  });

  it('are bounded by bytes too', async (t) => {
    const { sender, there, cutOff, comeBack } = await setUp(t, { offlineQueue: { bytes: 20_000 } });
    await cutOff();
    for (const number of range(1, 50)) sender.io.emit('news', number, 'x'.repeat(1000));
    sender.io.emit('end');
    const { dropped, queues } = sender.adapter().stats();
    assert.ok(queues.publish.bytes <= 20_000);
    assert.equal(dropped + queues.publish.messages, 51);
    assert.ok(dropped >= 31 && dropped < 40, `${dropped} dropped`);
    await comeBack();
    assert.deepEqual(
      (await there.until('end')).map(([, number]) => number),
      range(dropped + 1, 50),
    );
  });
});

describe('an outage that nobody listens to', LIMIT, () => {
  it('goes to the console, once, as does its end, and throws nothing', async (t) => {
    const fixture = await createFixture(t);
    const node = await fixture.node({ listens: false, opts: { offlineQueue: { messages: 10 } } });
    const warn = t.mock.method(console, 'warn', () => {});
    const said = () => warn.mock.calls.map(({ arguments: [text] }) => text);
    let attempts = 0;
    node.adapter().on('reconnecting', () => {
      attempts++;
    });
    for (const outages of [1, 2]) {
      await fixture.redis.kill();
      attempts = 0;
      for (const number of range(1, 100)) node.io.emit('news', number);
      await until('six attempts', () => attempts >= 6);
      assert.equal(said().length, 2 * outages - 1, said().join('\n'));
      assert.match(said()[2 * outages - 2], /^\[socket\.io-redis-native\] ERR_(CONNECT|QUEUE_FULL|CONNECTION_LOST): /);
      await fixture.redis.restart();
      await until('both connections', () =>
        ['pub', 'sub'].every((name) => node.adapter().stats().connections[name].state === 'connected'),
      );
      // What was told before this answer has been told then.
      await node.io.fetchSockets();
      assert.equal(said().length, 2 * outages, said().join('\n'));
      assert.match(said()[2 * outages - 1], /Redis is back/);
    }
  });

  it('goes to those who listen on any namespace, and then not to the console', async (t) => {
    const fixture = await createFixture(t);
    const node = await fixture.node({ listens: false, namespaces: ['/chat'] });
    const warn = t.mock.method(console, 'warn', () => {});
    const error = new Promise((resolve) => {
      node.adapter('/chat').once('error', resolve);
    });
    node.adapter('/chat').on('error', () => {});
    await fixture.redis.kill();
    assert.equal((await error).code, 'ERR_CONNECT');
    await fixture.redis.restart();
    await until('both connections', () =>
      ['pub', 'sub'].every((name) => node.adapter().stats().connections[name].state === 'connected'),
    );
    await node.io.fetchSockets();
    assert.equal(warn.mock.callCount(), 0);
  });
});
