'use strict';

/** Namespaces: by odd names, made by clients, and gone again. */

const assert = require('node:assert/strict');
const msgpackParser = require('socket.io-msgpack-parser');
const { PAIRS, SENDING, adapterTest, describeAdapterClusters } = require('../../support/adapter-cluster');
const { ON_SHARDS, STREAMS, isNative } = require('../../support/adapter-node');

/** All may be the name of a namespace; a comma only where the parser does not make it the end of the name. */
const NAMES = [
  '/with space',
  '/ünïcödé/日本/🚪',
  '/#',
  '/a#b#',
  '/*',
  '/**',
  '/*#',
  '/a/*',
  '/?',
  '/^a',
  '/"quoted"',
  '/%20',
  '/$1',
];
/** The official adapter does not hear broadcasts in these: its pattern means something else. */
const GLOBS = ['/[a]', '/[^a]*', '/a\\*', '/[', '/\\'];

/**
 * Over ioredis, the official adapter hears a broadcast once for each pattern that its channel matches,
 * so `/*` has it hear all others twice.
 * @type {import('../../support/adapter-node').Kind[][]}
 */
const WITHOUT_IOREDIS = SENDING.map((kinds) =>
  kinds.map((kind) => (kind === 'official-ioredis' ? 'official-redis' : kind)),
);

/**
 * One room and everybody, requests and answers in a namespace.
 * @param {import('../../support/adapter-cluster').AdapterCluster} cluster
 * @param {string} nsp
 * @param {import('../../support/adapter-client').ClientOptions} [options]
 */
async function exchange(cluster, nsp, options) {
  const [a, b] = cluster.nodes;
  const here = await cluster.connect(a, nsp, options);
  const there = await cluster.connect(b, nsp, options);
  await cluster.join(there, 'room');
  const sender = a.io.of(nsp);
  sender.emit('news', nsp);
  sender.to('room').emit('news', 'room', Buffer.from(nsp));
  sender.emit('end');
  assert.deepEqual(await here.until('end'), [['news', nsp]]);
  assert.deepEqual(await there.until('end'), [
    ['news', nsp],
    ['news', 'room', Buffer.from(nsp)],
  ]);
  await requests(cluster, nsp, 2);
}

/**
 * @param {import('../../support/adapter-cluster').AdapterCluster} cluster
 * @param {string} nsp
 * @param {number} sockets how many there are
 */
async function requests({ nodes: [a, b] }, nsp, sockets) {
  assert.equal((await a.io.of(nsp).fetchSockets()).length, sockets);
  b.io.of(nsp).once('ask', (name, done) => done(name));
  assert.deepEqual(await a.io.of(nsp).serverSideEmitWithAck('ask', nsp), [nsp]);
}

describeAdapterClusters(
  'namespaces by odd names',
  WITHOUT_IOREDIS,
  (cluster, kinds) => {
    for (const nsp of NAMES) adapterTest(nsp, () => exchange(cluster, nsp));

    for (const nsp of GLOBS) {
      adapterTest(`requests in ${nsp}`, () => requests(cluster, nsp, 0));
      if (isNative(kinds[1])) adapterTest(nsp, () => exchange(cluster, nsp));
    }

    adapterTest('each hears its own', async () => {
      const [a, b] = cluster.nodes;
      const clients = [];
      for (const nsp of NAMES) clients.push(await cluster.connect(b, nsp));
      for (const nsp of [...NAMES, ...GLOBS]) {
        a.io.of(nsp).emit('news', nsp);
        a.io.of(nsp).to('#').emit('never');
      }
      for (const nsp of NAMES) a.io.of(nsp).emit('end');
      for (const client of clients) assert.deepEqual(await client.until('end'), [['news', client.nsp]]);
    });
  },
  { namespaces: [...NAMES, ...GLOBS] },
);

describeAdapterClusters(
  'namespaces by odd names, with a parser that knows no commas',
  WITHOUT_IOREDIS,
  (cluster) => {
    for (const nsp of ['/a,b', '/,', ...NAMES])
      adapterTest(nsp, () => exchange(cluster, nsp, { parser: msgpackParser }));
  },
  { namespaces: ['/a,b', '/,', ...NAMES], serverOptions: { parser: msgpackParser } },
);

const DYNAMIC = /^\/room-\d+$/;
/**
 * The official adapter on streams leaves no channel.
 * @param {import('../../support/adapter-node').Kind[][]} table
 * @returns {import('../../support/adapter-node').Kind[][]}
 */
const whereChannelsAreLeft = (table) => (STREAMS ? [['native', 'native']] : table);

describeAdapterClusters('dynamic namespaces', SENDING, (cluster) => {
  /** Who matches; once for each cluster. */
  function declare() {
    for (const { io } of cluster.nodes) if (io.parentNsps.size === 0) io.of(DYNAMIC);
  }

  adapterTest('come with their first client, and cross', async () => {
    declare();
    const [a, b] = cluster.nodes;
    const there = await cluster.connect(b, '/room-1');
    assert.equal(await b.adapter('/room-1').serverCount(), 1);
    a.io.of('/room-1').emit('news', 'from a namespace that has no clients');
    b.io.of('/room-1').emit('middle');
    await there.event('middle');
    await cluster.settled();
    a.io.of('/room-1').emit('news', 2);
    a.io.of('/room-1').emit('end');
    assert.deepEqual(await there.until('end'), [
      ['news', 'from a namespace that has no clients'],
      ['news', 2],
    ]);
    const here = await cluster.connect(a, '/room-1');
    assert.equal(await b.adapter('/room-1').serverCount(), 2);
    b.io.of('/room-1').emit('end');
    assert.deepEqual(await here.until('end'), []);
  });

  adapterTest('through their parent', async () => {
    declare();
    const [a, b] = cluster.nodes;
    const here = await cluster.connect(a, '/room-2');
    const there = await cluster.connect(b, '/room-2');
    for (const parent of a.io.parentNsps.values()) {
      parent.emit('news', 1);
      parent.emit('end');
    }
    for (const client of [here, there]) assert.deepEqual(await client.until('end'), [['news', 1]]);
  });
});

describeAdapterClusters(
  'empty namespaces',
  whereChannelsAreLeft(SENDING),
  (cluster) => {
    adapterTest('leave no subscription behind, and come back', async () => {
      const [a, b] = cluster.nodes;
      for (const { io } of [a, b]) io.of(DYNAMIC);
      const channels = () => cluster.redis.command('PUBSUB', ON_SHARDS ? 'SHARDCHANNELS' : 'CHANNELS', '*/room-*');
      await cluster.settled();
      const before = await cluster.redis.command('PUBSUB', 'NUMPAT');
      for (let i = 0; i < 3; i++) {
        const here = await cluster.connect(a, '/room-1');
        const there = await cluster.connect(b, '/room-1');
        await cluster.join(there, 'room');
        a.io.of('/room-1').to('room').emit('news', i);
        a.io.of('/room-1').emit('end');
        assert.deepEqual(await there.until('end'), [['news', i]]);
        assert.notDeepEqual(await channels(), []);
        await here.close();
        await cluster.settled();
        assert.equal(await b.adapter('/room-1').serverCount(), 1);
        await there.close();
        await cluster.settled();
        assert.deepEqual(
          [a, b].map(({ io }) => io._nsps.has('/room-1')),
          [false, false],
        );
        assert.deepEqual(await channels(), []);
        assert.equal(await cluster.redis.command('PUBSUB', 'NUMPAT'), before);
      }
    });
  },
  { serverOptions: { cleanupEmptyChildNamespaces: true } },
);

describeAdapterClusters(
  'adapters that are closed',
  whereChannelsAreLeft(PAIRS),
  (cluster) => {
    adapterTest("a namespace's: it hears nothing more, and the others do", async () => {
      const [a, b] = cluster.nodes;
      const main = await cluster.connect(b);
      const chat = await cluster.connect(b, '/chat');
      await b.adapter('/chat').close();
      b.io._nsps.delete('/chat'); // as Socket.IO does with an empty one
      await cluster.settled();
      assert.equal(await a.adapter('/chat').serverCount(), 1);
      a.io.of('/chat').emit('never');
      a.io.emit('end');
      assert.deepEqual(await main.until('end'), []);
      chat.peer.emit('end');
      assert.deepEqual(await chat.until('end'), []);
    });
  },
  { namespaces: ['/chat'] },
);
