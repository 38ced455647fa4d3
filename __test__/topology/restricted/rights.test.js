'use strict';

/** The least rights that a user of Redis needs: with exactly those all works, and without one of them it is told. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { RedisStore, createAdapter, createShardedAdapter } = require('../../..');
const { createFixture } = require('../../adapter/faults/fixture');
const { LIMIT, PATIENCE } = require('../../support/limits');
const { EventLog, until } = require('../../support/load');
const { ask, subscribe } = require('../../support/stores');

const CLASSIC = ['&socket.io-request#/#', '&socket.io-response#/#*'];
const NATIVE = ['&socket.io-native#/#*', '&socket.io-heartbeat'];
const PUB_SUB = ['+publish', '+subscribe', '+unsubscribe', '+pubsub|numsub'];
/** What each kind of adapter needs. @type {{ name: string, create: any, mode: string, rights: string[], channels: string[] }[]} */
const ADAPTERS = [
  {
    name: "createAdapter, 'pattern'",
    create: createAdapter,
    mode: 'pattern',
    rights: [...PUB_SUB, '+psubscribe', '+punsubscribe'],
    channels: ['&socket.io#/#*', ...CLASSIC],
  },
  {
    name: "createAdapter, 'dynamic'",
    create: createAdapter,
    mode: 'dynamic',
    rights: PUB_SUB,
    channels: ['&socket.io#/#*', ...CLASSIC],
  },
  {
    name: "createAdapter, 'dynamic-private'",
    create: createAdapter,
    mode: 'dynamic-private',
    rights: PUB_SUB,
    channels: ['&socket.io#/#*', ...CLASSIC],
  },
  ...['static', 'dynamic', 'dynamic-private'].map((mode) => ({
    name: `createShardedAdapter, '${mode}'`,
    create: createShardedAdapter,
    mode,
    rights: ['+spublish', '+ssubscribe', '+sunsubscribe', '+pubsub|shardnumsub'],
    channels: ['&socket.io#/#*'],
  })),
];

/** @param {import('node:test').TestContext} t @param {string[]} rules all that the user may do */
async function setUp(t, rules) {
  const fixture = await createFixture(t);
  await fixture.redis.command('ACL', 'SETUSER', 'app', 'on', '>pw', '-@all', 'resetkeys', 'resetchannels', ...rules);
  return { fixture, url: `redis://app:pw@127.0.0.1:${fixture.redis.port}` };
}

/** Nothing has happened but that connections came up. */
function assertQuiet(/** @type {EventLog} */ eventLog) {
  assert.deepEqual(
    eventLog.events.filter(({ event }) => event !== 'connect'),
    [],
  );
}

for (const { name, create, mode, rights, channels } of ADAPTERS) {
  describe(name, LIMIT, () => {
    const open = async (fixture, url) => {
      const opts = { subscriptionMode: mode, requestsTimeout: PATIENCE };
      const node = await fixture.node({ factory: create(url, opts), connects: false });
      await node.adapter().ready();
      return node;
    };

    for (const [what, more] of /** @type {[string, string[]][]} */ ([
      ['these alone', []],
      ['the channels of this package', NATIVE],
    ])) {
      it(`works with the least rights, and ${what}`, async (t) => {
        const { fixture, url } = await setUp(t, [...rights, ...channels, ...more]);
        const [a, b] = [await open(fixture, url), await open(fixture, url)];
        const [here, there] = [await fixture.client(a), await fixture.client(b)];
        await there.peer.join('room');
        for (const to of [a.io, a.io.to('room'), a.io.to(there.id)]) {
          to.emit('news', 1);
          assert.deepEqual(await there.event('news'), [1]);
        }
        assert.deepEqual(await Promise.all([here.event('news')]), [[1]]);
        assert.equal(await a.adapter().serverCount(), 2);
        assert.equal((await b.io.fetchSockets()).length, 2);
        there.peer.leave('room');
        [a, b].forEach((node) => assertQuiet(node.eventLog()));
      });
    }

    it('says which right is missing', async (t) => {
      const { fixture, url } = await setUp(t, [...rights, ...channels]);
      const node = await open(fixture, url);
      const subscribes =
        rights.find((right) => /^\+[ps]?subscribe$/.test(right) && right !== '+subscribe') ?? '+subscribe';
      await fixture.redis.command('ACL', 'SETUSER', 'app', subscribes.replace('+', '-'));
      const refused = await fixture.node({
        factory: create(url, { subscriptionMode: mode }),
        connects: false,
      });
      const { error } = await refused.eventLog().next('error', 'sub', undefined, 0);
      assert.equal(error.code, 'ERR_SUBSCRIPTION_REFUSED');
      assert.match(error.message, new RegExp(`${subscribes.slice(1)}.*NOPERM`, 'i'));
      assertQuiet(node.eventLog());
      await fixture.redis.command('ACL', 'SETUSER', 'app', '-pubsub');
      await assert.rejects(node.adapter().serverCount(), { code: 'ERR_REDIS_REPLY', message: /PUBSUB.*NOPERM/ });
      const publishes = rights.find((right) => right.endsWith('publish'))?.replace('+', '-');
      await fixture.redis.command('ACL', 'SETUSER', 'app', publishes);
      const since = node.eventLog().events.length;
      node.io.emit('news', 1);
      const told = await node.eventLog().next('error', 'pub', undefined, since);
      assert.deepEqual([told.code, /PUBLISH.*NOPERM/.test(told.error.message)], ['ERR_REDIS_REPLY', true]);
    });
  });
}

describe('RedisStore', LIMIT, () => {
  const RIGHTS = ['+publish', '+subscribe', '+unsubscribe', '+hget', '+hset', '+hdel', '+hexists', '+del', '+expire'];

  it('works with the least rights', async (t) => {
    const { fixture, url } = await setUp(t, [...RIGHTS, '~*', 'allchannels']);
    const stores = [1, 2].map(() => new RedisStore({ redisPub: url, redisSub: url, redisClient: url }));
    fixture.after(() => Promise.all(stores.map((store) => store.destroy())));
    const logs = stores.map((store) => new EventLog(store));
    const heard = [];
    await subscribe(stores[1], 'news', (...args) => heard.push(args));
    stores[0].publish('news', 1);
    await until('a message', () => heard.length > 0);
    assert.deepEqual(heard, [[1]]);
    const client = stores[0].client('1');
    assert.deepEqual(await ask(client, 'set', 'key', 'value'), [null, 1]);
    assert.deepEqual(await ask(client, 'get', 'key'), [null, 'value']);
    assert.deepEqual(await ask(client, 'has', 'key'), [null, true]);
    assert.deepEqual(await ask(client, 'del', 'key'), [null, 1]);
    assert.deepEqual(await ask(client, 'get', 'key'), [null, null]);
    client.destroy(1);
    stores[1].unsubscribe('news');
    logs.forEach(assertQuiet);
  });

  it('says which right is missing', async (t) => {
    const { fixture, url } = await setUp(t, [...RIGHTS, '-hset', '~*', 'allchannels']);
    const store = new RedisStore({ redisPub: url, redisSub: url, redisClient: url });
    fixture.after(() => store.destroy());
    const [error] = await ask(store.client('1'), 'set', 'key', 'value');
    assert.equal(error.code, 'ERR_REDIS_REPLY');
    assert.match(error.message, /HSET.*NOPERM/i);
  });
});
