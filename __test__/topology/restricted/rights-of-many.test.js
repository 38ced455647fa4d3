'use strict';

/** The least rights beside those for one server: on a cluster, and on Sentinels. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { RedisStore, createAdapter, createShardedAdapter } = require('../../..');
const { startCluster } = require('../../../dev/redis-cluster');
const { LIMIT, PATIENCE, SHORT } = require('../../support/limits');
const { EventLog, cleanup, closeAll, until, within } = require('../../support/load');
const { hold, serverWith, storeOn, together } = require('../cluster/fixture');
const sentinels = require('../sentinel/fixture');

const STORE = ['+publish', '+subscribe', '+unsubscribe', '+hget', '+hset', '+hdel', '+hexists', '+del', '+expire'];
const CLASSIC = ['+publish', '+subscribe', '+unsubscribe', '+psubscribe', '+punsubscribe', '+pubsub|numsub'];
const SHARDED = ['+spublish', '+ssubscribe', '+sunsubscribe', '+pubsub|shardnumsub'];
const CLUSTER = ['+cluster|slots'];
/** What each kind of adapter needs on each node. @type {{ name: string, create: any, rights: string[] }[]} */
const ADAPTERS = [
  {
    name: 'createAdapter',
    create: createAdapter,
    rights: [...CLASSIC, '&socket.io#/#*', '&socket.io-request#/#', '&socket.io-response#/#*'],
  },
  { name: 'createShardedAdapter', create: createShardedAdapter, rights: [...SHARDED, '&socket.io#/#*'] },
];

/** Has a user on each of these servers that may do nothing else. */
function allow(/** @type {any[]} */ nodes, /** @type {string} */ user, /** @type {string[]} */ ...rules) {
  const command = ['ACL', 'SETUSER', user, 'reset', 'on', '>pw', '-@all', ...rules];
  return Promise.all(nodes.map(({ server }) => server.command(...command)));
}

/** @param {any} store @param {string} id @param {string} method @param {any[]} args */
function call(store, id, method, ...args) {
  const called = new Promise((resolve, reject) => {
    store.client(id)[method](...args, (error, value) => (error ? reject(error) : resolve(value)));
  });
  return within(`the answer to ${method}`, called, () => store.stats());
}

/** Nothing has happened but that connections came up. */
function assertQuiet(/** @type {EventLog} */ eventLog) {
  const told = eventLog.events.filter(({ event }) => event !== 'connect');
  assert.deepEqual(told, []);
}

/** @param {import('node:test').TestContext} t */
async function setUp(t) {
  const after = cleanup(t);
  hold(after);
  const cluster = await startCluster({ replicas: 0 });
  after(() => cluster.stop());
  return { after, cluster, endpoint: { cluster: cluster.urls, username: 'app', password: 'pw' } };
}

describe('on a cluster', LIMIT, () => {
  for (const { name, create, rights } of ADAPTERS) {
    it(`${name} works with the least rights`, async (t) => {
      const { after, cluster, endpoint } = await setUp(t);
      await allow(cluster.nodes, 'app', ...rights, ...CLUSTER);
      const factories = [1, 2].map(() => create(endpoint, { requestsTimeout: PATIENCE }));
      const servers = factories.map((factory) => serverWith(factory));
      after(() => Promise.all(factories.map((factory) => factory.close())));
      after(() => Promise.all(servers.map((io) => io.close())));
      const eventLogs = servers.map((io) => new EventLog(/** @type {any} */ (io.of('/').adapter)));
      await Promise.all(factories.map((factory) => factory.ready()));
      await together(...servers);
      const heard = new Promise((resolve) => servers[1].on('news', resolve));
      servers[0].serverSideEmit('news', 1);
      assert.equal(await within('the news', heard), 1);
      assert.deepEqual(await servers[0].fetchSockets(), []);
      eventLogs.forEach(assertQuiet);
    });
  }

  /** A store sets what is on a slot that moves: the old owner sends it on. */
  async function setOnMovingSlot(t, ...more) {
    const { after, cluster, endpoint } = await setUp(t);
    await allow(cluster.nodes, 'app', ...STORE, ...CLUSTER, ...more, '~*', 'allchannels');
    const store = storeOn(endpoint, { commandTimeout: more.length > 0 ? PATIENCE : SHORT });
    after(() => closeAll(store));
    const eventLog = new EventLog(store);
    for (const id of ['a', 'b', 'c', 'd']) {
      await call(store, id, 'set', 'key', 'value');
      assert.equal(await call(store, id, 'get', 'key'), 'value');
    }
    const slot = cluster.slotOf('fresh');
    const from = await cluster.masterOf(slot);
    const to = cluster.nodes.find((node) => node !== from);
    await to.server.command('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', from.id);
    await from.server.command('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', to.id);
    return { eventLog, set: call(store, 'fresh', 'set', 'key', 'value') };
  }

  it('a store works with the least rights, also while a slot moves', async (t) => {
    const { eventLog, set } = await setOnMovingSlot(t, '+asking');
    assert.equal(await set, 1);
    assertQuiet(eventLog);
  });

  it('a store without the right to ASKING waits while a slot moves', async (t) => {
    const { set } = await setOnMovingSlot(t);
    await assert.rejects(set, { code: 'ERR_COMMAND_TIMEOUT' });
  });
});

describe('with Sentinels', LIMIT, () => {
  const QUESTIONS = ['get-master-addr-by-name', 'master', 'sentinels'].map((name) => `+sentinel|${name}`);

  it('a store works with the least rights', async (t) => {
    const { all, after, options } = await sentinels.createFixture(t);
    await allow(all.sentinels, 'watch', ...QUESTIONS, '+subscribe', '&+switch-master');
    await allow(all.data, 'app', ...STORE, '~*', 'allchannels');
    const entering = { username: 'app', password: 'pw', sentinelUsername: 'watch', sentinelPassword: 'pw' };
    const endpoint = { ...options, ...entering };
    const store = new RedisStore({ redisPub: endpoint, redisSub: endpoint, redisClient: endpoint });
    after(() => closeAll(store));
    const eventLog = new EventLog(store);
    assert.equal(await call(store, 'id', 'set', 'key', 'value'), 1);
    await eventLog.next('connect', 'sub', undefined, 0);
    assertQuiet(eventLog);
    // Redis confirms what replicas do not have yet.
    const [replica] = await all.replicas();
    await until('the replica has it', async () => (await replica.server.command('HGET', 'id', 'key')) === 'value');
    const since = eventLog.events.length;
    await all.failover();
    await eventLog.next('connect', 'pub', undefined, since);
    await eventLog.next('connect', 'sub', undefined, since);
    assert.equal(await call(store, 'id', 'get', 'key'), 'value');
  });
});
