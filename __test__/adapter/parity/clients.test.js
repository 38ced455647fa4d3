'use strict';

/** Every client that an application may pass, of every family that the official adapter takes. */

const assert = require('node:assert/strict');
const { promisify } = require('node:util');
const { SINGLES, adapterTest, describeAdapterClusters } = require('../../support/adapter-cluster');
const { ANSWER } = require('../../support/limits');

const FAMILIES = ['redis-3', 'redis-4', 'redis-5', 'redis-6', 'ioredis-4', 'ioredis-5', 'ioredis-6'];
/** An official one's clients are set here like ours'; one of each is enough. */
const PAIRS = SINGLES.filter(([kind]) => kind !== 'official-ioredis').map(([kind]) => [kind, kind]);

for (const clients of FAMILIES) {
  describeAdapterClusters(
    `clients of ${clients}`,
    PAIRS,
    (cluster) => {
      adapterTest('everything crosses', async () => {
        const [a, b] = cluster.nodes;
        const [here, there] = [await cluster.connect(a), await cluster.connect(b)];
        await cluster.join(there, 'room');
        there.answers('ask', () => Buffer.from('answer'));
        here.answers('ask', () => Buffer.from('answer'));
        a.io.emit('news', Buffer.from('part'));
        a.io.to('room').emit('news', 'ä');
        a.io.emit('end');
        assert.deepEqual(await there.until('end'), [
          ['news', Buffer.from('part')],
          ['news', 'ä'],
        ]);
        assert.deepEqual(await a.io.timeout(ANSWER).emitWithAck('ask'), [Buffer.from('answer'), Buffer.from('answer')]);
        assert.equal(await a.adapter().serverCount(), 2);
        assert.equal((await a.io.fetchSockets()).length, 2);
        a.io.in('room').socketsLeave('room');
        a.io.to('room').emit('never');
        a.io.emit('end');
        await there.event('ask');
        assert.deepEqual(await there.until('end'), []);
      });

      adapterTest('the adapter shows the clients, and leaves the application its own', async () => {
        const [a] = cluster.nodes;
        const { pubClient, subClient } = a.adapter();
        assert.equal(pubClient, a.pubClient);
        assert.equal(subClient, a.subClient);
        const ping = clients === 'redis-3' ? promisify(pubClient.ping) : pubClient.ping;
        assert.equal(await ping.call(pubClient), 'PONG');
      });

      adapterTest('no listener of ours stays on them', async () => {
        const node = await cluster.add(cluster.nodes[0].kind);
        const [pub, sub] = [node.pubClient, node.subClient];
        for (const { adapter } of node.io._nsps.values()) await adapter.close();
        const own = { error: 1 }; // of the harness
        for (const client of [pub, sub]) {
          for (const event of ['error', 'messageBuffer', 'pmessageBuffer']) {
            assert.equal(client.listenerCount(event), own[event] ?? 0, event);
          }
        }
        await node.stop();
      });
    },
    { clients },
  );
}
