'use strict';

/** Flags, and what a broadcast from another node still has to respect on the way to a client. */

const assert = require('node:assert/strict');
const { SENDING, adapterTest, describeAdapterClusters, testUnlessOfficial } = require('../../support/adapter-cluster');
const { STREAMS } = require('../../support/adapter-node');

/** A native transport is as writable as its connection: `native/volatile.test.js` stops a real one. */
const writableTest = process.env.WS_ENGINE === 'native' ? () => {} : adapterTest;

describeAdapterClusters('flags', SENDING, (cluster) => {
  writableTest('volatile: who can be written to gets it, who cannot does not', async () => {
    const [a, b] = cluster.nodes;
    const ready = await cluster.connect(b);
    const busy = await cluster.connect(b);
    await cluster.join(busy, 'room');
    await cluster.join(ready, 'room');
    const { transport } = busy.peer.conn;
    a.io.volatile.emit('tick', 1);
    for (const client of [busy, ready]) assert.deepEqual(await client.event('tick'), [1]);
    await Promise.all([busy.writable(), ready.writable()]);
    a.io.to('room').volatile.emit('tick', 2);
    for (const client of [busy, ready]) assert.deepEqual(await client.event('tick'), [2]);
    await Promise.all([busy.writable(), ready.writable()]);
    transport.writable = false; // as while bytes are on their way
    a.io.volatile.emit('tick', 3);
    assert.deepEqual(await ready.event('tick'), [3]);
    await ready.writable();
    a.io.volatile.to('room').emit('tick', 4, Buffer.from('binary'));
    assert.deepEqual(await ready.event('tick'), [4, Buffer.from('binary')]);
    a.io.emit('kept', 5);
    a.io.except(busy.id).emit('end');
    assert.deepEqual(await ready.until('end'), [['kept', 5]]);
    transport.writable = true;
    busy.peer.conn.flush();
    a.io.emit('end');
    assert.deepEqual(await busy.until('end'), [['kept', 5]]);
  });

  adapterTest('compress: as the sender says', async () => {
    const [a, b] = cluster.nodes;
    const there = await cluster.connect(b);
    await cluster.join(there, 'room');
    /** @type {any[]} */
    const seen = [];
    there.peer.conn.on('packetCreate', ({ type, options }) => {
      if (type === 'message') seen.push(options?.compress);
    });
    a.io.compress(false).emit('news');
    a.io.compress(true).to('room').emit('news');
    a.io.to('room').compress(false).emit('news');
    a.io.emit('end');
    await there.until('end');
    assert.deepEqual(
      seen.map((compress) => compress !== false),
      [false, true, false, true],
    );
  });

  adapterTest('onAnyOutgoing hears what comes from other nodes', async () => {
    const [a, b] = cluster.nodes;
    const there = await cluster.connect(b);
    const other = await cluster.connect(b);
    /** @type {any[]} */
    const heard = [];
    there.peer.onAnyOutgoing((...args) => heard.push(args));
    a.io.emit('news', 1, { b: Buffer.from('x') });
    a.io.to(other.id).emit('news', 2);
    a.io.emit('end');
    await Promise.all([there.until('end'), other.until('end')]);
    assert.deepEqual(heard, [['news', 1, { b: Buffer.from('x') }], ['end']]);
  });

  adapterTest('flags do not stick', async () => {
    const [a, b] = cluster.nodes;
    const there = await cluster.connect(b);
    const kept = a.io.to('nobody');
    kept.emit('news', 1);
    a.io.local.emit('news', 2);
    a.io.emit('news', 3);
    a.io.except(there.id).emit('news', 4);
    a.io.emit('end');
    assert.deepEqual(await there.until('end'), [['news', 3]]);
  });
});

describeAdapterClusters(
  'compressed frames',
  SENDING,
  (cluster) => {
    adapterTest('text and binary, long and short, compressed or not', async () => {
      const [a, b] = cluster.nodes;
      const there = await cluster.connect(b);
      assert.match(/** @type {any} */ (there.peer.conn.transport).socket.extensions, /permessage-deflate/);
      const long = 'long '.repeat(5000);
      const sent = [
        ['news', 'short'],
        ['news', long],
        ['news', Buffer.from(long)],
        ['news', { long, part: Buffer.alloc(9) }],
      ];
      for (const compress of [true, false]) for (const event of sent) a.io.compress(compress).emit(...event);
      a.io.emit('end');
      assert.deepEqual(await there.until('end'), [...sent, ...sent]);
    });
  },
  { serverOptions: { perMessageDeflate: { threshold: 0 } } },
);

describeAdapterClusters(
  'connection state recovery',
  SENDING,
  (cluster, [, receiver]) => {
    // On sharded channels the official one adds an argument there, on streams all do.
    const test = STREAMS ? () => {} : testUnlessOfficial(receiver);
    test('makes socket.emit a broadcast, which still arrives once', async () => {
      const [, b] = cluster.nodes;
      const there = await cluster.connect(b);
      const other = await cluster.connect(b);
      there.peer.emit('news', 1);
      b.io.emit('end');
      assert.deepEqual(await there.until('end'), [['news', 1]]);
      assert.deepEqual(await other.until('end'), []);
    });
  },
  { serverOptions: { connectionStateRecovery: {} } },
);
