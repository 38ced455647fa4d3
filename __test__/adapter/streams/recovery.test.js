'use strict';

/** Clients that come back to another server: their ids, rooms and data, and what they have missed. */

process.env.ADAPTER_WIRE = 'streams';

const assert = require('node:assert/strict');
const { setTimeout: delay } = require('node:timers/promises');
const { PAIRS, adapterTest, describeAdapterClusters, withAdapterCluster } = require('../../support/adapter-cluster');
const { createStreamsAdapter } = require('../../..');
const { LIMIT } = require('../../support/limits');
const { createFixture } = require('../faults/fixture');
const { breakOff, comeBack, withoutOffsets } = require('../../support/recovery');
const { until } = require('../../support/load');
const { describe, it } = require('node:test');

const RECOVERY = { serverOptions: { connectionStateRecovery: {} } };
const BYTES = Buffer.from([0, 1, 255]);

describeAdapterClusters(
  'recovery',
  PAIRS,
  (cluster) => {
    adapterTest('the id, the rooms, the data, and what was missed, in order', async () => {
      const [a, b] = cluster.nodes;
      const before = await cluster.connect(a);
      before.peer.data = { name: 'Zoë', bytes: BYTES, list: [1, null] };
      await cluster.join(before, 'room');
      a.io.emit('first');
      await before.event('first');
      await breakOff(cluster, before);
      const length = await cluster.redis.command('XLEN', 'socket.io');
      a.io.emit('all', 1, 'ä');
      a.io.to('room').emit('room', { deep: [1.5, null] });
      a.io.to('another').emit('not');
      a.io.except('room').emit('not');
      a.io.to(before.id).emit('own');
      a.io.to(['another', 'room']).emit('bytes', BYTES, { more: BYTES });
      await until('the entries', async () => (await cluster.redis.command('XLEN', 'socket.io')) === length + 6);
      const after = await comeBack(cluster, before, b);
      assert.equal(after.socket.recovered, true);
      assert.equal(after.id, before.id);
      assert.deepEqual([...after.peer.rooms].sort(), [before.id, 'room'].sort());
      assert.equal(after.peer.data.name, 'Zoë');
      assert.deepEqual(Buffer.from(after.peer.data.bytes), BYTES);
      assert.deepEqual(after.peer.data.list, [1, null]);
      b.io.to('room').emit('live');
      b.io.emit('end');
      assert.deepEqual(withoutOffsets(await after.until('end')), [
        ['all', 1, 'ä'],
        ['room', { deep: [1.5, null] }],
        ['own'],
        ['bytes', BYTES, { more: BYTES }],
        ['live'],
      ]);
    });

    adapterTest('a session that nobody knows is a new one', async () => {
      const [a, b] = cluster.nodes;
      const before = await cluster.connect(a);
      a.io.emit('first');
      await before.event('first');
      await breakOff(cluster, before);
      for (const what of [{ pid: 'unknown' }, { offset: '1-1' }, { offset: 'nonsense' }]) {
        const after = await comeBack(cluster, before, b, what);
        assert.equal(after.socket.recovered, false);
        assert.notEqual(after.id, before.id);
      }
    });
  },
  RECOVERY,
);

describe('recovery of ours', LIMIT, () => {
  it('brings none twice and leaves none out, while several servers broadcast', async () => {
    await withAdapterCluster(['native', 'native'], RECOVERY, async (cluster) => {
      let client = await cluster.connect(cluster.nodes[0]);
      await cluster.join(client, 'room');
      cluster.nodes[0].io.emit('first');
      await client.event('first');
      const { id } = client;
      let isOver = false;
      const counts = [0, 0];
      const sending = cluster.nodes.map(async ({ io }, at) => {
        while (!isOver) {
          for (let i = 0; i < 5; i++) io.to(i % 2 ? 'room' : id).emit('count', at, counts[at]++);
          await delay(1);
        }
      });
      /** @type {any[][]} */
      const heard = [];
      for (let round = 0; round < 30; round++) {
        await delay(round);
        await breakOff(cluster, client);
        const { socket } = client;
        heard.push(...(await heardBy(client)));
        client = await comeBack(cluster, client, cluster.nodes[(round + 1) % 2]);
        assert.equal(client.socket.recovered, true, `round ${round}, ${/** @type {any} */ (socket)._lastOffset}`);
      }
      isOver = true;
      await Promise.all(sending);
      await cluster.settled();
      cluster.nodes[0].io.emit('end');
      heard.push(...(await client.until('end')));
      for (const sender of [0, 1]) {
        const numbers = heard.filter(([name, at]) => name === 'count' && at === sender).map(([, , number]) => number);
        assert.deepEqual(
          numbers,
          Array.from({ length: counts[sender] }, (_, i) => i),
        );
      }
    });
  });

  it('does not bring again what was volatile or acknowledged', async () => {
    await withAdapterCluster(['native', 'native'], RECOVERY, async (cluster) => {
      const [a, b] = cluster.nodes;
      const before = await cluster.connect(a);
      before.answers('question', () => 'yes');
      a.io.emit('first');
      await before.event('first');
      a.io.volatile.emit('volatile', 1);
      assert.equal(await before.peer.emitWithAck('question', 1), 'yes');
      await before.event('volatile');
      await breakOff(cluster, before);
      const after = await comeBack(cluster, before, b, { offset: offsetOf(before) });
      assert.equal(after.socket.recovered, true);
      b.io.emit('end');
      assert.deepEqual(await after.until('end'), []);
    });
  });

  it('is given up where too much was missed', async () => {
    const settings = { ...RECOVERY, opts: { recovery: { packets: 5 } } };
    await withAdapterCluster(['native', 'native'], settings, async (cluster) => {
      const [a, b] = cluster.nodes;
      const before = await cluster.connect(a);
      a.io.emit('first');
      await before.event('first');
      await breakOff(cluster, before);
      for (let i = 0; i < 6; i++) a.io.emit('count', i);
      await until('the entries', async () => (await cluster.redis.command('XLEN', 'socket.io')) === 7);
      const after = await comeBack(cluster, before, b);
      assert.equal(after.socket.recovered, false);
      assert.notEqual(after.id, before.id);
    });
  });
});

describe('recovery where Redis has no GETDEL, as before 6.2', LIMIT, () => {
  it('brings a client back', async (t) => {
    const fixture = await createFixture(t, ['--rename-command', 'GETDEL', '']);
    const factory = createStreamsAdapter(fixture.redis.url);
    const node = await fixture.node({ factory, server: RECOVERY.serverOptions });
    await factory.ready();
    const before = await fixture.client(node);
    before.peer.join('room');
    node.io.emit('first');
    await before.event('first');
    const cluster = { redis: fixture.redis, keep: (/** @type {any} */ client) => client };
    await breakOff(cluster, before);
    node.io.to('room').emit('missed');
    const after = await comeBack(cluster, before, /** @type {any} */ (node));
    fixture.after(() => after.manager._close());
    assert.equal(after.socket.recovered, true);
    node.io.emit('end');
    assert.deepEqual(withoutOffsets(await after.until('end')), [['missed']]);
    // It cannot be taken twice.
    await until(
      'the session to be gone',
      async () => (await fixture.redis.command('KEYS', 'sio:session:*')).length === 0,
    );
  });
});

/** What a client that is gone has heard and not told yet. */
async function heardBy(client) {
  const heard = [];
  for (;;) {
    try {
      heard.push(['count', ...(await client.event('count'))]);
    } catch {
      return heard;
    }
  }
}

/** The last offset that a client has got, whatever came behind it. */
function offsetOf(client) {
  return client.socket._lastOffset;
}
