'use strict';

/** Every way to say where a cluster is, against a real one that asks for a password: what is published arrives. */

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');

const { Server } = require('socket.io-4');

const { createAdapter, RedisStore } = require('../../..');
const { startCluster } = require('../../../dev/redis-cluster.js');
const { until } = require('../../../dev/redis-server.js');
const { LIMIT } = require('../../support/limits');
const { closeAll } = require('../../support/load');
const { assertWorks, errorOf, opened } = require('./works');

const PASSWORD = 'secret';

let cluster;
before(async () => {
  cluster = await startCluster({ replicas: 0, password: PASSWORD });
});
after(() => cluster?.stop());

const nodes = () => cluster.nodes.map(({ host, port }) => ({ host, port }));
const urls = () => nodes().map(({ host, port }) => `redis://:${PASSWORD}@${host}:${port}`);
const store = opened(RedisStore);

const kinds = {
  'an array of URLs': () => urls(),
  options: () => ({ cluster: nodes(), password: PASSWORD }),
  'options with URLs': () => ({ cluster: urls() }),
  'options, of which one node is enough': () => ({ cluster: nodes().slice(0, 1), password: PASSWORD }),
  'options, of which one node is there': () => ({
    cluster: [{ host: '127.0.0.1', port: 1 }, ...nodes().slice(1)],
    password: PASSWORD,
  }),
  // Longer than a node may take to answer.
  'credentials that take their time': () => ({
    cluster: nodes(),
    credentials: async () => {
      await sleep(1100);
      return { password: PASSWORD };
    },
  }),
  'credentials from a function': () => ({ cluster: nodes(), credentials: async () => ({ password: PASSWORD }) }),
};
for (const family of ['redis-4', 'redis-5', 'redis-6']) {
  const { createCluster } = require(family);
  kinds[`createCluster of ${family}`] = () =>
    createCluster({ rootNodes: nodes().map((socket) => ({ socket })), defaults: { password: PASSWORD } });
}
for (const family of ['ioredis-4', 'ioredis-5', 'ioredis-6']) {
  const { Cluster } = require(family);
  kinds[`the Cluster of ${family}`] = () =>
    new Cluster(nodes(), { lazyConnect: true, redisOptions: { password: PASSWORD } });
}

describe('a cluster', LIMIT, () => {
  for (const [kind, make] of Object.entries(kinds)) it(`by ${kind}`, () => assertWorks(store, make));
});

describe('a cluster of the adapter', LIMIT, () => {
  it('by an array of URLs, and by a client', async (t) => {
    const client = require('redis-6').createCluster({
      rootNodes: urls().map((url) => ({ url })),
      defaults: { password: PASSWORD },
    });
    const servers = [createAdapter(urls()), createAdapter(client, client)].map((adapter) => new Server(0, { adapter }));
    t.after(() => Promise.all(servers.map((io) => io.close())));
    for (const io of servers) await until('both count two', async () => (await io.of('/').adapter.serverCount()) === 2);
  });
});

describe('the end of a store', LIMIT, () => {
  const clients = {
    'redis-4': (redis) =>
      redis.createCluster({ rootNodes: urls().map((url) => ({ url })), defaults: { password: PASSWORD } }),
    'redis-6': (redis) =>
      redis.createCluster({ rootNodes: urls().map((url) => ({ url })), defaults: { password: PASSWORD } }),
    'ioredis-4': ({ Cluster }) => new Cluster(nodes(), { lazyConnect: true, redisOptions: { password: PASSWORD } }),
    'ioredis-6': ({ Cluster }) => new Cluster(nodes(), { lazyConnect: true, redisOptions: { password: PASSWORD } }),
  };
  for (const [family, make] of Object.entries(clients)) {
    for (const when of ['is connected', 'was never used']) {
      it(`ends a cluster of ${family} that ${when}`, async () => {
        const client = make(require(family));
        client.on('error', () => {});
        if (when === 'is connected') {
          await client.connect();
          // One of ioredis 4 that looks its nodes up while it is ended has new ones afterwards, and never ends.
          await until('its nodes are known', async () => !client.isRefreshing);
        }
        // Its status may be another one again behind that: ioredis tells of nodes that close later.
        let hasEnded = false;
        client.once('end', () => (hasEnded = true));
        const ended = new RedisStore({ redisPub: client, redisSub: client, redisClient: client });
        await closeAll(ended);
        const isOver = () =>
          typeof client.isOpen === 'boolean' ? !client.isOpen : hasEnded || client.status === 'end';
        await until('it has ended', async () => isOver());
      });
    }
  }
});

describe('a cluster whose nodes name hosts that lead nowhere from here', LIMIT, () => {
  const FAR = 'node.invalid';
  before(async () => {
    for (const { server } of cluster.nodes) {
      await server.command('CONFIG', 'SET', 'cluster-announce-hostname', FAR);
      await server.command('CONFIG', 'SET', 'cluster-preferred-endpoint-type', 'hostname');
    }
    const named = ({ server }) => server.command('CLUSTER', 'SLOTS');
    const areAll = (slots) => slots.every(([, , [host]]) => host === FAR);
    await until('all nodes name it', async () => (await Promise.all(cluster.nodes.map(named))).every(areAll));
  });

  const near = (address) => {
    const [, port] = /^node\.invalid:(\d+)$/.exec(address) ?? [];
    return port === undefined ? null : { host: '127.0.0.1', port: Number(port) };
  };
  const map = () => Object.fromEntries(nodes().map(({ host, port }) => [`${FAR}:${port}`, { host, port }]));
  const common = () => ({ cluster: nodes(), password: PASSWORD });
  const lookup = (host, found) => (host === FAR ? found(null, '127.0.0.1', 4) : found(new Error(host)));

  const ways = {
    'natMap, a function': () => ({ ...common(), natMap: near }),
    'natMap, an async function': () => ({ ...common(), natMap: async (address) => near(address) }),
    'nodeAddressMap, an object': () => ({ ...common(), nodeAddressMap: map() }),
    'dnsLookup, which is asked for each host': () => ({ ...common(), dnsLookup: lookup }),
    'natMap of ioredis-6': () =>
      new (require('ioredis-6').Cluster)(nodes(), {
        lazyConnect: true,
        redisOptions: { password: PASSWORD },
        natMap: map(),
      }),
    'nodeAddressMap of redis-4': () =>
      require('redis-4').createCluster({
        rootNodes: nodes().map((socket) => ({ socket })),
        defaults: { password: PASSWORD },
        nodeAddressMap: near,
      }),
  };
  for (const [way, make] of Object.entries(ways)) it(`by ${way}`, () => assertWorks(store, make));

  it('is not reached without', async () => {
    const error = await errorOf(store(common));
    assert.equal(error.code, 'ERR_CONNECT');
    assert.match(error.message, /node\.invalid/);
  });
});
