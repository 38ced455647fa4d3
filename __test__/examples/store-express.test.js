'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { redisFor, start } = require('./run.js');
const { hearing, join } = require('./store.js');
const { LIMIT } = require('../support/limits.js');

test('examples/store-express: a route tells the clients of all nodes', LIMIT, async (t) => {
  const redis = await redisFor(t);
  const [a, b] = await Promise.all([start(t, 'store-express', { redis }), start(t, 'store-express', { redis })]);
  await hearing(redis, 2);
  const ada = await join(t, a);
  const bob = await join(t, b);

  const url = `http://127.0.0.1:${a.port}`;
  assert.match(await (await fetch(url)).text(), /socket\.io\.js/);
  assert.equal(
    (await fetch(`${url}/say`, { method: 'POST', body: new URLSearchParams({ text: 'hällo' }) })).status,
    204,
  );
  const said = { name: 'the server', text: 'hällo', node: ada.node };
  for (const { client } of [ada, bob]) assert.deepEqual(await client.event('said'), [said]);

  await bob.client.emit('say', 'hi');
  for (const { client } of [ada, bob])
    assert.deepEqual(await client.event('said'), [{ name: 'guest', text: 'hi', node: bob.node }]);

  const health = await fetch(`${url}/health`);
  assert.deepEqual([health.status, (await health.json()).sub.state], [200, 'connected']);
});
