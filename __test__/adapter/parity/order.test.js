'use strict';

/** What a node publishes arrives in the order in which it was published, once. */

const assert = require('node:assert/strict');
const {
  PAIRS,
  SENDING,
  adapterTest,
  describeAdapterClusters,
  testUnlessOfficial,
} = require('../../support/adapter-cluster');
const { SHARDED, STREAMS } = require('../../support/adapter-node');
const { ANSWER } = require('../../support/limits');

const COUNT = 1000;

/** @param {(i: number) => any[]} event */
const numbered = (event) => Array.from({ length: COUNT }, (_, i) => event(i));

describeAdapterClusters('order', SENDING, (cluster) => {
  for (const transport of /** @type {('polling' | 'websocket')[]} */ (['websocket', 'polling'])) {
    adapterTest(`${COUNT} broadcasts, everywhere and in rooms (${transport})`, async () => {
      const [a, b] = cluster.nodes;
      const there = await cluster.connect(b, '/', { transports: [transport] });
      await cluster.join(there, 'odd', 'third');
      for (let i = 0; i < COUNT; i++) {
        const target = i % 3 === 0 ? a.io.to('third') : i % 2 === 1 ? a.io.to('odd').to('third') : a.io;
        if (i % 7 === 0) target.emit('news', i, Buffer.from(String(i)));
        else target.emit('news', i, String(i));
      }
      a.io.emit('end');
      const expected = numbered((i) => ['news', i, i % 7 === 0 ? Buffer.from(String(i)) : String(i)]);
      assert.deepEqual(await there.until('end'), expected);
    });
  }

  adapterTest('both nodes at once, a few to a tick', async () => {
    const [a, b] = cluster.nodes;
    const [here, there] = [await cluster.connect(a), await cluster.connect(b)];
    for (let i = 0; i < COUNT; i++) {
      a.io.emit('of a', i);
      b.io.emit('of b', i);
      if (i % 10 === 9)
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
    }
    a.io.emit('end of a');
    b.io.emit('end of b');
    for (const client of [here, there]) {
      const seen = await client.untilAll('end of a', 'end of b');
      for (const of of ['of a', 'of b'])
        assert.deepEqual(
          seen.filter(([event]) => event === of),
          numbered((i) => [of, i]),
        );
    }
  });
});

describeAdapterClusters('order of requests and broadcasts', PAIRS, (cluster, [sender]) => {
  const orderTest = testUnlessOfficial(sender);
  orderTest('who has been made to join hears what follows, who has been made to leave does not', async () => {
    const [a, b] = cluster.nodes;
    const there = await cluster.connect(b);
    const expected = [];
    for (let i = 0; i < 200; i++) {
      a.io.in(there.id).socketsJoin(`room ${i}`);
      a.io.to(`room ${i}`).emit('step', i);
      a.io.in(there.id).socketsLeave(`room ${i}`);
      a.io.to(`room ${i}`).emit('never', i);
      expected.push(['step', i]);
    }
    a.io.emit('end');
    assert.deepEqual(await there.until('end'), expected);
  });

  // On streams, requests that are answered cross by Pub/Sub, beside them.
  (STREAMS ? () => {} : orderTest)('the same with several rooms, acknowledgements and requests', async () => {
    const [a, b] = cluster.nodes;
    const there = await cluster.connect(b);
    there.answers('ask', (i) => i);
    const expected = [];
    for (let i = 0; i < 50; i++) {
      const room = `room ${i}`;
      a.io.in(there.id).socketsJoin([room, i]);
      a.io.to([room, 'nobody']).emit('several', i);
      a.io.to(i).emit('number', i);
      a.io.except(room).emit('never', i);
      const [answers, sockets] = await Promise.all([
        a.io.to(room).timeout(ANSWER).emitWithAck('ask', i),
        a.io.in(room).fetchSockets(),
      ]);
      assert.deepEqual([answers, sockets.map(({ id }) => id)], [[i], [there.id]]);
      expected.push(['several', i], ['number', i]);
    }
    a.io.emit('end');
    assert.deepEqual(
      (await there.until('end')).filter(([event]) => event !== 'ask'),
      expected,
    );
  });

  // Nothing tells a sender of sharded channels that a message makes sockets join.
  (SHARDED || STREAMS ? () => {} : adapterTest)(
    'who is made to join by what the application does with a message, too',
    async () => {
      const [a, b] = cluster.nodes;
      const there = await cluster.connect(b);
      b.io.removeAllListeners('member');
      b.io.on('member', (room, joins) => {
        if (joins) there.peer.join(room);
        else there.peer.leave(room);
      });
      const expected = [];
      for (let i = 0; i < 200; i++) {
        a.io.serverSideEmit('member', `room ${i}`, true);
        a.io.to(`room ${i}`).emit('step', i);
        a.io.serverSideEmit('member', `room ${i}`, false);
        a.io.to(`room ${i}`).emit('never', i);
        expected.push(['step', i]);
      }
      a.io.emit('end');
      assert.deepEqual(await there.until('end'), expected);
    },
  );

  adapterTest('who is disconnected has heard what came before', async () => {
    const [a, b] = cluster.nodes;
    const there = await cluster.connect(b);
    for (let i = 0; i < 100; i++) a.io.emit('news', i);
    a.io.emit('end');
    a.io.in(there.id).disconnectSockets();
    a.io.emit('never');
    assert.equal((await there.until('end')).length, 100);
    assert.equal(await there.gone(), 'server namespace disconnect');
  });
});
