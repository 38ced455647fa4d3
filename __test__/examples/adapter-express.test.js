'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { hearing, join, start } = require('./adapter.js');
const { redisFor } = require('./run.js');
const { LIMIT } = require('../support/limits.js');

test('examples/adapter-express: a route tells the clients of all nodes, and knows who is there', LIMIT, async (t) => {
  const redis = await redisFor(t);
  const [a, b] = await Promise.all([start(t, 'adapter-express', { redis }), start(t, 'adapter-express', { redis })]);
  await hearing(redis, 2);
  const ada = await join(t, a);
  const bob = await join(t, b, ['polling', 'websocket']);

  const url = `http://127.0.0.1:${a.port}`;
  assert.match(await (await fetch(url)).text(), /socket\.io\.js/);
  assert.match(await (await fetch(`${url}/socket.io/socket.io.js`)).text(), /Socket\.IO v4/);
  assert.equal(
    (await fetch(`${url}/say`, { method: 'POST', body: new URLSearchParams({ text: 'hällo' }) })).status,
    204,
  );
  const said = { name: 'the server', text: 'hällo', node: ada.node };
  for (const { client } of [ada, bob]) assert.deepEqual(await client.event('said'), [said]);

  bob.client.socket.emit('say', 'hi');
  for (const { client } of [ada, bob])
    assert.deepEqual(await client.event('said'), [{ name: 'guest', text: 'hi', node: bob.node }]);

  const people = [ada, bob].map(
    ({
      client: {
        socket: { id },
      },
      node,
    }) => ({ id, node }),
  );
  const byId = (x, y) => (x.id < y.id ? -1 : 1);
  for (const { port } of [a, b]) {
    const there = await (await fetch(`http://127.0.0.1:${port}/people`)).json();
    assert.deepEqual(there.sort(byId), [...people].sort(byId));
  }

  const health = await fetch(`${url}/health`);
  assert.deepEqual([health.status, (await health.json()).sub.state], [200, 'connected']);
});
