'use strict';

/**
 * Processes that are no servers: `@socket.io/redis-emitter` 5, `socket.io-emitter` 3, and ours, which alone knows
 * sharded channels and streams.
 */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const msgpack = require('@msgpack/msgpack');
const original = require('@socket.io/redis-emitter');
const emitter3 = require('socket.io-emitter');
const { Emitter, StreamsEmitter } = require('../../..');
const { SINGLES, adapterTest, describeAdapterClusters } = require('../../support/adapter-cluster');
const { SHARDED, STREAMS, closeClient, createClients } = require('../../support/adapter-node');

/**
 * A client that publishes, closed at the end of the test.
 * @param {import('../../support/adapter-cluster').AdapterCluster} cluster
 * @param {string} family
 */
async function publisher(cluster, family) {
  const clients = await createClients(family, cluster.redis.port);
  for (const client of clients) cluster.keep({ close: () => closeClient(client) });
  return clients[0];
}

/**
 * Ours, closed at the end of the test.
 * @param {import('../../support/adapter-cluster').AdapterCluster} cluster
 * @param {any} client
 * @param {{ key?: string, parser?: any }} [opts]
 */
function ours(cluster, client, { key, ...opts } = {}) {
  if (STREAMS) return cluster.keep(new StreamsEmitter(client));
  const { mode } = cluster.nodes[0];
  const sharded = { sharded: true, channelPrefix: key, subscriptionMode: /** @type {any} */ (mode) };
  return cluster.keep(new Emitter(client, SHARDED ? sharded : { key, ...opts }));
}

/** @typedef {(cluster: any, client: any, opts?: { key?: string, parser?: any }) => any} Make */

/** @type {[string, string[], Make][]} */
const ALL_EMITTERS = [
  ['@socket.io/redis-emitter', ['redis-6', 'ioredis-6'], (_, client, opts) => new original.Emitter(client, opts)],
  ['socket.io-emitter', ['redis-3', 'ioredis-4'], (_, client, opts) => emitter3(client, opts)],
  ['ours', ['redis-6', 'ioredis-6'], ours],
];
const EMITTERS = SHARDED || STREAMS ? ALL_EMITTERS.slice(2) : ALL_EMITTERS;

for (const [name, families, make] of EMITTERS) {
  describeAdapterClusters(
    name,
    SINGLES,
    (cluster) => {
      for (const family of families) {
        adapterTest(`everybody, rooms, sockets, namespaces (${family})`, async () => {
          const [node] = cluster.nodes;
          const emitter = make(cluster, await publisher(cluster, family));
          const [one, two, chat] = [
            await cluster.connect(node),
            await cluster.connect(node),
            await cluster.connect(node, '/chat'),
          ];
          await cluster.join(one, 'r1', 'r2');
          await cluster.join(two, 'r2', 3);
          await cluster.join(chat, 'r1');
          emitter.emit('news', 1, { text: 'ä', list: [1, null] });
          emitter.to('r1').emit('news', 2);
          emitter.in('r1').to('r2').emit('news', 3);
          emitter.to(3).emit('news', 4);
          emitter.to(one.id).emit('news', 5, Buffer.from('part'));
          emitter.to('nobody').emit('news', 6);
          emitter.of('/chat').emit('news', 7);
          emitter.of('chat').to('r1').emit('news', 8);
          for (const each of [emitter, emitter.of('/chat')]) each.emit('end');
          const all = ['news', 1, { text: 'ä', list: [1, null] }];
          assert.deepEqual(await one.until('end'), [all, ['news', 2], ['news', 3], ['news', 5, Buffer.from('part')]]);
          assert.deepEqual(await two.until('end'), [all, ['news', 3], ['news', 4]]);
          assert.deepEqual(await chat.until('end'), [
            ['news', 7],
            ['news', 8],
          ]);
        });
      }

      adapterTest('volatile', async () => {
        const [node] = cluster.nodes;
        const emitter = make(cluster, await publisher(cluster, families[0]));
        const [ready, busy] = [await cluster.connect(node), await cluster.connect(node)];
        await Promise.all([ready.writable(), busy.writable()]);
        busy.peer.conn.transport.writable = false;
        emitter.volatile.emit('tick');
        assert.deepEqual(await ready.event('tick'), []);
        busy.peer.conn.transport.writable = true;
        emitter.emit('end');
        assert.deepEqual(await busy.until('end'), []);
      });
    },
    { namespaces: ['/chat'] },
  );

  describeAdapterClusters(
    `${name}, another key`,
    // Of streams, that is an option of channels alone.
    STREAMS ? [] : SINGLES,
    (cluster) => {
      adapterTest('is heard where the same is set', async () => {
        const [node] = cluster.nodes;
        const there = await cluster.connect(node);
        make(cluster, await publisher(cluster, families[0])).emit('never');
        const emitter = make(cluster, await publisher(cluster, families[0]), { key: 'my app' });
        emitter.emit('news');
        emitter.emit('end');
        assert.deepEqual(await there.until('end'), [['news']]);
      });
    },
    { opts: { key: 'my app' } },
  );
}

for (const [name, , make] of EMITTERS.filter(([name]) => name !== 'socket.io-emitter')) {
  describeAdapterClusters(
    `what only ${name} has`,
    SINGLES,
    (cluster) => {
      /** An emitter and two clients of the node. */
      async function start(nsp = '/') {
        const [node] = cluster.nodes;
        const emitter = make(cluster, await publisher(cluster, 'redis-6'));
        return {
          node,
          emitter: emitter.of(nsp),
          one: await cluster.connect(node, nsp),
          two: await cluster.connect(node, nsp),
        };
      }

      adapterTest('except, compress, several rooms at once', async () => {
        const { emitter, one, two } = await start();
        await cluster.join(one, 'r1', 'r2');
        await cluster.join(two, 'r2', 'r3');
        /** @type {any[]} */
        const compressed = [];
        one.peer.conn.on('packetCreate', ({ type, options }) => {
          if (type === 'message') compressed.push(options?.compress !== false);
        });
        emitter.except('r3').emit('news', 1);
        emitter.to(['r1', 'r3']).except(['r1', 'r4']).emit('news', 2);
        emitter.compress(false).emit('news', 3);
        emitter.to('r2').compress(true).emit('news', 4);
        emitter.emit('end');
        assert.deepEqual(await one.until('end'), [
          ['news', 1],
          ['news', 3],
          ['news', 4],
        ]);
        assert.deepEqual(await two.until('end'), [
          ['news', 2],
          ['news', 3],
          ['news', 4],
        ]);
        assert.deepEqual(compressed, [true, false, true, true]);
      });

      for (const nsp of ['/', '/chat']) {
        adapterTest(`socketsJoin and socketsLeave in ${nsp}`, async () => {
          const { emitter, one, two } = await start(nsp);
          emitter.socketsJoin(['r1', 'r2']);
          emitter.in(one.id).socketsJoin(3);
          emitter.except(one.id).socketsLeave('r1');
          emitter.in('r1').socketsLeave(['r2']);
          emitter.emit('middle');
          await Promise.all([one.event('middle'), two.event('middle')]);
          assert.deepEqual(
            [one, two].map(({ peer }) => [...peer.rooms]),
            [
              [one.id, 'r1', 3],
              [two.id, 'r2'],
            ],
          );
          await cluster.settled();
          emitter.to('r1').emit('news', 'r1');
          emitter.to('r2').emit('news', 'r2');
          emitter.to(3).emit('news', 3);
          emitter.emit('end');
          assert.deepEqual(await one.until('end'), [
            ['news', 'r1'],
            ['news', 3],
          ]);
          assert.deepEqual(await two.until('end'), [['news', 'r2']]);
        });

        adapterTest(`disconnectSockets in ${nsp}`, async () => {
          for (const close of [false, true]) {
            const { node, emitter, one, two } = await start(nsp);
            const beside = await cluster.connect(node, '/beside', { manager: one.manager });
            await cluster.join(one, 'room');
            emitter.in('room').disconnectSockets(close);
            assert.equal(await one.gone(), 'server namespace disconnect');
            emitter.emit('end');
            assert.deepEqual(await two.until('end'), []);
            if (close) await beside.gone();
            assert.equal(beside.peer.connected, !close);
          }
        });
      }

      adapterTest('serverSideEmit', async () => {
        const { node, emitter } = await start();
        for (const nsp of ['/', '/chat']) {
          const heard = once(node.io.of(nsp), 'news');
          emitter.of(nsp).serverSideEmit('news', 1, { text: 'ä' }, null);
          assert.deepEqual(await heard, [1, { text: 'ä' }, null]);
        }
      });

      adapterTest('many, in order', async () => {
        const { emitter, one } = await start();
        await cluster.join(one, 'room');
        for (let i = 0; i < 500; i++) (i % 2 === 0 ? emitter.to('room') : emitter).emit('news', i);
        emitter.emit('end');
        assert.deepEqual(
          (await one.until('end')).map(([, i]) => i),
          Array.from({ length: 500 }, (_, i) => i),
        );
      });
    },
    { namespaces: ['/chat', '/beside'] },
  );
}

const parser = {
  encode: (value) => Buffer.from(msgpack.encode(value)),
  decode: (message) => msgpack.decode(message),
};

for (const [name, , make] of SHARDED || STREAMS ? [] : EMITTERS.filter(([name]) => name !== 'socket.io-emitter')) {
  describeAdapterClusters(
    `${name} with a parser`,
    SINGLES,
    (cluster) => {
      adapterTest('is heard where the same is set', async () => {
        const [node] = cluster.nodes;
        const there = await cluster.connect(node);
        const emitter = make(cluster, await publisher(cluster, 'ioredis-6'), { parser });
        emitter.emit('news', { text: 'ä' });
        emitter.to(there.id).emit('news', Buffer.from('part'));
        emitter.emit('end');
        assert.deepEqual(await there.until('end'), [
          ['news', { text: 'ä' }],
          ['news', Buffer.from('part')],
        ]);
      });
    },
    { opts: { parser } },
  );
}
