'use strict';

/** Several streams, other names, and entries that are always JSON, official ones too. */

process.env.ADAPTER_WIRE = 'streams';

const assert = require('node:assert/strict');
const { PAIRS, adapterTest, describeAdapterClusters } = require('../../support/adapter-cluster');
const { breakOff, comeBack, withoutOffsets } = require('../../support/recovery');

const serverOptions = { connectionStateRecovery: {} };

/** @param {any} a @param {any} there a client of another server */
async function exchange(a, there, nsp = '/') {
  a.io.of(nsp).emit('news', 1, 'ä');
  a.io.of(nsp).in(there.id).socketsJoin('room');
  a.io.of(nsp).to('room').emit('news', 2);
  assert.deepEqual(await there.event('news'), [1, 'ä']);
  assert.deepEqual(await there.event('news'), [2]);
  assert.deepEqual(
    (await a.io.of(nsp).fetchSockets()).map((/** @type {any} */ { id }) => id),
    [there.id],
  );
}

// That of '/notifications' is one which official servers do not read.
const NAMESPACES = ['/chat', '/admin', '/another one'];

describeAdapterClusters(
  'three streams with another name',
  PAIRS,
  (cluster) => {
    for (const nsp of ['/', ...NAMESPACES]) {
      adapterTest(nsp, async () => {
        const [a, b] = cluster.nodes;
        await exchange(a, await cluster.connect(b, nsp), nsp);
      });
    }
  },
  { namespaces: NAMESPACES, opts: { streamCount: 3, streamName: 'chat', key: 'chat' } },
);

describeAdapterClusters(
  'a stream that official servers do not read',
  [['native', 'native']],
  (cluster) => {
    adapterTest('crosses among ours', async () => {
      const [a, b] = cluster.nodes;
      const there = await cluster.connect(b, '/notifications');
      await exchange(a, there, '/notifications');
      assert.ok((await cluster.redis.command('XLEN', 'socket.io--2')) > 0);
    });
  },
  { namespaces: ['/notifications'], opts: { streamCount: 3 } },
);

describeAdapterClusters(
  'entries that are always JSON, with keys of sessions of another name',
  PAIRS,
  (cluster) => {
    adapterTest('what is binary arrives as JSON has it', async () => {
      const [a, b] = cluster.nodes;
      const there = await cluster.connect(b);
      await cluster.join(there, 'room');
      a.io.to('room').emit('news', Buffer.from([1]), { a: [null, 'ä'] });
      b.io.emit('end');
      const json = { type: 'Buffer', data: [1] };
      const events = withoutOffsets(await there.untilAll('end', 'news'));
      assert.deepEqual(events, []);
      await breakOff(cluster, there, 'sessions/');
      a.io.to('room').emit('missed', Buffer.from([1]));
      const after = await comeBack(cluster, there, b);
      a.io.emit('end');
      assert.deepEqual(withoutOffsets(await after.until('end')), [['missed', json]]);
    });
  },
  { serverOptions, opts: { onlyPlaintext: true, sessionKeyPrefix: 'sessions/' } },
);
