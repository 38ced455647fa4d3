'use strict';

/** Clients that come back get what a StreamsEmitter has emitted meanwhile, from servers of both packages. */

process.env.ADAPTER_WIRE = 'streams';

const assert = require('node:assert/strict');
const { StreamsEmitter } = require('../..');
const { PAIRS, adapterTest, describeAdapterClusters } = require('../support/adapter-cluster');
const { until } = require('../support/load');
const { breakOff, comeBack, withoutOffsets } = require('../support/recovery');

describeAdapterClusters(
  'what an emitter has emitted',
  PAIRS,
  (cluster) => {
    adapterTest('is brought to a client that comes back, in order', async () => {
      const [a, b] = cluster.nodes;
      const emitter = cluster.keep(new StreamsEmitter(cluster.redis.url));
      const before = await cluster.connect(a);
      await cluster.join(before, 'room');
      emitter.emit('first');
      await before.event('first');
      await breakOff(cluster, before);
      const length = await cluster.redis.command('XLEN', 'socket.io');
      emitter.emit('all', 1, 'ä');
      emitter.to('room').emit('room', { deep: [1.5, null] });
      emitter.to('another').emit('not');
      emitter.except('room').emit('not');
      emitter.of('/chat').emit('not');
      a.io.to('room').emit('of a server');
      await until('the entries', async () => (await cluster.redis.command('XLEN', 'socket.io')) === length + 6);
      emitter.to(before.id).emit('binary', Buffer.from('part'));
      await until('the last one', async () => (await cluster.redis.command('XLEN', 'socket.io')) === length + 7);
      const after = await comeBack(cluster, before, b);
      assert.equal(after.socket.recovered, true);
      emitter.emit('live');
      emitter.emit('end');
      const heard = withoutOffsets(await after.until('end'));
      // Which of two publishers is the first is for Redis to say.
      const ofServer = heard.findIndex(([event]) => event === 'of a server');
      heard.splice(ofServer, 1);
      assert.ok(ofServer >= 0);
      assert.deepEqual(heard, [
        ['all', 1, 'ä'],
        ['room', { deep: [1.5, null] }],
        ['binary', Buffer.from('part')],
        ['live'],
      ]);
    });
  },
  { serverOptions: { connectionStateRecovery: {} } },
);
