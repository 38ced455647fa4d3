'use strict';

/** What an application can see of an adapter, and what becomes of it. */

const assert = require('node:assert/strict');
const { EventEmitter } = require('node:events');
const { describe } = require('node:test');
const { setTimeout: delay } = require('node:timers/promises');
const {
  PAIRS,
  SINGLES,
  adapterTest,
  describeAdapterClusters,
  skipReason,
  withAdapterCluster,
} = require('../../support/adapter-cluster');
const { AdapterNode } = require('../../support/adapter-node');
const { LIMIT } = require('../../support/limits');

const EVENTS = ['create-room', 'join-room', 'leave-room', 'delete-room'];

describeAdapterClusters(
  'properties',
  SINGLES,
  (cluster) => {
    adapterTest('names of channels', () => {
      const [node] = cluster.nodes;
      for (const nsp of ['/', '/chat']) {
        const { channel, requestChannel, responseChannel, specificResponseChannel, uid } = node.adapter(nsp);
        assert.deepEqual(
          { channel, requestChannel, responseChannel, specificResponseChannel },
          {
            channel: `key#${nsp}#`,
            requestChannel: `key-request#${nsp}#`,
            responseChannel: `key-response#${nsp}#`,
            specificResponseChannel: `key-response#${nsp}#${uid}#`,
          },
        );
      }
      return Promise.resolve();
    });

    adapterTest('the rest', async () => {
      const [node] = cluster.nodes;
      const adapter = node.adapter('/chat');
      assert.ok(adapter instanceof EventEmitter);
      assert.match(adapter.uid, /^.{6,}$/);
      assert.notEqual(adapter.uid, node.adapter().uid);
      assert.equal(adapter.nsp, node.io.of('/chat'));
      assert.equal(adapter.encoder, node.io.encoder);
      assert.deepEqual([adapter.rooms, adapter.sids], [new Map(), new Map()]);
      const client = await cluster.connect(node, '/chat');
      await cluster.join(client, 'room', 1);
      assert.deepEqual(adapter.rooms, new Map([client.id, 'room', 1].map((room) => [room, new Set([client.id])])));
      assert.deepEqual(adapter.sids, new Map([[client.id, new Set([client.id, 'room', 1])]]));
      await client.close();
      assert.deepEqual([adapter.rooms, adapter.sids], [new Map(), new Map()]);
    });

    adapterTest('events of rooms', async () => {
      const [node] = cluster.nodes;
      const adapter = node.adapter();
      /** @type {any[]} */
      const seen = [];
      for (const event of EVENTS) {
        const listener = (...args) => seen.push([event, ...args]);
        adapter.on(event, listener);
        cluster.keep({ close: async () => adapter.off(event, listener) });
      }
      const one = await cluster.connect(node);
      const two = await cluster.connect(node);
      await one.peer.join(['room', 1]);
      await two.peer.join('room');
      await two.peer.join('room');
      one.peer.leave('room');
      two.peer.leave('room');
      two.peer.leave('room');
      await one.close();
      assert.deepEqual(seen, [
        ['create-room', one.id],
        ['join-room', one.id, one.id],
        ['create-room', two.id],
        ['join-room', two.id, two.id],
        ['create-room', 'room'],
        ['join-room', 'room', one.id],
        ['create-room', 1],
        ['join-room', 1, one.id],
        ['join-room', 'room', two.id],
        ['leave-room', 'room', one.id],
        ['leave-room', 'room', two.id],
        ['delete-room', 'room'],
        ['leave-room', one.id, one.id],
        ['delete-room', one.id],
        ['leave-room', 1, one.id],
        ['delete-room', 1],
      ]);
    });
  },
  { namespaces: ['/chat'], opts: { key: 'key' } },
);

/** @param {import('../../../dev/redis-server').RedisServer} redis */
async function connections(redis) {
  return (await redis.command('CLIENT', 'LIST')).trim().split('\n').length;
}

describe('closing a server', LIMIT, () => {
  for (const kinds of PAIRS) {
    closing(kinds);
  }
});

/** @param {import('../../support/adapter-node').Kind[]} kinds */
function closing(kinds) {
  describe(kinds.join(' → '), { skip: skipReason(kinds) }, () => {
    adapterTest('takes its subscriptions and connections away; the others do not wait for it', async () => {
      await withAdapterCluster([kinds[0]], { namespaces: ['/chat'] }, async (cluster) => {
        const [a] = cluster.nodes;
        const here = await cluster.connect(a);
        const before = await connections(cluster.redis);
        const b = await cluster.add(kinds[1]);
        const there = await b.connect();
        assert.equal(await a.adapter().serverCount(), 2);
        assert.equal((await a.io.fetchSockets()).length, 2);
        await b.stop();
        assert.equal(await there.gone(), 'server shutting down');
        await cluster.settled();
        while ((await connections(cluster.redis)) > before) await delay(5);
        for (const nsp of ['/', '/chat']) assert.equal(await a.adapter(nsp).serverCount(), 1);
        assert.equal((await a.io.fetchSockets()).length, 1);
        assert.deepEqual(await a.io.serverSideEmitWithAck('ask'), []);
        a.io.emit('still here');
        await here.event('still here');
      });
    });

    adapterTest('what has been sent before still leaves', async () => {
      await withAdapterCluster(kinds, {}, async (cluster) => {
        const [a, b] = cluster.nodes;
        const there = await cluster.connect(b);
        for (let i = 0; i < 500; i++) a.io.emit('news', i, 'x'.repeat(1000));
        a.io.emit('end');
        const stopped = a.stop();
        assert.deepEqual(
          (await there.until('end')).map(([, i]) => i),
          Array.from({ length: 500 }, (_, i) => i),
        );
        await stopped;
      });
    });

    adapterTest('before it has subscribed', () =>
      withAdapterCluster([kinds[0]], {}, async (cluster) => {
        const node = new AdapterNode({ adapter: kinds[1], redis: cluster.redis });
        await node.start();
        await node.stop();
        await cluster.settled();
        assert.equal(await cluster.nodes[0].adapter().serverCount(), 1);
      }),
    );
  });
}
