'use strict';

/** Several Servers of one process on one factory, for http and https, say: each of them is a server. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { RedisStore, createAdapter } = require('../../..');
const { LIMIT } = require('../../support/limits');
const { until } = require('../../support/load');
const { createFixture } = require('../faults/fixture');

/** Whatever waits for what cannot come does not end in time. */
const LONG = { requestsTimeout: 10_000_000 };
const sorted = (items) => [...items].sort();
const mark = (rank) => `socket.io-native#/#${rank}#`;

/** Two of the ways to make servers that share their connections. @type {Record<string, (fixture: any) => () => any>} */
const WAYS = {
  'one factory': (fixture) => {
    const factory = createAdapter(fixture.redis.url, { ...LONG, commandTimeout: 1000 });
    return () => factory;
  },
  'several factories on one store': (fixture) => {
    const { url } = fixture.redis;
    const store = new RedisStore({ redisPub: url, redisSub: url, redisClient: url });
    fixture.after(() => store.destroy());
    return () => store.adapter(LONG);
  },
};

/** @param {any[]} nodes @param {any[]} clients each of one of the nodes, in the same order */
async function assertCounted(nodes, clients) {
  const all = sorted(clients.map(({ id }) => id));
  for (const node of nodes) {
    const adapter = node.adapter();
    assert.equal(await adapter.serverCount(), clients.length);
    assert.deepEqual(sorted((await node.io.fetchSockets()).map(({ id }) => id)), all);
    assert.deepEqual(sorted(await adapter.allRooms()), all);
    if (adapter.countSockets) assert.equal(await adapter.countSockets(), clients.length);
    if (adapter.fetchSocketIds) assert.deepEqual(sorted(await adapter.fetchSocketIds()), all);
    assert.deepEqual(
      sorted(await node.io.serverSideEmitWithAck('name')),
      sorted(nodes.filter((each) => each !== node).map((each) => each.adapter().uid)),
    );
    for (const client of clients) client.answers('ask', () => client.id);
    assert.deepEqual(sorted(await node.io.timeout(10_000_000).emitWithAck('ask')), all);
    for (const client of clients) client.socket.off('ask');
  }
}

for (const [way, share] of Object.entries(WAYS)) {
  describe(way, LIMIT, () => {
    it('servers that share connections count as many, here and elsewhere, whichever goes first', async (t) => {
      const fixture = await createFixture(t);
      const factory = share(fixture);
      const nodes = [];
      for (let i = 0; i < 3; i++) nodes.push(await fixture.node({ factory: factory() }));
      nodes.push(await fixture.node({ opts: LONG }));
      await until('the marks', async () => (await fixture.subscribers(mark(3))) === 1);
      const clients = await Promise.all(nodes.map((node) => fixture.client(node)));
      for (const { io, ...node } of nodes.map((each) => ({ io: each.io, adapter: each.adapter() }))) {
        io.on('name', (done) => done(node.adapter.uid));
      }
      await assertCounted(nodes, clients);
      for (const rank of [3, 2]) {
        await nodes.shift().close();
        await clients.shift().gone();
        await until('one mark less', async () => (await fixture.subscribers(mark(rank))) === 0);
        await assertCounted(nodes, clients);
      }
    });

    it('also beside an official server, and with many of them', async (t) => {
      const fixture = await createFixture(t);
      const factory = share(fixture);
      const asker = await fixture.node({ opts: LONG });
      const official = await fixture.official();
      for (const count of [1, 2, 3, 4, 5, 6, 7, 8, 9]) {
        await fixture.node({ factory: factory() });
        // The one that asks has the first mark, too.
        const marks = count === 1 ? 2 : 1;
        await until('the mark', async () => (await fixture.subscribers(mark(count))) >= marks);
        assert.equal(await asker.adapter().serverCount(), 2 + count);
      }
      const there = await fixture.client(official);
      assert.deepEqual(
        (await asker.io.fetchSockets()).map(({ id }) => id),
        [there.id],
      );
    });
  });
}
