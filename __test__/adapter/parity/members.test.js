'use strict';

/** socketsJoin, socketsLeave and disconnectSockets, on whatever node the sockets are. */

const assert = require('node:assert/strict');
const { PAIRS, adapterTest, describeAdapterClusters } = require('../../support/adapter-cluster');
const { closed } = require('../../support/ws-engine');

/** @param {import('../../support/adapter-client').AdapterClient} client without the room that every socket has */
const roomsOf = (client) => [...client.peer.rooms].filter((room) => room !== client.id);

/**
 * Resolves when the requests that a node has sent before have been heard by every node.
 * @param {import('../../support/adapter-cluster').AdapterCluster} cluster
 * @param {import('../../support/adapter-node').AdapterNode} node
 * @param {string} [nsp]
 */
async function heard({ nodes }, node, nsp = '/') {
  const barrier = `barrier ${Math.random()}`;
  // To its own, requests come back over Redis: what it asks for all is done everywhere when all have it.
  const sockets = nodes.flatMap(({ io }) => [...io.of(nsp).sockets.values()]);
  const joined = nodes.map(
    ({ io }) =>
      new Promise((resolve) => {
        const { adapter } = io.of(nsp);
        const missing = new Set(adapter.sids.keys());
        if (missing.size === 0) return resolve(undefined);
        // Each of them: what is long is done in slices.
        const listener = (room, id) => {
          if (room === barrier) missing.delete(id);
          if (missing.size > 0) return;
          adapter.off('join-room', listener);
          resolve(undefined);
        };
        adapter.on('join-room', listener);
      }),
  );
  node.io.of(nsp).socketsJoin(barrier);
  await Promise.all(joined);
  for (const socket of sockets) socket.leave(barrier);
}

describeAdapterClusters(
  'members',
  PAIRS,
  (cluster) => {
    /** One client on the first node, two on the second. */
    async function clients(nsp = '/') {
      const [a, b] = cluster.nodes;
      return [await cluster.connect(a, nsp), await cluster.connect(b, nsp), await cluster.connect(b, nsp)];
    }

    adapterTest('all join and leave', async () => {
      const [a] = cluster.nodes;
      const all = await clients();
      a.io.socketsJoin('r1');
      a.io.socketsJoin(['r2', 'r3']);
      await heard(cluster, a);
      for (const client of all) assert.deepEqual(roomsOf(client), ['r1', 'r2', 'r3']);
      a.io.socketsLeave('r1');
      a.io.socketsLeave(['r3', 'nowhere']);
      await heard(cluster, a);
      for (const client of all) assert.deepEqual(roomsOf(client), ['r2']);
    });

    adapterTest('those in rooms, but for others', async () => {
      const [a] = cluster.nodes;
      const [here, left, right] = await clients();
      await cluster.join(here, 'room');
      await cluster.join(left, 'room', 'left');
      await cluster.join(right, 'other', 'right');
      a.io.in('room').socketsJoin('new 1');
      a.io.in(['room', 'other']).except('left').socketsJoin(['new 2', 'new 3']);
      a.io.except('room').socketsJoin('new 4');
      a.io.in(right.id).socketsJoin('new 5');
      a.io.in('nobody').socketsJoin('new 6');
      a.io.in('room').except('left').socketsLeave('room');
      a.io.in('right').socketsLeave(['other', 'right']);
      await heard(cluster, a);
      assert.deepEqual(roomsOf(here), ['new 1', 'new 2', 'new 3']);
      assert.deepEqual(roomsOf(left), ['room', 'left', 'new 1']);
      assert.deepEqual(roomsOf(right), ['new 2', 'new 3', 'new 4', 'new 5']);
    });

    adapterTest('numeric rooms stay numbers', async () => {
      const [a] = cluster.nodes;
      const all = await clients();
      a.io.socketsJoin([1, '1']);
      a.io.in(1).socketsJoin('found');
      a.io.socketsLeave('1');
      await heard(cluster, a);
      for (const client of all) assert.deepEqual(roomsOf(client), [1, 'found']);
    });

    adapterTest('local: at once, and only here', async () => {
      const [a] = cluster.nodes;
      const [here, there] = await clients();
      a.io.local.socketsJoin('room');
      assert.deepEqual(roomsOf(here), ['room']);
      await heard(cluster, a);
      assert.deepEqual(roomsOf(there), []);
      await cluster.join(there, 'room');
      a.io.local.socketsLeave('room');
      assert.deepEqual(roomsOf(here), []);
      await heard(cluster, a);
      assert.deepEqual(roomsOf(there), ['room']);
    });

    adapterTest('a namespace of its own', async () => {
      const [a] = cluster.nodes;
      const [main] = await clients();
      const chat = await clients('/chat');
      a.io.of('/chat').socketsJoin('room');
      await heard(cluster, a, '/chat');
      await heard(cluster, a);
      assert.deepEqual(roomsOf(main), []);
      for (const client of chat) assert.deepEqual(roomsOf(client), ['room']);
    });

    adapterTest('disconnectSockets: of a room, but for others', async () => {
      const [a] = cluster.nodes;
      const [here, left, right] = await clients();
      await cluster.join(left, 'room', 'left');
      await cluster.join(right, 'room', 'right');
      a.io.in('room').except('right').disconnectSockets();
      assert.equal(await left.gone(), 'server namespace disconnect');
      a.io.in('nobody').disconnectSockets();
      a.io.emit('end');
      assert.deepEqual(await here.until('end'), []);
      assert.deepEqual(await right.until('end'), []);
      await heard(cluster, a);
      assert.deepEqual(
        [here, left, right].map(({ peer }) => peer.connected),
        [true, false, true],
      );
    });

    adapterTest('disconnectSockets: everybody', async () => {
      const [a] = cluster.nodes;
      const all = await clients();
      a.io.disconnectSockets();
      for (const client of all) assert.equal(await client.gone(), 'server namespace disconnect');
    });

    adapterTest('disconnectSockets: the connection stays for other namespaces, unless it is to be closed', async () => {
      const [a, b] = cluster.nodes;
      for (const close of [false, true]) {
        const main = await cluster.connect(b);
        const chat = await cluster.connect(b, '/chat', { manager: main.manager });
        a.io.of('/chat').in(chat.id).disconnectSockets(close);
        assert.equal(await chat.gone(), 'server namespace disconnect');
        if (close) {
          assert.equal(await main.gone(), 'server namespace disconnect');
          await closed(main.peer.conn);
        } else {
          a.io.emit('still there');
          await main.event('still there');
        }
        await main.close();
      }
    });

    adapterTest('disconnectSockets: local', async () => {
      const [a] = cluster.nodes;
      const [here, there] = await clients();
      a.io.local.disconnectSockets();
      assert.equal(await here.gone(), 'server namespace disconnect');
      a.io.emit('end');
      await there.until('end');
      await heard(cluster, a);
      assert.equal(there.peer.connected, true);
    });
  },
  { namespaces: ['/chat'] },
);
