'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { hearing, join, start } = require('./adapter.js');
const { redisFor } = require('./run.js');
const { LIMIT } = require('../support/limits.js');

test('examples/adapter-nestjs: what is said to the gateway of one node is heard on both', LIMIT, async (t) => {
  const redis = await redisFor(t);
  const [a, b] = await Promise.all([start(t, 'adapter-nestjs', { redis }), start(t, 'adapter-nestjs', { redis })]);
  await hearing(redis, 2);
  const ada = await join(t, a);
  const bob = await join(t, b);
  assert.deepEqual([ada.node, bob.node], [...a.nodes, ...b.nodes]);
  for (const { client, node } of [ada, bob]) {
    client.socket.emit('say', 'hellö');
    for (const each of [ada, bob])
      assert.deepEqual(await each.client.event('said'), [{ name: 'guest', text: 'hellö', node }]);
  }
});
