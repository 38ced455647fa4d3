'use strict';

/** Endpoints whose server Sentinels name: client objects and options. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');

const { parseEndpoint } = require('../../lib/endpoint');
const { assertInvalid, DEFAULTS, HOST, IOREDIS_CLIENTS, PLAIN_TLS, PORT, quiet, read } = require('./endpoints');
const { LIMIT } = require('../support/limits');

const NODES = [
  { host: 'a.test', port: 26379 },
  { host: 'b.test', port: 26380 },
];
const SENTINEL = { nodes: NODES, name: 'main', username: null, password: null, tls: null };
const MASTER = { ...DEFAULTS, ...NODES[0], sentinel: SENTINEL };
const MAPPED = { host: HOST, port: PORT };

for (const name of IOREDIS_CLIENTS) {
  describe(`Sentinels of ${name}`, LIMIT, () => {
    const Redis = require(name);
    const create = (options) => quiet(new Redis({ sentinels: NODES, name: 'main', lazyConnect: true, ...options }));

    it('where they are, and what the master is called', () => {
      const client = create();
      assert.deepEqual(read(client), MASTER);
      assert.equal(parseEndpoint('redisPub', client).client, client);
      const [sentinel] = read(create({ sentinels: [{}] })).sentinel.nodes;
      assert.deepEqual(sentinel, { host: 'localhost', port: 26379 });
    });

    it('the master is entered with user, password, database and name, and they with their own', () => {
      const client = create({
        username: 'bob',
        password: 'secret',
        db: 3,
        connectionName: 'chat',
        sentinelUsername: 'eve',
        sentinelPassword: 'other',
        keyPrefix: 'app:',
      });
      const sentinel = { ...SENTINEL, username: 'eve', password: 'other' };
      const expected = { ...MASTER, username: 'bob', password: 'secret', db: 3, name: 'chat', sentinel };
      assert.deepEqual(read(client), expected);
      assert.equal(parseEndpoint('redisPub', client).keyPrefix, 'app:');
    });

    it('TLS to the master only when it is on for this mode, and to them by its own option', () => {
      assert.equal(read(create({ tls: {} })).tls, null);
      assert.deepEqual(read(create({ tls: {}, enableTLSForSentinelMode: true })).tls, PLAIN_TLS);
      const { sentinel, tls } = read(create({ sentinelTLS: { servername: 'x.test' } }));
      assert.deepEqual(sentinel.tls, { ...PLAIN_TLS, servername: 'x.test' });
      assert.equal(tls, null);
    });

    it('a map of addresses', () => {
      const { entries } = read(create({ natMap: { 'h:1': MAPPED } })).addressMap;
      assert.deepEqual(entries, [{ from: 'h:1', ...MAPPED }]);
    });

    it('select() and auth() in the tick count', () => {
      const client = create();
      client.select(2).catch(() => {});
      client.auth('secret').catch(() => {});
      const { db, password } = read(client);
      assert.deepEqual({ db, password }, { db: 2, password: 'secret' });
    });

    it('refuses replicas: they publish nothing', () => {
      assertInvalid(create({ role: 'slave' }), 'redisPub.role', /master/);
      assert.deepEqual(read(create({ role: 'master' })), MASTER);
    });

    it("its options count as they are: its plain 'tls' too", () => {
      const { options } = create({ tls: {}, sentinelPassword: 'other' });
      assert.deepEqual(read({ ...options }), { ...MASTER, sentinel: { ...SENTINEL, password: 'other' } });
    });
  });
}

describe('createSentinel of redis-6', LIMIT, () => {
  const create = (options) =>
    quiet(require('redis-6').createSentinel({ name: 'main', sentinelRootNodes: NODES, ...options }));

  it('where they are, and what the master is called', () => {
    const client = create();
    assert.deepEqual(read(client), MASTER);
    assert.equal(parseEndpoint('redisPub', client).client, client);
  });

  it('how both are entered, a map and a prefix', () => {
    const client = create({
      nodeClientOptions: { username: 'bob', password: 'secret', database: 3, name: 'chat', socket: { tls: true } },
      sentinelClientOptions: { username: 'eve', password: 'other', socket: { tls: true, servername: 'x.test' } },
      nodeAddressMap: { 'h:1': MAPPED },
      keyPrefix: 'app:',
    });
    const endpoint = read(client);
    assert.deepEqual(endpoint.addressMap.entries, [{ from: 'h:1', ...MAPPED }]);
    const tls = { ...PLAIN_TLS, servername: 'x.test' };
    assert.deepEqual(endpoint, {
      ...MASTER,
      addressMap: endpoint.addressMap,
      username: 'bob',
      password: 'secret',
      db: 3,
      name: 'chat',
      tls: PLAIN_TLS,
      sentinel: { ...SENTINEL, username: 'eve', password: 'other', tls },
    });
    assert.equal(parseEndpoint('redisPub', client).keyPrefix, 'app:');
  });

  it('a duplicate', () => {
    assert.deepEqual(read(quiet(create().duplicate())), MASTER);
  });
});

describe('createSentinel of redis-5', LIMIT, () => {
  it('is refused, and its options do in its place', () => {
    const options = { name: 'main', sentinelRootNodes: NODES, nodeClientOptions: { password: 'secret' } };
    const client = quiet(require('redis-5').createSentinel(options));
    assertInvalid(client, 'redisPub', /pass in its place the options that it was made with/);
    assert.deepEqual(read(options), { ...MASTER, password: 'secret' });
  });
});

describe('options of Sentinels', LIMIT, () => {
  const options = { sentinels: NODES, name: 'main' };

  it('name is the master, clientName the connections', () => {
    assert.deepEqual(read(options), MASTER);
    assert.equal(read({ ...options, clientName: 'chat' }).name, 'chat');
    assert.equal(read({ ...options, connectionName: 'chat' }).name, 'chat');
  });

  it('the same options as for one server, and those of the Sentinels', () => {
    const given = { ...options, username: 'bob', password: 'secret', db: 3, tls: true };
    const expected = { ...MASTER, username: 'bob', password: 'secret', db: 3, tls: PLAIN_TLS };
    assert.deepEqual(read(given), expected);
    const entering = { sentinelUsername: 'eve', sentinelPassword: 'other', sentinelTls: true };
    const sentinel = { ...SENTINEL, username: 'eve', password: 'other', tls: PLAIN_TLS };
    assert.deepEqual(read({ ...given, ...entering }), { ...expected, sentinel });
    assert.deepEqual(read({ ...options, sentinelTLS: {} }).sentinel.tls, PLAIN_TLS);
  });

  const refused = [
    [{ ...options, sentinels: [] }, 'redisPub.sentinels'],
    [{ ...options, sentinels: 'a.test' }, 'redisPub.sentinels'],
    [{ ...options, sentinels: ['a.test'] }, 'redisPub.sentinels[0]'],
    [{ ...options, sentinels: [{ port: 0 }] }, 'redisPub.sentinels[0].port'],
    [{ sentinels: NODES }, 'redisPub.name'],
    [{ ...options, name: 5 }, 'redisPub.name'],
    [{ ...options, sentinelPassword: 5 }, 'redisPub.sentinelPassword'],
    [{ ...options, sentinelTls: { pfx: 'x' } }, 'redisPub.sentinelTls.pfx'],
    [{ ...options, role: 'slave' }, 'redisPub.role'],
    [{ ...options, prot: 1 }, 'redisPub.prot'],
    [{ name: 'main', sentinelRootNodes: [] }, 'redisPub.sentinelRootNodes'],
    [{ sentinelRootNodes: NODES }, 'redisPub.name'],
    [
      { name: 'main', sentinelRootNodes: NODES, sentinelClientOptions: { credentials: () => ({}) } },
      'redisPub.sentinelClientOptions',
    ],
  ];

  for (const [given, option] of refused) {
    it(`refuses ${option} of ${JSON.stringify(given)}`, () => assertInvalid(given, option));
  }
});
