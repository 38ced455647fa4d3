'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { hearing, joinCluster, start } = require('./adapter.js');
const { redisFor } = require('./run.js');
const { LIMIT } = require('../support/limits.js');

const WORKERS = 3;
const TRANSPORTS = [['websocket'], ['polling'], ['polling', 'websocket']];
const MAX_CLIENTS = 30;

test('examples/adapter-cluster: clients behind one port hear each other, polling or not', LIMIT, async (t) => {
  const redis = await redisFor(t);
  const cluster = await start(t, 'adapter-cluster', { redis, workers: WORKERS });
  await hearing(redis, WORKERS);

  // The least busy worker gets the next client, as far as the primary has heard of the last.
  const joined = [];
  const spread = () => new Set(joined.map(({ node }) => node)).size;
  while (joined.length < TRANSPORTS.length || spread() < WORKERS) {
    assert.ok(joined.length < MAX_CLIENTS, 'a worker gets no clients');
    joined.push(await joinCluster(t, cluster, TRANSPORTS[joined.length % TRANSPORTS.length]));
  }
  assert.ok(joined.every(({ node }) => cluster.nodes.includes(node)));
  for (const { client, node } of joined) {
    client.socket.emit('say', 'hellö');
    const said = { name: 'guest', text: 'hellö', node };
    for (const each of joined) assert.deepEqual(await each.client.event('said'), [said]);
  }
});
