'use strict';

/** Endpoints of clusters: client objects, options, arrays. */

const assert = require('node:assert/strict');
const dns = require('node:dns');
const { describe, it } = require('node:test');

const { parseEndpoint } = require('../../lib/endpoint');
const {
  assertInvalid,
  DEFAULTS,
  HOST,
  IOREDIS_CLIENTS,
  PLAIN_TLS,
  PORT,
  PROMISE_CLIENTS,
  quiet,
  read,
  SOCKET,
} = require('./endpoints');
const { LIMIT } = require('../support/limits');

const NODES = [
  { host: 'a.test', port: 7000 },
  { host: 'b.test', port: 7001 },
];
const URLS = NODES.map(({ host, port }) => `redis://${host}:${port}`);
const CLUSTER = { ...DEFAULTS, ...NODES[0], cluster: { nodes: NODES } };
const MAPPED = { host: HOST, port: PORT };

/** Without the number that is the map's. */
const entriesOf = ({ addressMap }) => addressMap.entries;

for (const name of PROMISE_CLIENTS) {
  describe(`createCluster of ${name}`, LIMIT, () => {
    const redis = require(name);
    const create = (options) => quiet(redis.createCluster(options));

    it('root nodes, by URL and by socket', () => {
      const [first, second] = NODES;
      const cluster = create({ rootNodes: [{ url: URLS[0] }, { socket: second }] });
      assert.deepEqual(read(cluster), CLUSTER);
      assert.deepEqual(read(create({ rootNodes: [{ socket: first }] })).cluster, { nodes: [first] });
      assert.equal(parseEndpoint('redisPub', cluster).client, cluster);
    });

    it('user, password, TLS and name in defaults', () => {
      const defaults = { username: 'bob', password: 'secret', name: 'chat', socket: { tls: true, host: 'x.test' } };
      assert.deepEqual(read(create({ rootNodes: URLS.map((url) => ({ url })), defaults })), {
        ...CLUSTER,
        username: 'bob',
        password: 'secret',
        name: 'chat',
        tls: PLAIN_TLS,
      });
    });

    it('user, password and TLS that all root nodes have', () => {
      const rootNodes = NODES.map(({ host, port }) => ({ url: `rediss://bob:secret@${host}:${port}` }));
      const expected = { ...CLUSTER, username: 'bob', password: 'secret', tls: PLAIN_TLS };
      assert.deepEqual(read(create({ rootNodes })), expected);
      const mixed = create({ rootNodes: [...rootNodes, { url: URLS[0] }] });
      assertInvalid(mixed, 'redisPub.rootNodes[2]', /in the same way/);
    });

    it('a map of addresses', async () => {
      const rootNodes = [{ url: URLS[0] }];
      const nodeAddressMap = { '10.0.0.1:6379': MAPPED, '2001:db8::1:6379': MAPPED };
      const cluster = create({ rootNodes, nodeAddressMap });
      assert.deepEqual(entriesOf(read(cluster)), [
        { from: '10.0.0.1:6379', ...MAPPED },
        { from: '[2001:db8::1]:6379', ...MAPPED },
      ]);
      const again = read(create({ rootNodes, nodeAddressMap })).addressMap.id;
      assert.equal(read(cluster).addressMap.id, again, 'clients with one map share a connection');
      assert.notEqual(read(create({ rootNodes, nodeAddressMap: { ...nodeAddressMap } })).addressMap.id, again);

      const asked = [];
      const map = (address) => {
        asked.push(address);
        if (address === 'none') return undefined;
        if (address === 'broken') throw new Error('no map');
        return address === 'odd' ? { host: '', port: 'x' } : MAPPED;
      };
      const { ask, entries } = read(create({ rootNodes, nodeAddressMap: map })).addressMap;
      assert.deepEqual(entries, []);
      assert.deepEqual(await ask('[2001:db8::1]:6379'), MAPPED);
      for (const address of ['none', 'broken', 'odd']) assert.equal(await ask(address), null);
      assert.deepEqual(asked, ['2001:db8::1:6379', 'none', 'broken', 'odd']);
    });

    it('a duplicate, and one with other options of commands', () => {
      const cluster = create({ rootNodes: URLS.map((url) => ({ url })) });
      assert.deepEqual(read(quiet(cluster.duplicate())), CLUSTER);
      if (cluster.withCommandOptions) assert.deepEqual(read(cluster.withCommandOptions({})), CLUSTER);
    });

    it('is as it was afterwards', () => {
      const cluster = create({ rootNodes: [{ url: URLS[0] }], defaults: { password: 'secret' } });
      const prototype = Object.getPrototypeOf(cluster);
      const before = Object.getOwnPropertyDescriptors(prototype);
      read(cluster);
      assert.deepEqual(Object.getOwnPropertyDescriptors(prototype), before);
      assert.ok(quiet(cluster.duplicate()) instanceof cluster.constructor);
    });

    it('is refused with a database, a path, or a map that is none', () => {
      const rootNodes = [{ url: URLS[0] }];
      assertInvalid(create({ rootNodes, defaults: { database: 1 } }), 'redisPub', /only database 0/);
      assertInvalid(create({ rootNodes: [{ url: `${URLS[0]}/1` }] }), 'redisPub', /only database 0/);
      assertInvalid(create({ rootNodes: [{ socket: { path: SOCKET } }] }), 'redisPub.rootNodes[0]', /no path/);
      assertInvalid(create({ rootNodes, nodeAddressMap: { x: 5 } }), "redisPub.nodeAddressMap['x']", /host, port/);
      assertInvalid(create({ rootNodes: [] }), 'redisPub.rootNodes', /at least one/);
    });
  });
}

describe('createCluster of redis-6', LIMIT, () => {
  it('a prefix of keys', () => {
    const cluster = quiet(require('redis-6').createCluster({ rootNodes: [{ url: URLS[0] }], keyPrefix: 'app:' }));
    assert.equal(parseEndpoint('redisPub', cluster).keyPrefix, 'app:');
  });

  it('a provider of credentials', async () => {
    const credentialsProvider = {
      type: 'async-credentials-provider',
      credentials: async () => ({ password: 'secret' }),
    };
    const cluster = require('redis-6').createCluster({
      rootNodes: [{ url: URLS[0] }],
      defaults: { credentialsProvider },
    });
    assert.equal((await read(quiet(cluster)).preparation.ask()).password, 'secret');
  });
});

for (const name of IOREDIS_CLIENTS) {
  describe(`the Cluster of ${name}`, LIMIT, () => {
    const Redis = require(name);
    const create = (nodes, options) => quiet(new Redis.Cluster(nodes, { lazyConnect: true, ...options }));

    it('startup nodes in every form', () => {
      const nodes = [
        7000,
        '7001',
        'a.test:7002',
        'redis://b.test:7003',
        { host: 'c.test', port: '7004' },
        { port: 7005 },
      ];
      assert.deepEqual(read(create(nodes)).cluster.nodes, [
        { host: HOST, port: 7000 },
        { host: HOST, port: 7001 },
        { host: 'a.test', port: 7002 },
        { host: 'b.test', port: 7003 },
        { host: 'c.test', port: 7004 },
        { host: HOST, port: 7005 },
      ]);
      assert.deepEqual(read(create(NODES)), CLUSTER);
    });

    it('user, password, TLS, name and prefix', () => {
      const redisOptions = { username: 'bob', password: 'secret', tls: {}, connectionName: 'chat', keyPrefix: 'app:' };
      const cluster = create(NODES, { redisOptions });
      assert.deepEqual(read(cluster), {
        ...CLUSTER,
        username: 'bob',
        password: 'secret',
        name: 'chat',
        tls: PLAIN_TLS,
      });
      assert.equal(parseEndpoint('redisPub', cluster).keyPrefix, 'app:');
      assert.equal(parseEndpoint('redisPub', create(NODES, { keyPrefix: 'top:' })).keyPrefix, 'top:');
    });

    it('a map of addresses', () => {
      assert.deepEqual(entriesOf(read(create(NODES, { natMap: { 'h:1': MAPPED } }))), [{ from: 'h:1', ...MAPPED }]);
    });

    it('a look-up, which is asked for each node', async () => {
      const answers = { 'a.test': [HOST, 4], 'b.test': ['::1', 6] };
      const dnsLookup = (host, found) => found(null, ...answers[host]);
      const { preparation } = read(create(NODES, { dnsLookup }));
      assert.deepEqual((await preparation.ask('a.test')).addresses, [HOST]);
      assert.deepEqual((await preparation.ask('b.test')).addresses, ['::1']);
      assert.deepEqual((await preparation.ask('10.0.0.1')).addresses, [], 'an address needs none');
      assert.equal(read(create(NODES, { dnsLookup })).preparation.id, preparation.id);
    });

    it('the look-up of managed servers, which leaves names as they are', async () => {
      const { preparation } = read(create(NODES, { dnsLookup: (host, found) => found(null, host) }));
      assert.deepEqual((await preparation.ask('a.test')).addresses, []);
    });

    it("needs no question for Node's own look-up", () => {
      assert.equal(read(create(NODES)).preparation, null);
      assert.equal(read(create(NODES, { dnsLookup: dns.lookup })).preparation, null);
    });

    it('is refused with a database, or SRV records', () => {
      assertInvalid(create(NODES, { redisOptions: { db: 1 } }), 'redisPub', /only database 0/);
      assertInvalid(create(NODES, { useSRVRecords: true }), 'redisPub.useSRVRecords', /host and port/);
    });
  });
}

describe('options of a cluster', LIMIT, () => {
  it('nodes by URL and by host and port', () => {
    assert.deepEqual(read({ cluster: URLS }), CLUSTER);
    assert.deepEqual(read({ cluster: [new URL(URLS[0]), NODES[1]] }), CLUSTER);
    assert.deepEqual(read({ rootNodes: URLS.map((url) => ({ url })) }), CLUSTER);
  });

  it('the same options as for one server', () => {
    const options = { username: 'bob', password: 'secret', tls: true, clientName: 'chat', keyPrefix: 'app:' };
    const expected = { ...CLUSTER, username: 'bob', password: 'secret', tls: PLAIN_TLS, name: 'chat' };
    assert.deepEqual(read({ cluster: URLS, ...options }), expected);
    assert.equal(parseEndpoint('redisPub', { cluster: URLS, ...options }).keyPrefix, 'app:');
    assert.deepEqual(read({ cluster: URLS, host: 'x.test', port: 1 }), CLUSTER, 'host and port have no say');
  });

  it('an array', () => {
    assert.deepEqual(read(URLS), CLUSTER);
    const [first, second] = URLS.map((url) => url.replace('redis://', 'rediss://bob:secret@'));
    assert.deepEqual(read([first, second]), { ...CLUSTER, username: 'bob', password: 'secret', tls: PLAIN_TLS });
  });

  it('URLs that say TLS, with its options beside them', () => {
    const cluster = URLS.map((url) => url.replace('redis:', 'rediss:'));
    const tls = { ...PLAIN_TLS, servername: 'x.test' };
    assert.deepEqual(read({ cluster, tls: { servername: 'x.test' } }), { ...CLUSTER, tls });
  });

  it('maps of addresses under both names, and a look-up', async () => {
    for (const option of ['natMap', 'nodeAddressMap'])
      assert.deepEqual(entriesOf(read({ cluster: URLS, [option]: { 'h:1': MAPPED } })), [{ from: 'h:1', ...MAPPED }]);
    const dnsLookup = (host, found) => found(null, HOST, 4);
    assert.deepEqual((await read({ cluster: URLS, dnsLookup }).preparation.ask('a.test')).addresses, [HOST]);
  });

  const refused = [
    [[], 'redisPub'],
    [[5], 'redisPub[0]'],
    [[URLS[0], URLS[1].replace('//', '//:secret@')], 'redisPub[1]'],
    [[`unix://${SOCKET}`], 'redisPub[0]'],
    [[`${URLS[0]}/1`], 'redisPub'],
    [['a.test:7000'], 'redisPub[0].url'],
    [{ cluster: [] }, 'redisPub.cluster'],
    [{ cluster: URLS[0] }, 'redisPub.cluster'],
    [{ cluster: URLS, db: 1 }, 'redisPub'],
    [{ cluster: URLS, prot: 1 }, 'redisPub.prot'],
    [{ cluster: [{ host: 'a.test', prot: 1 }] }, 'redisPub.cluster[0].prot'],
    [{ cluster: URLS, sentinels: NODES, name: 'main' }, 'redisPub.sentinels'],
    [{ cluster: URLS, natMap: 5 }, 'redisPub.natMap'],
    [{ cluster: URLS, dnsLookup: 5 }, 'redisPub.dnsLookup'],
    [{ cluster: URLS, redisOptions: {} }, 'redisPub.redisOptions'],
    [{ rootNodes: [] }, 'redisPub.rootNodes'],
    [{ rootNodes: [{ url: URLS[0] }], defaults: { prot: 1 } }, 'redisPub.defaults.prot'],
  ];

  for (const [options, option] of refused) {
    it(`refuses ${option} of ${JSON.stringify(options)}`, () => assertInvalid(options, option));
  }
});
