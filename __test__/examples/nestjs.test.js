'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { redisFor } = require('./run.js');
const { hearing4, join4, start4 } = require('./run-4.js');

test('examples/nestjs: what is said to the gateway of one node is heard on both', async (t) => {
  const redis = await redisFor(t);
  const [a, b] = await Promise.all([start4(t, 'nestjs', { redis }), start4(t, 'nestjs', { redis })]);
  await hearing4(redis, 2);
  const ada = await join4(t, a);
  const bob = await join4(t, b);
  assert.deepEqual([ada.node, bob.node], [...a.nodes, ...b.nodes]);
  for (const { client, node } of [ada, bob]) {
    client.socket.emit('say', 'hellö');
    for (const each of [ada, bob]) assert.deepEqual(await each.client.event('said'), [{ name: 'guest', text: 'hellö', node }]);
  }
});
