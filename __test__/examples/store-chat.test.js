'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { redisFor, start } = require('./run.js');
const { hearing, join } = require('./store.js');
const { LIMIT } = require('../support/limits.js');

test('examples/store-chat: two nodes, what is said on one is heard on both', LIMIT, async (t) => {
  const redis = await redisFor(t);
  const [a, b] = await Promise.all([start(t, 'store-chat', { redis }), start(t, 'store-chat', { redis })]);
  await hearing(redis, 2);
  const ada = await join(t, a);
  const bob = await join(t, b);
  assert.deepEqual([ada.node, bob.node], [...a.nodes, ...b.nodes]);

  await ada.client.ask('name', 'Ada');
  await ada.client.emit('say', 'hellö');
  const said = { name: 'Ada', text: 'hellö', node: ada.node };
  for (const { client } of [ada, bob]) assert.deepEqual(await client.event('said'), [said]);

  await bob.client.emit('say', 'hi');
  for (const { client } of [ada, bob])
    assert.deepEqual(await client.event('said'), [{ name: 'guest', text: 'hi', node: bob.node }]);
});
