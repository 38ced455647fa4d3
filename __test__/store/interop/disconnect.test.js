'use strict';

/** A client hangs on one node and is disconnected at the other. */

const assert = require('node:assert/strict');
const { it } = require('node:test');
const { TRANSPORTS, post, request } = require('../../support/store-client');
const { describePairs } = require('../../support/store-cluster');

describePairs('disconnect', (cluster) => {
  /**
   * A client which is known everywhere, also as a member of a room, and can hear.
   * @param {any} node
   * @param {string} transport
   */
  async function member(node, transport) {
    const client = await cluster.listener(node, transport);
    await node.run('sockets', ['socket', client.id], ['join', 'room']);
    await cluster.barrier(node);
    for (const each of cluster.nodes) {
      const { handshaken, connected, rooms } = await each.call('state', client.id);
      assert.deepEqual([handshaken !== null, connected, rooms], [true, true, ['', '/room']], each.name);
    }
    return client;
  }

  /** @param {string} id of a client of which no node knows any more */
  async function assertForgotten(id) {
    for (const node of cluster.nodes) {
      const { handshaken, connected, open, rooms, transport } = await node.call('state', id);
      assert.deepEqual([handshaken, connected, open, rooms, transport], [null, false, false, [], false], node.name);
    }
  }

  for (const transport of TRANSPORTS) {
    it(`by a request ?disconnect (${transport})`, async () => {
      const [a, b] = cluster.nodes;
      const client = await member(b, transport);
      const answer = await request(a, `${transport}/${client.id}?disconnect=1`);
      assert.deepEqual(answer, { status: 200, body: '' });
      await a.published('disconnect-force', client.id);
      await client.disconnected();
      await b.saw('disconnect', { id: client.id, reason: 'booted' });
      await b.published('disconnect-remote', client.id);
      await cluster.barrier(b);
      await assertForgotten(client.id);
    });

    it(`by its own packet (${transport})`, async () => {
      const [a, b] = cluster.nodes;
      const client = await member(b, transport);
      await post(a, client.id, '0::');
      await a.published('disconnect-force', client.id);
      await client.disconnected();
      await b.saw('disconnect', { id: client.id, reason: 'booted' });
      await cluster.barrier(b);
      await assertForgotten(client.id);
    });

    it(`from a namespace, by server code (${transport})`, async () => {
      const [a, b] = cluster.nodes;
      const client = await member(b, transport);
      await a.run(['of', '/chat'], ['socket', client.id], ['disconnect']);
      assert.equal((await client.disconnected()).endpoint, '/chat');
      assert.equal((await b.call('state', client.id)).connected, true);
    });

    it(`from a namespace, by its own packet (${transport})`, async () => {
      const [a, b] = cluster.nodes;
      const client = await cluster.connect(b, { transport });
      await client.enter('/chat');
      await cluster.barrier(b);
      assert.deepEqual((await a.call('state', client.id)).rooms, ['', '/chat']);
      await post(a, client.id, '0::/chat');
      await b.saw('disconnect', { id: client.id, nsp: '/chat', reason: 'packet' });
      await cluster.barrier(b);
      assert.deepEqual((await a.call('state', client.id)).rooms, ['']);
    });
  }

  it('by server code (websocket)', async () => {
    const [a, b] = cluster.nodes;
    const client = await member(b, 'websocket');
    await a.run('sockets', ['socket', client.id], ['disconnect']);
    await a.published('disconnect-remote', client.id);
    await b.saw('disconnect', { id: client.id, reason: undefined });
    await assertForgotten(client.id);
  });

  it('by server code (xhr-polling)', async () => {
    const [a, b] = cluster.nodes;
    const client = await cluster.poller(a, b); // 0.9 would never answer a poll that is open
    await a.run('sockets', ['socket', client.id], ['disconnect']);
    await a.published('disconnect-remote', client.id);
    await b.saw('disconnect', { id: client.id, reason: undefined });
    await assertForgotten(client.id);
    assert.equal(await client.poll(b), '7:::1+0'); // client not handshaken: reconnect
  });
});
