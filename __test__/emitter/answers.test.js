'use strict';

/** What an Emitter gets back: acknowledgements of clients, sockets, their number; of servers of every sort. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { Emitter, StreamsEmitter } = require('../..');
const { adapterTest, describeAdapterClusters } = require('../support/adapter-cluster');
const { SHARDED, STREAMS } = require('../support/adapter-node');
const { ANSWER, PATIENCE, SHORT } = require('../support/limits');

/** @typedef {import('../support/adapter-node').Kind} Kind */

/** @type {Kind[][]} */
const SERVERS = [
  ['official-redis', 'official-ioredis'],
  ['official-redis', 'native'],
  ['native', 'native'],
  ...(STREAMS ? [] : [/** @type {Kind[]} */ (['native:dynamic-private', 'native:dynamic-private'])]),
];

/** @param {any[]} values */
const sorted = (values) => [...values].sort();

/**
 * An emitter, closed at the end of the test. It is to be the last that the test makes: while it hears responses,
 * the cluster never settles.
 * @param {import('../support/adapter-cluster').AdapterCluster} cluster
 * @param {import('../..').CommonEmitterOptions} [opts]
 * @param {string} [url]
 */
function emitterFor(cluster, opts, url = cluster.redis.url) {
  if (STREAMS) return cluster.keep(new StreamsEmitter(url, { requestsTimeout: PATIENCE, ...opts }));
  const { mode } = cluster.nodes[0];
  /** @type {import('../..').EmitterOptions} */
  const wire = SHARDED ? { sharded: true, subscriptionMode: mode } : {};
  return cluster.keep(new Emitter(url, { requestsTimeout: PATIENCE, ...wire, ...opts }));
}

/** Three clients on two nodes that answer `ask`. @param {import('../support/adapter-cluster').AdapterCluster} cluster */
async function threeClients(cluster) {
  const [a, b] = cluster.nodes;
  const list = [await cluster.connect(a), await cluster.connect(b), await cluster.connect(b)];
  list.forEach((client, i) => client.answers('ask', (...args) => [`client ${i}`, ...args]));
  return list;
}

describeAdapterClusters(
  'an emitter asks',
  SERVERS,
  (cluster, kinds) => {
    adapterTest('clients, which acknowledge', async () => {
      await threeClients(cluster);
      const emitter = emitterFor(cluster);
      const answers = await emitter.timeout(ANSWER).emitWithAck('ask', 1, { two: [2] });
      assert.deepEqual(
        sorted(answers),
        [0, 1, 2].map((i) => [`client ${i}`, 1, { two: [2] }]),
      );
      const [error, again] = await new Promise((resolve) => emitter.emit('ask', (...args) => resolve(args)));
      assert.equal(error, null);
      assert.deepEqual(sorted(again), [['client 0'], ['client 1'], ['client 2']]);
    });

    adapterTest('those in rooms, but for others, and nobody', async () => {
      const [one, two, three] = await threeClients(cluster);
      await cluster.join(one, 'room');
      await cluster.join(two, 'room', 'left');
      await cluster.join(three, 'right');
      const emitter = emitterFor(cluster);
      const ask = (/** @type {any} */ operator) => operator.timeout(ANSWER).emitWithAck('ask').then(sorted);
      assert.deepEqual(await ask(emitter.to('room')), [['client 0'], ['client 1']]);
      assert.deepEqual(await ask(emitter.to(['left', 'right'])), [['client 1'], ['client 2']]);
      assert.deepEqual(await ask(emitter.except('left')), [['client 0'], ['client 2']]);
      assert.deepEqual(await ask(emitter.to('nobody')), []);
      assert.deepEqual(await ask(emitter.of('/chat')), []);
    });

    adapterTest('with binary, and gets such answers', async () => {
      const [a, b] = cluster.nodes;
      for (const node of [a, b]) {
        const client = await cluster.connect(node);
        client.answers('ask', (part) => ({ part: Buffer.concat([part, part]) }));
      }
      const emitter = emitterFor(cluster);
      const answers = await emitter.timeout(ANSWER).emitWithAck('ask', Buffer.from('ab'));
      assert.deepEqual(answers, [{ part: Buffer.from('abab') }, { part: Buffer.from('abab') }]);
    });

    adapterTest('and tells which answers have come when one has not', async () => {
      const [one, two] = await threeClients(cluster);
      await cluster.join(one, 'room');
      await cluster.join(two, 'room');
      two.socket.off('ask');
      const emitter = emitterFor(cluster);
      await assert.rejects(emitter.to('room').timeout(SHORT).emitWithAck('ask'), (error) => {
        const { code, message, responses } = /** @type {any} */ (error);
        assert.deepEqual(
          [code, message, responses],
          ['ERR_REQUEST_TIMEOUT', 'operation has timed out', [['client 0']]],
        );
        return true;
      });
    });

    adapterTest('for sockets, and changes them', async () => {
      const [one, two, three] = await threeClients(cluster);
      two.peer.data.name = 'two';
      await cluster.join(two, 'room');
      await cluster.join(three, 'room');
      const emitter = emitterFor(cluster);
      const all = await emitter.fetchSockets();
      assert.deepEqual(sorted(all.map(({ id }) => id)), sorted([one.id, two.id, three.id]));
      const [found, ...others] = await emitter.in('room').except(three.id).fetchSockets();
      assert.equal(others.length, 0);
      assert.deepEqual([found.id, found.rooms, found.data], [two.id, new Set([two.id, 'room']), { name: 'two' }]);
      assert.equal(found.handshake.url, two.peer.handshake.url);
      assert.deepEqual(await found.timeout(ANSWER).emitWithAck('ask', 1), ['client 1', 1]);
      const joined = once(two.peer.adapter, 'join-room');
      found.join('more');
      assert.deepEqual(await joined, ['more', two.id]);
      const left = once(two.peer.adapter, 'leave-room');
      found.leave(['room']);
      assert.deepEqual(await left, ['room', two.id]);
      found.emit('news', 1);
      found.disconnect();
      assert.equal(await two.gone(), 'server namespace disconnect');
    });

    adapterTest('how many sockets there are', async () => {
      const [, two, three] = await threeClients(cluster);
      await cluster.join(two, 'room');
      await cluster.join(three, 'room', 'other');
      const emitter = emitterFor(cluster);
      const counts = [emitter, emitter.in('room'), emitter.in('room').except('other'), emitter.of('/chat')];
      assert.deepEqual(await Promise.all(counts.map((each) => each.countSockets())), [3, 2, 1, 0]);
    });

    adapterTest('and is no server to the others', async () => {
      const [a] = cluster.nodes;
      await threeClients(cluster);
      const emitter = emitterFor(cluster);
      await emitter.countSockets();
      assert.equal(await a.io.of('/').adapter.serverCount(), kinds.length);
      assert.equal((await a.io.fetchSockets()).length, 3);
      assert.equal((await a.io.timeout(ANSWER).emitWithAck('ask')).length, 3);
    });

    adapterTest('by two emitters at once', async () => {
      await threeClients(cluster);
      const [one, two] = [emitterFor(cluster), emitterFor(cluster)];
      const answers = await Promise.all([
        ...[one, two].map((each) => each.timeout(ANSWER).emitWithAck('ask').then(sorted)),
        ...[one, two].map((each) => each.fetchSockets().then(({ length }) => length)),
      ]);
      const all = [['client 0'], ['client 1'], ['client 2']];
      assert.deepEqual(answers, [all, all, 3, 3]);
    });

    adapterTest('and gets what ends it', async () => {
      await threeClients(cluster);
      const emitter = emitterFor(cluster);
      const closed = { code: 'ERR_CLOSED' };
      const asked = [emitter.fetchSockets(), emitter.countSockets(), emitter.timeout(PATIENCE).emitWithAck('ask')];
      const rejected = Promise.all(asked.map((each) => assert.rejects(each, closed)));
      await emitter.close();
      await rejected;
      await assert.rejects(emitter.fetchSockets(), closed);
      assert.throws(() => emitter.emit('news'), closed);
    });
  },
  { namespaces: ['/chat'] },
);
