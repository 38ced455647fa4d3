'use strict';

/** Who is counted: servers, and nobody else. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { LIMIT } = require('../../support/limits');
const { until } = require('../../support/load');
const { createFixture } = require('./fixture');

/** Whoever waited for this long would not end in time. */
const LONG = { requestsTimeout: 100_000 };
const REQUESTS = 'socket.io-request#/#';
const RESPONSES = 'socket.io-response#/#';

/** Redis knows that these are all who are subscribed to requests. */
const present = (fixture, count) =>
  until(`${count} subscribers`, async () => (await fixture.subscribers(REQUESTS)) === count);

describe('census', LIMIT, () => {
  it('those who only listen are not counted, and nobody waits for them', async (t) => {
    const fixture = await createFixture(t);
    const [a, b] = [await fixture.node({ opts: LONG }), await fixture.node({ opts: LONG })];
    const [here, there] = [await fixture.client(a), await fixture.client(b)];
    await fixture.spy([REQUESTS]);
    await fixture.spy([REQUESTS, RESPONSES, 'socket.io#/#'], ['socket.io*']);
    await fixture.spy([], [`${REQUESTS}*`, '*']);
    assert.equal(await fixture.subscribers(REQUESTS), 4);
    for (const node of [a, b]) {
      assert.equal(await node.adapter().serverCount(), 2);
      assert.equal((await node.io.fetchSockets()).length, 2);
      assert.deepEqual([...(await node.adapter().allRooms())].sort(), [here.id, there.id].sort());
      assert.equal(await node.adapter().countSockets(), 2);
      assert.equal((await node.adapter().fetchSocketIds()).size, 2);
    }
    b.io.on('ask', (done) => done('b'));
    assert.deepEqual(await a.io.serverSideEmitWithAck('ask'), ['b']);
    here.answers('ask', () => 'here');
    there.answers('ask', () => 'there');
    assert.deepEqual((await a.io.timeout(100_000).emitWithAck('ask')).sort(), ['here', 'there']);
    assert.deepEqual(await a.io.to('nobody').timeout(100_000).emitWithAck('ask'), []);
  });

  it('in a cluster with an official server, too', async (t) => {
    const fixture = await createFixture(t);
    const a = await fixture.node({ opts: LONG });
    const b = await fixture.official();
    const there = await fixture.client(b);
    await fixture.spy([REQUESTS], ['*']);
    assert.equal(await a.adapter().serverCount(), 2);
    assert.deepEqual(
      (await a.io.fetchSockets()).map(({ id }) => id),
      [there.id],
    );
    assert.deepEqual([...(await a.adapter().allRooms())], [there.id]);
    there.answers('ask', () => 'there');
    assert.deepEqual(await a.io.timeout(100_000).emitWithAck('ask'), ['there']);
  });

  it('servers that come and go are counted right at once', async (t) => {
    const fixture = await createFixture(t);
    const a = await fixture.node({ opts: LONG });
    const count = () => a.adapter().serverCount();
    assert.equal(await count(), 1);
    const b = await fixture.node();
    assert.equal(await count(), 2);
    const official = await fixture.official();
    assert.equal(await count(), 3);
    const c = await fixture.node({ opts: { subscriptionMode: 'dynamic' } });
    assert.equal(await count(), 4);
    await b.close();
    await present(fixture, 3);
    assert.equal(await count(), 3);
    assert.equal((await a.io.fetchSockets()).length, 0);
    await official.close();
    await present(fixture, 2);
    assert.equal(await count(), 2);
    await c.close();
    await present(fixture, 1);
    assert.equal(await count(), 1);
    assert.deepEqual(await a.io.serverSideEmitWithAck('ask'), []);
  });

  it('one that comes as another one goes', async (t) => {
    const fixture = await createFixture(t);
    const a = await fixture.node({ opts: LONG });
    let last = await fixture.node();
    for (let i = 0; i < 3; i++) {
      assert.equal(await a.adapter().serverCount(), 2);
      await last.close();
      await present(fixture, 1);
      last = await fixture.node();
      const there = await fixture.client(last);
      assert.deepEqual(
        (await a.io.fetchSockets()).map(({ id }) => id),
        [there.id],
      );
    }
    assert.equal(await a.adapter().serverCount(), 2);
  });

  for (const kind of ['node', 'official']) {
    it(`one (${kind}) that comes as one who only listens goes`, async (t) => {
      const fixture = await createFixture(t);
      const a = await fixture.node({ opts: LONG });
      await fixture.node();
      const spy = await fixture.spy([REQUESTS]);
      assert.equal(await a.adapter().serverCount(), 2);
      await spy.leave();
      await present(fixture, 2);
      const c = await fixture[kind]();
      const there = await fixture.client(c);
      await present(fixture, 3);
      assert.equal(await a.adapter().serverCount(), 3);
      assert.deepEqual(
        (await a.io.fetchSockets()).map(({ id }) => id),
        [there.id],
      );
    });
  }

  it('one who only listens that comes as a server goes', async (t) => {
    const fixture = await createFixture(t);
    const a = await fixture.node({ opts: LONG });
    const b = await fixture.node();
    assert.equal(await a.adapter().serverCount(), 2);
    await b.close();
    await present(fixture, 1);
    await fixture.spy([REQUESTS]);
    assert.equal(await a.adapter().serverCount(), 1);
    assert.deepEqual(await a.io.fetchSockets(), []);
  });

  it('keys and namespaces with characters of patterns are told apart', async (t) => {
    const fixture = await createFixture(t);
    const namespaces = ['/a*', '/a?[b]', '/ab'];
    const a = await fixture.node({ namespaces, opts: { key: 'k*[y]', ...LONG } });
    await fixture.node({ namespaces: ['/ab'], opts: { key: 'k*[y]' } });
    await fixture.node({ namespaces, opts: { key: 'kxy' } });
    assert.deepEqual(
      await Promise.all(['/', ...namespaces].map((name) => a.adapter(name).serverCount())),
      [2, 1, 1, 2],
    );
  });

  it('a count is one command, and a monitor has Redis search its channels once', async (t) => {
    const fixture = await createFixture(t);
    const a = await fixture.node({ opts: LONG });
    await fixture.node();
    await fixture.official();
    const COUNT = 20;
    /** How often Redis was asked what meanwhile. */
    async function costsOf(work) {
      await fixture.redis.command('CONFIG', 'RESETSTAT');
      await work();
      const stats = await fixture.redis.command('INFO', 'commandstats');
      return Object.fromEntries(
        [...stats.matchAll(/cmdstat_pubsub\|(\w+):calls=(\d+)/g)].map(([, name, calls]) => [name, Number(calls)]),
      );
    }
    const costs = () =>
      costsOf(async () => {
        for (let i = 0; i < COUNT; i++) await a.io.fetchSockets();
      });
    assert.equal(await a.adapter().serverCount(), 3);
    await a.io.fetchSockets();
    assert.deepEqual(await costs(), { numsub: COUNT });
    await fixture.spy([REQUESTS, RESPONSES], ['*']);
    const { channels } = await costsOf(async () => assert.equal(await a.adapter().serverCount(), 3));
    assert.equal(channels, 1);
    assert.deepEqual(await costs(), { numsub: COUNT });
    const other = await fixture.node();
    assert.equal(await a.adapter().serverCount(), 4);
    // Which has the other one find out where this one hears.
    await a.io.fetchSockets();
    assert.deepEqual(await costs(), { numsub: COUNT }, 'servers of this package come and go as they like');
    await other.close();
  });
});
