'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { redisFor, start } = require('./run.js');
const { hearing, joinCluster } = require('./store.js');
const { LIMIT } = require('../support/limits.js');

const WORKERS = 3;
const MAX_CLIENTS = 30;

test('examples/store-cluster: clients of different workers behind one port hear each other', LIMIT, async (t) => {
  const redis = await redisFor(t);
  const cluster = await start(t, 'store-cluster', { redis, workers: WORKERS });
  await hearing(redis, WORKERS);

  const joined = [await joinCluster(t, cluster)];
  while (joined.every(({ node }) => node === joined[0].node)) {
    assert.ok(joined.length < MAX_CLIENTS, 'all clients came to one worker');
    joined.push(await joinCluster(t, cluster));
  }
  const speaker = joined[joined.length - 1];
  assert.ok(cluster.nodes.includes(speaker.node));
  await speaker.client.emit('say', 'hello');
  const said = { name: 'guest', text: 'hello', node: speaker.node };
  for (const { client } of joined) assert.deepEqual(await client.event('said'), [said]);
});
