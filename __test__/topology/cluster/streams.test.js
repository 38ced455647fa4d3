'use strict';

/** `createStreamsAdapter` on Redis Cluster: one stream, or several on as many nodes. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { after, before, describe, it } = require('node:test');
const { Server } = require('socket.io-4');
const { createStreamsAdapter } = require('../../..');
const { startCluster } = require('../../../dev/redis-cluster');
const { AdapterClient } = require('../../support/adapter-client');
const { LIMIT } = require('../../support/limits');
const { until } = require('../../support/load');
const { successorOf, withoutOffsets } = require('../../support/recovery');

const NAMESPACES = ['/', '/chat', '/presence'];

/** A server on a cluster that reads. */
async function start(urls, opts) {
  const adapter = createStreamsAdapter({ cluster: urls }, opts);
  const io = new Server({ adapter, connectionStateRecovery: {} });
  for (const nsp of NAMESPACES) io.of(nsp);
  io.listen(0);
  const { httpServer } = /** @type {any} */ (io);
  if (!httpServer.listening) await once(httpServer, 'listening');
  await adapter.ready();
  const close = async () => {
    io.close();
    await adapter.close();
  };
  return { io, url: `http://127.0.0.1:${httpServer.address().port}`, close };
}

/** Whether a node of the cluster has the session of a client. */
async function hasSession(cluster, client) {
  const key = `sio:session:${client.socket._pid}`;
  const answers = cluster.running.map(({ server }) => server.command('EXISTS', key).catch(() => 0));
  return (await Promise.all(answers)).includes(1);
}

describe('streams on a cluster', LIMIT, () => {
  /** @type {any} */
  let cluster;
  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster.stop());

  for (const [title, opts] of /** @type {[string, any][]} */ ([
    ['one', {}],
    ['three, and sharded channels', { streamCount: 3, streamName: 'three', useShardedPubSub: true }],
  ])) {
    it(`${title}: broadcasts and requests cross, and clients come back to another server`, async () => {
      const nodes = [await start(cluster.urls, opts), await start(cluster.urls, opts)];
      const [a, b] = nodes;
      try {
        for (const nsp of NAMESPACES) {
          const client = await new AdapterClient(/** @type {any} */ (a), nsp).open();
          client.peer.join('room');
          b.io.of(nsp).to('room').emit('first');
          await client.event('first');
          assert.deepEqual(
            (await b.io.of(nsp).fetchSockets()).map(({ id }) => id),
            [client.id],
          );
          /** @type {any} */ (client.manager).engine.close();
          await client.gone();
          await until('the session', () => hasSession(cluster, client));
          b.io
            .of(nsp)
            .to('room')
            .emit('missed', 1, Buffer.from([1]));
          const successor = await successorOf(client, /** @type {any} */ (b)).open();
          assert.equal(successor.socket.recovered, true);
          b.io.of(nsp).emit('end');
          assert.deepEqual(withoutOffsets(await successor.until('end')), [['missed', 1, Buffer.from([1])]]);
          await successor.close();
        }
      } finally {
        await Promise.all(nodes.map((node) => node.close()));
      }
    });
  }

  it('what waits for the node of a stream counts as what is to be published', async () => {
    const node = await start(cluster.urls, { streamName: 'waits', heartbeat: false });
    const { adapter } = /** @type {any} */ (node.io.of('/'));
    const owner = await cluster.masterOf(cluster.slotOf('waits'));
    try {
      await until('nothing to wait', () => adapter.stats().queues.publish.messages === 0);
      await cluster.pause(owner.port);
      for (let i = 0; i < 3; i++) node.io.emit('news', i);
      const { publish, command } = adapter.stats().queues;
      assert.deepEqual([publish.messages, command.messages], [3, 0]);
      cluster.resume(owner.port);
      await until('all to be added', () => adapter.stats().queues.publish.messages === 0);
      assert.equal(await owner.server.command('XLEN', 'waits'), 3);
    } finally {
      if (owner.state !== 'up') cluster.resume(owner.port);
      await node.close();
    }
  });
});
