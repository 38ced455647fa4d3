'use strict';

/** What a server can learn about the sockets and rooms of the others, and do with them. */

const assert = require('node:assert/strict');
const {
  PAIRS,
  SENDING,
  adapterTest,
  describeAdapterClusters,
  testUnlessOfficial,
} = require('../../support/adapter-cluster');
const { STREAMS } = require('../../support/adapter-node');
const { ANSWER } = require('../../support/limits');

/** @param {{ id: string }[]} sockets */
const ids = (sockets) => sockets.map(({ id }) => id).sort();
/** @param {any} value what JSON makes of it */
const plain = (value) => JSON.parse(JSON.stringify(value));

describeAdapterClusters(
  'fetchSockets',
  PAIRS,
  (cluster) => {
    /** One client on the first node, two on the second. */
    async function clients(nsp = '/') {
      const [a, b] = cluster.nodes;
      return [await cluster.connect(a, nsp), await cluster.connect(b, nsp), await cluster.connect(b, nsp)];
    }

    adapterTest('all, those in rooms, those but for others', async () => {
      const [a, b] = cluster.nodes;
      const [here, left, right] = await clients();
      await cluster.join(here, 'room');
      await cluster.join(left, 'room', 'left');
      await cluster.join(right, 'other', 1);
      for (const { io } of [a, b]) {
        assert.deepEqual(ids(await io.fetchSockets()), ids([here, left, right]));
        assert.deepEqual(ids(await io.in('room').fetchSockets()), ids([here, left]));
        assert.deepEqual(ids(await io.in(['left', 'other']).fetchSockets()), ids([left, right]));
        assert.deepEqual(ids(await io.in(1).fetchSockets()), ids([right]));
        assert.deepEqual(ids(await io.except('left').fetchSockets()), ids([here, right]));
        assert.deepEqual(ids(await io.in('room').except('left').fetchSockets()), ids([here]));
        assert.deepEqual(ids(await io.in(right.id).fetchSockets()), ids([right]));
        assert.deepEqual(await io.in('nobody').fetchSockets(), []);
        assert.deepEqual(await io.of('/chat').fetchSockets(), []);
      }
    });

    adapterTest('local', async () => {
      const [a, b] = cluster.nodes;
      const [here, left, right] = await clients();
      assert.deepEqual(await a.io.local.fetchSockets(), [here.peer]);
      assert.deepEqual(ids(await b.io.local.fetchSockets()), ids([left, right]));
    });

    adapterTest('a remote socket has id, handshake, rooms and data', async () => {
      const [a, b] = cluster.nodes;
      const there = await cluster.connect(b, '/chat', { auth: { token: 'ä"' }, query: { user: 'uschi' } });
      const circular = { self: {} };
      circular.self = circular;
      there.peer.handshake.sessionStore = circular;
      there.peer.data.name = 'Uschi';
      there.peer.data.at = new Date(0);
      there.peer.data.nested = { list: [1, null, 'ü'] };
      await cluster.join(there, 'room', 1);
      const [remote, ...more] = await a.io.of('/chat').fetchSockets();
      assert.deepEqual(more, []);
      const { sessionStore, ...handshake } = there.peer.handshake;
      assert.equal(sessionStore, circular);
      assert.equal(remote.id, there.id);
      assert.deepEqual(remote.handshake, plain(handshake));
      assert.equal(remote.handshake.auth.token, 'ä"');
      assert.equal(remote.handshake.query.user, 'uschi');
      assert.deepEqual(remote.rooms, new Set([there.id, 'room', 1]));
      assert.deepEqual(remote.data, {
        name: 'Uschi',
        at: STREAMS ? new Date(0) : '1970-01-01T00:00:00.000Z',
        nested: { list: [1, null, 'ü'] },
      });
    });

    adapterTest('own sockets come as they are', async () => {
      const [a] = cluster.nodes;
      const [here] = await clients();
      assert.ok((await a.io.fetchSockets()).includes(here.peer));
    });

    adapterTest('many at once, both ways', async () => {
      const all = await clients();
      const expected = ids(all);
      const asked = Array.from({ length: 40 }, (_, i) => cluster.nodes[i % 2].io.fetchSockets());
      for (const sockets of await Promise.all(asked)) assert.deepEqual(ids(sockets), expected);
    });
  },
  { namespaces: ['/chat'] },
);

describeAdapterClusters(
  'remote sockets',
  PAIRS,
  (cluster) => {
    /** A client of the second node, as the first one sees it. */
    async function remoteClient() {
      const [a, b] = cluster.nodes;
      const there = await cluster.connect(b);
      const [remote] = await a.io.in(there.id).fetchSockets();
      return { a, there, remote };
    }

    adapterTest('emit', async () => {
      const { a, there, remote } = await remoteClient();
      const other = await cluster.connect(there.node);
      remote.emit('news', 1, Buffer.from('2'));
      a.io.emit('end');
      assert.deepEqual(await there.until('end'), [['news', 1, Buffer.from('2')]]);
      assert.deepEqual(await other.until('end'), []);
    });

    adapterTest('emit with an acknowledgement: one answer, not a list', async () => {
      const { there, remote } = await remoteClient();
      there.answers('ask', (x) => ({ x, part: Buffer.from('part') }));
      const expected = { x: 1, part: Buffer.from('part') };
      assert.deepEqual(await remote.timeout(ANSWER).emitWithAck('ask', 1), expected);
      const result = await new Promise((resolve) => {
        remote.timeout(ANSWER).emit('ask', 1, (...args) => resolve(args));
      });
      assert.deepEqual(result, [null, expected]);
    });

    adapterTest('emit with an acknowledgement that does not come', async () => {
      const { remote } = await remoteClient();
      await assert.rejects(remote.timeout(100).emitWithAck('ask'), {
        message: 'operation has timed out',
        responses: null,
      });
    });

    adapterTest('join and leave', async () => {
      const { a, there, remote } = await remoteClient();
      remote.join('r1');
      remote.join(['r2', 3]);
      remote.leave('r1');
      remote.emit('middle');
      await there.event('middle');
      await cluster.settled();
      assert.deepEqual([...there.peer.rooms], [there.id, 'r2', 3]);
      a.io.to('r2').emit('news', 'in r2');
      a.io.to('r1').emit('news', 'in r1');
      a.io.emit('end');
      assert.deepEqual(await there.until('end'), [['news', 'in r2']]);
    });

    adapterTest('disconnect', async () => {
      for (const close of [false, true]) {
        const { a, there, remote } = await remoteClient();
        const chat = await cluster.connect(there.node, '/chat', { manager: there.manager });
        remote.disconnect(close);
        assert.equal(await there.gone(), 'server namespace disconnect');
        if (close) await chat.gone();
        a.io.of('/chat').emit('still there');
        if (!close) await chat.event('still there');
        assert.equal(chat.peer.connected, !close);
      }
    });
  },
  { namespaces: ['/chat'] },
);

describeAdapterClusters(
  'rooms and servers',
  SENDING,
  (cluster, kinds) => {
    testUnlessOfficial(...kinds)('allRooms', async () => {
      const [a, b] = cluster.nodes;
      const [here, there] = [await cluster.connect(a), await cluster.connect(b)];
      await cluster.join(here, 'both', 'a', 1, 'ä"\\');
      await cluster.join(there, 'both', 'b', 1, '1');
      const expected = [here.id, there.id, 'both', 'a', 'b', 1, '1', 'ä"\\'].sort();
      for (const node of [a, b]) assert.deepEqual([...(await node.adapter().allRooms())].sort(), expected);
      assert.deepEqual(await a.adapter('/chat').allRooms(), new Set());
    });

    adapterTest('allSockets: those of this server, as the official adapter has it', async () => {
      const [a, b] = cluster.nodes;
      const [here, there] = [await cluster.connect(a), await cluster.connect(b)];
      await cluster.join(there, 'room');
      assert.deepEqual(await a.io.allSockets(), new Set([here.id]));
      assert.deepEqual(await a.io.in('room').allSockets(), new Set());
      assert.deepEqual(await b.adapter().sockets(new Set(['room'])), new Set([there.id]));
    });

    adapterTest('serverCount', async () => {
      for (const node of cluster.nodes) {
        assert.equal(await node.adapter().serverCount(), 2);
        assert.equal(await node.adapter('/chat').serverCount(), 2);
      }
    });

    adapterTest('socketRooms', async () => {
      const [, b] = cluster.nodes;
      const there = await cluster.connect(b);
      await cluster.join(there, 'room', 1);
      assert.deepEqual(b.adapter().socketRooms(there.id), new Set([there.id, 'room', 1]));
      assert.equal(b.adapter().socketRooms('nobody'), undefined);
    });
  },
  { namespaces: ['/chat'] },
);
