'use strict';

/** The data of a client, written by one node and read by the other. */

const assert = require('node:assert/strict');
const { it } = require('node:test');
const { TRANSPORTS, connect } = require('../../support/store-client');
const { describePairs } = require('../../support/store-cluster');

const EXPIRATION = 1000;
const VALUES = {
  plain: 'value',
  empty: '',
  'ключ 🔑': 'Zoë\u0000\r\n"€"',
  number: 42,
  fraction: 0.1,
  big: 1e21,
  yes: true,
  nothing: null,
  list: [1, 2, [3]],
  object: { a: 1 },
  long: 'x'.repeat(100000),
};

describePairs(
  'session',
  (cluster) => {
    it('set, get, has and del', async () => {
      const [a, b] = cluster.nodes;
      const { id } = await cluster.connect(a);
      for (const [key, value] of Object.entries(VALUES)) {
        assert.equal(await a.call('session', id, 'set', key, value), 1, key);
        assert.equal(await b.call('session', id, 'get', key), String(value), key);
        assert.equal(await b.call('session', id, 'has', key), true, key);
      }
      assert.equal(await b.call('session', id, 'set', 'plain', 'another'), 0);
      assert.equal(await a.call('session', id, 'get', 'plain'), 'another');
      assert.equal(await b.call('session', id, 'del', 'plain'), 1);
      assert.equal(await a.call('session', id, 'del', 'plain'), 0);
      assert.equal(await a.call('session', id, 'get', 'plain'), null);
      assert.equal(await a.call('session', id, 'has', 'plain'), false);
      assert.deepEqual((await cluster.redis.command('HKEYS', id)).sort(), Object.keys(VALUES).slice(1).sort());
    });

    it('every client has its own', async () => {
      const [a, b] = cluster.nodes;
      const one = await cluster.connect(a);
      const two = await cluster.connect(b);
      await a.call('session', one.id, 'set', 'name', 'one');
      assert.equal(await b.call('session', two.id, 'get', 'name'), null);
      assert.equal(await b.call('session', one.id, 'get', 'name'), 'one');
    });

    for (const transport of TRANSPORTS) {
      it(`expires some time after the client has gone (${transport})`, async () => {
        const [a, b] = cluster.nodes;
        const client = await connect(a, { transport });
        const { id } = client;
        await a.call('session', id, 'set', 'name', 'Zoë');
        assert.equal(await cluster.redis.command('TTL', id), -1);
        await client.close();
        await a.saw('disconnect', { id });
        await a.call('session', 'somebody', 'get', 'name'); // the reply comes after EXPIRE has been carried out
        const ttl = await cluster.redis.command('TTL', id);
        assert.ok(ttl > 0 && ttl <= EXPIRATION, `TTL ${ttl}`);
        assert.equal(await b.call('session', id, 'get', 'name'), 'Zoë');
      });
    }

    // The last one: it ends a node.
    it('goes with the node that had it', async () => {
      const [a, b] = cluster.nodes;
      await a.call('session', 'left', 'set', 'name', 'Zoë');
      await b.call('session', 'kept', 'set', 'name', 'Zoë');
      await a.close();
      assert.equal(await cluster.redis.command('EXISTS', 'left'), 0);
      assert.equal(await b.call('session', 'kept', 'get', 'name'), 'Zoë');
    });
  },
  { expiration: EXPIRATION },
);
