'use strict';

/** What the test suite of `@socket.io/redis-adapter` looks at, of its adapter and of ours. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const official = require('@socket.io/redis-adapter');
const ours = require('../../..');
const { LIMIT, SHORT } = require('../../support/limits');
const { until } = require('../../support/load');
const { createFixture } = require('../faults/fixture');

const CLASSES = { official: official.RedisAdapter, node: ours.RedisAdapter };

/** Three servers with a client each. */
async function setUp(t, kind) {
  const fixture = await createFixture(t);
  const nodes = [];
  for (let i = 0; i < 3; i++) nodes.push(await fixture[kind]());
  const clients = await Promise.all(nodes.map((node) => fixture.client(node)));
  const adapters = nodes.map((node) => node.adapter());
  return { fixture, nodes, clients, adapters };
}

for (const kind of ['official', 'node']) {
  describe(kind, LIMIT, () => {
    it('adapters are of the class that the package exports', async (t) => {
      const { adapters } = await setUp(t, kind);
      for (const adapter of adapters) assert.ok(adapter instanceof CLASSES[kind]);
    });

    it('requests are a map, and none is left when all have answered', async (t) => {
      const { adapters, clients } = await setUp(t, kind);
      clients[0].peer.join('woot1');
      const rooms = await adapters[0].allRooms();
      assert.deepEqual([...rooms].sort(), [...clients.map(({ id }) => id), 'woot1'].sort());
      assert.equal(adapters[0].requests.size, 0);
    });

    it('so are broadcasts with acknowledgements', async (t) => {
      const { nodes, adapters, clients } = await setUp(t, kind);
      for (const [i, client] of clients.entries()) client.answers('ask', () => i);
      const asked = nodes[0].io.timeout(SHORT).emitWithAck('ask');
      assert.equal(adapters[0].ackRequests.size, 1);
      assert.deepEqual((await asked).sort(), [0, 1, 2]);
    });

    it('requestsTimeout may be changed: serverSideEmit to one that does not answer', async (t) => {
      const { nodes, adapters } = await setUp(t, kind);
      adapters[0].requestsTimeout = 1000;
      nodes[0].io.on('hello', () => assert.fail('not here'));
      const heard = new Promise((resolve) => nodes[2].io.on('hello', resolve));
      nodes[1].io.on('hello', (done) => done(2));
      const answer = new Promise((resolve) => {
        nodes[0].io.serverSideEmit('hello', (...args) => resolve(args));
      });
      await heard;
      assert.equal(adapters[0].requests.size, 1, 'while it waits');
      const [error, responses] = await answer;
      assert.equal(error.message, 'timeout reached: only 1 responses received out of 2');
      assert.deepEqual(responses, [2]);
      await until('no request to wait', () => adapters[0].requests.size === 0);
    });

    it('fetchSockets gives those here as they are, and others as they were', async (t) => {
      const { nodes, clients } = await setUp(t, kind);
      clients[1].peer.data = 'test';
      const sockets = await nodes[0].io.fetchSockets();
      assert.equal(sockets.length, 3);
      const found = (client) => sockets.find(({ id }) => id === client.id);
      assert.equal(found(clients[0]), clients[0].peer);
      assert.notEqual(found(clients[1]), clients[1].peer);
      assert.deepEqual(found(clients[1]).handshake, JSON.parse(JSON.stringify(clients[1].peer.handshake)));
      assert.equal(found(clients[1]).data, 'test');
      assert.deepEqual(found(clients[1]).rooms, new Set([clients[1].id]));
    });

    it('close() leaves all channels', async (t) => {
      const { fixture, adapters } = await setUp(t, kind);
      const channels = await fixture.channels();
      assert.equal(channels.filter((name) => !/native|heartbeat/.test(name)).length, 5, 'two of all, one of each');
      await Promise.all(adapters.map((adapter) => adapter.close()));
      await until('no channel', async () => (await fixture.channels()).length === 0);
    });
  });
}

describe('an object with a misspelt option', LIMIT, () => {
  it('is no endpoint, wherever it stands', () => {
    for (const args of [
      [{ requestTimeout: 100 }],
      ['redis://localhost', { requestTimeout: 100 }],
      ['redis://localhost', undefined, { requestTimeout: 100 }],
      [undefined, { keyy: 'chat' }],
      [{ socket: { hots: 'localhost' } }],
    ]) {
      assert.throws(() => ours.createAdapter(...args), { name: 'TypeError', code: 'ERR_INVALID_OPTION' });
    }
  });
});
