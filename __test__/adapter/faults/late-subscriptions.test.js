'use strict';

/** Rooms that sockets are asked to join: other servers subscribe to their channels only after that. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { describe, it } = require('node:test');
const { LIMIT } = require('../../support/limits');
const { until } = require('../../support/load');
const { createFixture, range } = require('./fixture');

const ROUNDS = 100;

for (const subscriptionMode of ['dynamic', 'dynamic-private', 'pattern']) {
  describe(`${subscriptionMode}: what is emitted to a room right after socketsJoin()`, LIMIT, () => {
    /** @param {import('node:test').TestContext} t @param {number} servers */
    async function setUp(t, servers) {
      const fixture = await createFixture(t);
      const opts = { subscriptionMode, requestsTimeout: 120_000 };
      const nodes = await Promise.all(range(1, servers).map(() => fixture.node({ opts })));
      await until('all to hear requests', async () => (await fixture.subscribers('socket.io-request#/#')) === servers);
      return { fixture, nodes };
    }

    it('reaches the sockets of other servers', async (t) => {
      const { fixture, nodes } = await setUp(t, 2);
      const [a, b] = nodes;
      const clients = [await fixture.client(b), await fixture.client(a)];
      for (const number of range(1, ROUNDS)) {
        a.io.socketsJoin(`room ${number}`);
        a.io.to(`room ${number}`).emit('news', number);
        a.io.to([`room ${number}`, 'none']).emit('news', 'again');
        a.io.emit('end');
        for (const client of clients)
          assert.deepEqual(await client.until('end'), [
            ['news', number],
            ['news', 'again'],
          ]);
      }
    });

    it('and of a server that has heard of it, also after they have left in between', async (t) => {
      const { fixture, nodes } = await setUp(t, 3);
      const [a, b, c] = nodes;
      const client = await fixture.client(b);
      for (const number of range(1, ROUNDS)) {
        a.io.socketsJoin('room');
        a.io.serverSideEmit('joined', number);
        await once(c.io, 'joined');
        c.io.to('room').emit('news', number);
        c.io.emit('end');
        assert.deepEqual(await client.until('end'), [['news', number]]);
        a.io.socketsLeave('room');
        a.io.to('room').emit('late', number);
        a.io.to(client.id).emit('left');
        assert.deepEqual(await client.until('left'), []);
      }
    });

    it('keeps its place among what is emitted before and after', async (t) => {
      const { fixture, nodes } = await setUp(t, 2);
      const [a, b] = nodes;
      const client = await fixture.client(b);
      a.io.to('room').emit('too early');
      a.io.socketsJoin('room');
      for (const number of range(1, ROUNDS)) {
        a.io.to('room').emit('news', number);
        a.io.emit('all', number);
      }
      a.io.emit('end');
      assert.deepEqual(
        await client.until('end'),
        range(1, ROUNDS).flatMap((number) => [
          ['news', number],
          ['all', number],
        ]),
      );
    });
  });
}

for (const subscriptionMode of ['dynamic', 'dynamic-private']) {
  it(`${subscriptionMode}: what waited for Redis together with the request reaches them too`, LIMIT, async (t) => {
    const fixture = await createFixture(t);
    const proxy = await fixture.proxy();
    const [a, b] = [
      await fixture.node({ url: proxy.url, opts: { subscriptionMode, requestsTimeout: 200 } }),
      await fixture.node({ opts: { subscriptionMode } }),
    ];
    const client = await fixture.client(b);
    proxy.refuse();
    await a.eventLog().next('disconnect', 'pub');
    a.io.socketsJoin('room');
    a.io.to('room').emit('news');
    // Longer than servers have to answer.
    await new Promise((resolve) => {
      setTimeout(resolve, 400);
    });
    proxy.accept();
    assert.deepEqual(await client.event('news'), []);
  });

  it(`${subscriptionMode}: later the room has its channel to itself`, LIMIT, async (t) => {
    const fixture = await createFixture(t);
    const node = await fixture.node({ opts: { subscriptionMode, requestsTimeout: 200 } });
    const spy = await fixture.spy(['socket.io#/#', 'socket.io#/#room#']);
    node.io.socketsJoin('room');
    node.io.to('room').emit('news');
    assert.equal((await spy.take(() => true)).channel, 'socket.io#/#');
    await until('the room to be one like others', async () => {
      node.io.to('room').emit('news');
      return (await spy.take(() => true)).channel === 'socket.io#/#room#';
    });
  });
}
