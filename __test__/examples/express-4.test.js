'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { redisFor } = require('./run.js');
const { hearing4, join4, start4 } = require('./run-4.js');

test('examples/express-4: a route tells the clients of all nodes, and knows who is there', async (t) => {
  const redis = await redisFor(t);
  const [a, b] = await Promise.all([start4(t, 'express-4', { redis }), start4(t, 'express-4', { redis })]);
  await hearing4(redis, 2);
  const ada = await join4(t, a);
  const bob = await join4(t, b, ['polling', 'websocket']);

  const url = `http://127.0.0.1:${a.port}`;
  assert.match(await (await fetch(url)).text(), /socket\.io\.js/);
  assert.match(await (await fetch(`${url}/socket.io/socket.io.js`)).text(), /Socket\.IO v4/);
  assert.equal((await fetch(`${url}/say`, { method: 'POST', body: new URLSearchParams({ text: 'hällo' }) })).status, 204);
  const said = { name: 'the server', text: 'hällo', node: ada.node };
  for (const { client } of [ada, bob]) assert.deepEqual(await client.event('said'), [said]);

  bob.client.socket.emit('say', 'hi');
  for (const { client } of [ada, bob]) assert.deepEqual(await client.event('said'), [{ name: 'guest', text: 'hi', node: bob.node }]);

  const people = [ada, bob].map(({ client: { socket: { id } }, node }) => ({ id, node }));
  const byId = (x, y) => (x.id < y.id ? -1 : 1);
  for (const { port } of [a, b]) {
    const there = await (await fetch(`http://127.0.0.1:${port}/people`)).json();
    assert.deepEqual(there.sort(byId), [...people].sort(byId));
  }

  const health = await fetch(`${url}/health`);
  assert.deepEqual([health.status, (await health.json()).sub.state], [200, 'connected']);
});
