'use strict';

/** Stores and adapters on a cluster, whatever stands for it; beside official nodes where there are some. */

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');
const official = require('@socket.io/redis-adapter');

const { createAdapter } = require('../../..');
const { slotOf } = require('../../../dev/redis-cluster');
const { cleanup, closeAll, within } = require('../../support/load');
const { ask, connected, inbox, subscribe } = require('../../support/stores');
const { LIMIT } = require('../../support/limits');
const {
  KINDS,
  clusterAs,
  connections,
  hold,
  ioredisCluster,
  serverWith,
  startCluster,
  storeOn,
  together,
  until,
} = require('./fixture');

/** @type {Awaited<ReturnType<typeof startCluster>>} */
let cluster;
before(async () => {
  cluster = await startCluster();
});
after(() => cluster?.stop());

/** Stores that publish to each other, and have sessions in many slots. */
async function assertStores(endpoint) {
  const stores = [storeOn(endpoint()), storeOn(endpoint())];
  const [here, there] = stores;
  try {
    await Promise.all(stores.map(connected));
    const received = inbox();
    await subscribe(there, 'news', received);
    here.publish('news', 'ä', [1, { two: null }]);
    assert.deepEqual(await within('the news', received.next()), ['ä', [1, { two: null }]]);
    const ids = Array.from({ length: 50 }, (_, i) => `session-${i}`);
    for (const id of ids) assert.deepEqual(await ask(here.client(id), 'set', 'id', id), [null, 1]);
    for (const id of ids) {
      assert.deepEqual(await ask(there.client(id), 'get', 'id'), [null, id]);
      assert.deepEqual(await ask(there.client(id), 'has', 'id'), [null, true]);
      assert.deepEqual(await ask(there.client(id), 'del', 'id'), [null, 1]);
    }
  } finally {
    await closeAll(...stores);
  }
}

/** A server with our adapter and one with the official one, which count and ask each other. */
async function assertServers(t, endpoint) {
  const clean = cleanup(t);
  hold(clean);
  const clients = [0, 1].map(() => ioredisCluster('ioredis-5', cluster.urls));
  const [pub, sub] = clients;
  clean(() => clients.forEach((client) => client.disconnect()));
  await Promise.all(clients.map((client) => client.connect()));
  const servers = [serverWith(createAdapter(endpoint(), endpoint())), serverWith(official.createAdapter(pub, sub))];
  clean(() => Promise.all(servers.map((io) => io.close())));
  await together(...servers);
  const [ours, theirs] = servers;
  for (const [from, to] of [
    [ours, theirs],
    [theirs, ours],
  ]) {
    to.once('question', (text, answer) => answer(`${text}!`));
    assert.deepEqual(await from.serverSideEmitWithAck('question', 'ä'), ['ä!']);
  }
}

describe('a cluster', LIMIT, () => {
  for (const kind of KINDS) {
    it(`from ${kind}, for stores`, () => assertStores(() => clusterAs(kind, cluster)));
    it(`from ${kind}, for adapters`, (t) => assertServers(t, () => clusterAs(kind, cluster)));
  }

  it('leaves no connection behind', async () => {
    await assertStores(() => clusterAs('options', cluster));
    await until('all connections to be closed', async () => (await connections(cluster)).length === 0);
  });
});

describe('a cluster with a password', LIMIT, () => {
  it('is entered by stores and adapters', async (t) => {
    const clean = cleanup(t);
    hold(clean);
    const secret = await startCluster({ password: 'secret', replicas: 0 });
    clean(() => secret.stop());
    for (const kind of KINDS) await assertStores(() => clusterAs(kind, { urls: secret.urls }));
    const urls = secret.urls.map((url) => url.replace(':secret@', ''));
    await assertStores(() => clusterAs('options', { urls, password: 'secret' }));
    const servers = [0, 1].map(() => serverWith(createAdapter(clusterAs('redis-5', { urls, password: 'secret' }), {})));
    clean(() => Promise.all(servers.map((io) => io.close())));
    await together(...servers);
  });
});

describe('a cluster whose nodes announce names that lead nowhere', LIMIT, () => {
  const host = 'nowhere.invalid';
  /** @type {Awaited<ReturnType<typeof startCluster>>} */
  let hidden;
  let map;
  before(async () => {
    const args = ['--cluster-announce-hostname', host, '--cluster-preferred-endpoint-type', 'hostname'];
    hidden = await startCluster({ args });
    map = Object.fromEntries(
      hidden.nodes.map((node) => [`${host}:${node.port}`, { host: node.host, port: node.port }]),
    );
  });
  after(() => hidden?.stop());

  for (const kind of KINDS.filter((each) => each !== 'a list of URLs')) {
    it(`is reached with the map of ${kind}`, () => assertStores(() => clusterAs(kind, { urls: hidden.urls, map })));
  }

  it('is reached with a function that maps', async () => {
    const options = () => ({ cluster: hidden.urls, nodeAddressMap: (address) => map[address] });
    await assertStores(options);
  });

  it('is followed there by MOVED and ASK', async (t) => {
    const clean = cleanup(t);
    const store = storeOn({ cluster: hidden.urls, nodeAddressMap: map });
    clean(() => closeAll(store));
    await connected(store);
    const key = 'wanderer';
    const from = await hidden.masterOf(slotOf(key));
    const to = /** @type {any} */ ((await hidden.masters()).find((node) => node !== from));
    assert.deepEqual(await ask(store.client(key), 'set', 'before', 1), [null, 1]);
    await hidden.migrateSlot(slotOf(key), to.port, {
      async during() {
        // A key that is there answers, one that is not is asked for at the other.
        assert.deepEqual(await ask(store.client(key), 'get', 'before'), [null, '1']);
        const other = `{${key}}`;
        assert.deepEqual(await ask(store.client(other), 'set', 'during', 2), [null, 1]);
        assert.deepEqual(await ask(store.client(other), 'get', 'during'), [null, '2']);
      },
    });
    assert.deepEqual(await ask(store.client(key), 'get', 'before'), [null, '1']);
    assert.deepEqual(await ask(store.client(`{${key}}`), 'get', 'during'), [null, '2']);
  });
});
