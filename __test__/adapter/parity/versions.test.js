'use strict';

/** Socket.IO 4.3.1, the oldest that counts, and the newest, in one cluster. */

const assert = require('node:assert/strict');
const { SENDING, adapterTest, describeAdapterClusters } = require('../../support/adapter-cluster');
const { ANSWER } = require('../../support/limits');

/**
 * The first of our servers lends its base class to all of the process: the second one of these, the newest.
 * `ages.test.js` has each version with its own.
 * @type {('socket.io-4' | 'socket.io-4.3')[][]}
 */
const VERSIONS = [
  ['socket.io-4.3', 'socket.io-4'],
  ['socket.io-4.3', 'socket.io-4.3'],
  ['socket.io-4', 'socket.io-4.3'],
];

for (const versions of VERSIONS) {
  const settings = versions.map((io) => ({ io, namespaces: ['/chat'] }));
  describeAdapterClusters(
    versions.join(' and '),
    SENDING,
    (cluster) => {
      const current = versions[0] === 'socket.io-4';

      for (const transport of /** @type {('polling' | 'websocket')[]} */ (['websocket', 'polling'])) {
        adapterTest(`broadcasts, rooms, exceptions, binary (${transport})`, async () => {
          const [a, b] = cluster.nodes;
          const speaker = await cluster.connect(a, '/chat', { transports: [transport] });
          const there = await cluster.connect(b, '/chat', { transports: [transport] });
          const other = await cluster.connect(b, '/chat', { transports: [transport] });
          await cluster.join(there, 'room', 1);
          await cluster.join(other, 'other');
          const nsp = a.io.of('/chat');
          nsp.emit('news', 1, 'ä');
          nsp.to('room').emit('news', 2, { part: Buffer.from('part') });
          nsp.to(1).emit('news', 3);
          nsp.to('room').to('other').emit('news', 4);
          nsp.except('room').emit('news', 5);
          nsp.local.emit('news', 6);
          nsp.compress(false).emit('news', 7);
          nsp.to(other.id).emit('news', 8);
          speaker.peer.broadcast.emit('news', 9);
          speaker.peer.to('room').emit('news', 10);
          nsp.emit('end');
          const numbers = async (client) => (await client.until('end')).map(([, number]) => number);
          assert.deepEqual(await numbers(speaker), [1, 5, 6, 7]);
          assert.deepEqual(await there.until('end'), [
            ['news', 1, 'ä'],
            ['news', 2, { part: Buffer.from('part') }],
            ...[3, 4, 7, 9, 10].map((number) => ['news', number]),
          ]);
          assert.deepEqual(await numbers(other), [1, 4, 5, 7, 8, 9]);
        });
      }

      adapterTest('sockets of other servers', async () => {
        const [a, b] = cluster.nodes;
        const here = await cluster.connect(a);
        const there = await cluster.connect(b);
        there.peer.data = { name: 'Uschi' };
        for (const { io } of [a, b]) {
          assert.deepEqual((await io.fetchSockets()).map(({ id }) => id).sort(), [here.id, there.id].sort());
        }
        const [remote] = await a.io.in(there.id).fetchSockets();
        assert.deepEqual([remote.data, remote.rooms], [{ name: 'Uschi' }, new Set([there.id])]);
        remote.join('room');
        a.io.in(there.id).socketsJoin(['r1', 'r2']);
        a.io.in('r1').socketsLeave('r2');
        a.io.emit('middle');
        await there.event('middle');
        await cluster.settled();
        assert.deepEqual(there.peer.rooms, new Set([there.id, 'room', 'r1']));
        assert.deepEqual([...(await a.adapter().allRooms())].sort(), [here.id, there.id, 'r1', 'room'].sort());
        remote.emit('news', 'by id');
        a.io.to('r1').emit('news', 'by room');
        a.io.emit('end');
        assert.deepEqual(await there.until('end'), [
          ['news', 'by id'],
          ['news', 'by room'],
        ]);
        a.io.in('room').disconnectSockets();
        assert.equal(await there.gone(), 'server namespace disconnect');
        assert.equal((await a.io.fetchSockets()).length, 1);
      });

      adapterTest('serverSideEmit', async () => {
        const [a, b] = cluster.nodes;
        b.io.removeAllListeners('ask');
        b.io.on('ask', (...args) => args.pop()(args));
        const ask = (...args) =>
          new Promise((resolve) => {
            a.io.serverSideEmit('ask', ...args, (...result) => resolve(result));
          });
        assert.deepEqual(await ask(1, 'ä'), [null, [[1, 'ä']]]);
        const heard = new Promise((resolve) => {
          b.io.of('/chat').once('news', (...args) => resolve(args));
        });
        a.io.of('/chat').serverSideEmit('news', 1);
        assert.deepEqual(await heard, [1]);
      });

      if (current) {
        adapterTest('acknowledgements of clients of the older server', async () => {
          const [a, b] = cluster.nodes;
          const [here, there] = [await cluster.connect(a), await cluster.connect(b)];
          for (const client of [here, there]) client.answers('ask', (part) => [client === here, part]);
          const part = Buffer.from('part');
          assert.deepEqual((await a.io.timeout(ANSWER).emitWithAck('ask', part)).sort(), [
            [false, part],
            [true, part],
          ]);
        });
      }

      adapterTest('in order, once', async () => {
        const [a, b] = cluster.nodes;
        const there = await cluster.connect(b);
        await cluster.join(there, 'room');
        for (let i = 0; i < 500; i++) (i % 2 === 0 ? a.io.to('room') : a.io).emit('news', i);
        a.io.emit('end');
        assert.deepEqual(
          await there.until('end'),
          Array.from({ length: 500 }, (_, i) => ['news', i]),
        );
      });
    },
    settings,
  );
}
