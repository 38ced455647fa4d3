'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');

const { parseEndpoint } = require('../../lib/endpoint');
const {
  assertInvalid,
  CALLBACK_CLIENTS,
  DEFAULTS,
  HOST,
  identity,
  ignore,
  IOREDIS_CLIENTS,
  PEM,
  pkcs8,
  PLAIN_TLS,
  PORT,
  quiet,
  read,
  SOCKET,
} = require('./endpoints');
const { LIMIT } = require('../support/limits');

for (const name of CALLBACK_CLIENTS) {
  describe(name, LIMIT, () => {
    const redis = require(name);
    const create = (...args) => quiet(redis.createClient(...args));
    const major = Number(name.split('-')[1]);

    it('defaults', () => {
      assert.deepEqual(read(create()), { ...DEFAULTS, host: HOST });
    });

    it('host and port', () => {
      assert.deepEqual(read(create(PORT, '10.0.0.1')), { ...DEFAULTS, host: '10.0.0.1', port: PORT });
      assert.equal(read(create(String(PORT), HOST)).port, PORT);
    });

    it('is recognised without its module, and with it', () => {
      const client = create(PORT, HOST);
      assert.equal(parseEndpoint('redisPub', client).client, client);
      assert.equal(parseEndpoint('redisPub', client, redis).client, client);
    });

    it('auth() and select() later in the same tick', async () => {
      const client = create(PORT, HOST);
      const endpoint = parseEndpoint('redisPub', client);
      client.auth('secret');
      client.select(7, ignore);
      client.select(3, ignore);
      await null;
      assert.deepEqual(endpoint.read(), { ...DEFAULTS, host: HOST, port: PORT, password: 'secret', db: 3 });
    });

    it('a waiting SELECT beats the answered one, which a reconnect must not lose', () => {
      const client = create(PORT, HOST);
      client.selected_db = 5;
      assert.equal(read(client).db, 5);
      client.select('6', ignore);
      assert.equal(read(client).db, 6);
    });

    it('the queues stay as they were', () => {
      const client = create(PORT, HOST);
      client.select(3, ignore);
      client.set('key', 'value', ignore);
      const before = client.offline_queue.length;
      read(client);
      assert.equal(client.offline_queue.length, before);
      assert.equal(client.offline_queue.shift().command, 'select');
    });

    it('a Unix socket', () => {
      assert.equal(read(create(SOCKET)).path, SOCKET);
    });

    if (major < 2) {
      it('the database of before, while it reconnects', () => {
        const client = create(PORT, HOST);
        client.selected_db = null;
        client.old_state = { selected_db: 4 };
        assert.equal(read(client).db, 4);
      });
    }

    if (name !== 'redis-0.7') {
      it('a password in its options', () => {
        assert.equal(read(create(PORT, HOST, { auth_pass: 'secret' })).password, 'secret');
      });
    }

    if (major >= 2) {
      it('an options object', () => {
        const endpoint = read(create({ host: HOST, port: PORT, password: 'secret', db: 2 }));
        assert.deepEqual(endpoint, { ...DEFAULTS, host: HOST, port: PORT, password: 'secret', db: 2 });
        assert.equal(read(create({ path: SOCKET })).path, SOCKET);
      });

      it('a URL', () => {
        const endpoint = read(create(`redis://:p%40ss@${HOST}:${PORT}/4`));
        assert.deepEqual(endpoint, { ...DEFAULTS, host: HOST, port: PORT, password: 'p@ss', db: 4 });
        assert.equal(read(create({ url: `redis://${HOST}:${PORT}?db=5` })).db, 5);
      });

      it('TLS', () => {
        const client = create({
          host: HOST,
          port: PORT,
          tls: { ca: PEM, servername: 'x.test', rejectUnauthorized: false },
        });
        assert.deepEqual(read(client).tls, {
          ...PLAIN_TLS,
          system: false,
          ca: [],
          servername: 'x.test',
          rejectUnauthorized: false,
        });
        assert.deepEqual(read(create({ port: PORT, tls: { host: '127.0.0.2' } })).host, '127.0.0.2');
      });

      it('refuses a stream of its own', () => {
        assertInvalid(quiet(new redis.RedisClient({ port: PORT }, create(PORT).stream)), 'redisPub', /URL/);
      });
    }
  });
}

describe('redis-3', LIMIT, () => {
  const create = (...args) => quiet(require('redis-3').createClient(...args));

  it('users, in options, in a URL and through auth()', () => {
    const byOptions = read(create({ port: PORT, user: 'bob', password: 'secret' }));
    assert.deepEqual([byOptions.username, byOptions.password], ['bob', 'secret']);
    const byUrl = read(create(`redis://bob:secret@${HOST}:${PORT}`));
    assert.deepEqual([byUrl.username, byUrl.password], ['bob', 'secret']);
    const client = create(PORT);
    client.auth('secret', 'bob', ignore);
    assert.deepEqual([read(client).username, read(client).password], ['bob', 'secret']);
  });

  it('rediss://', () => {
    assert.deepEqual(read(create(`rediss://${HOST}:${PORT}`)).tls, PLAIN_TLS);
  });
});

for (const name of IOREDIS_CLIENTS) {
  describe(name, LIMIT, () => {
    const Redis = require(name);
    const create = (...args) => quiet(new Redis(...args));

    it('defaults', () => {
      assert.deepEqual(read(create()), DEFAULTS);
      assert.deepEqual(read(create({ lazyConnect: true })), DEFAULTS);
    });

    it('is recognised without its module, and with it', () => {
      const client = create(PORT);
      assert.equal(parseEndpoint('redisPub', client).client, client);
      assert.equal(parseEndpoint('redisPub', client, Redis).client, client);
    });

    it('host and port, a user and a database', () => {
      assert.deepEqual(read(create(PORT, HOST, { username: 'bob', password: 'secret', db: 2 })), {
        ...DEFAULTS,
        host: HOST,
        port: PORT,
        username: 'bob',
        password: 'secret',
        db: 2,
      });
    });

    it('a URL', () => {
      const endpoint = read(create(`redis://:p%40ss@${HOST}:${PORT}/4`));
      assert.deepEqual(endpoint, { ...DEFAULTS, host: HOST, port: PORT, password: 'p@ss', db: 4 });
    });

    it('a Unix socket', () => {
      assert.equal(read(create(SOCKET)).path, SOCKET);
      assert.equal(read(create({ path: SOCKET })).path, SOCKET);
    });

    for (const lazyConnect of [false, true]) {
      it(`auth() and select() later in the same tick, lazyConnect ${lazyConnect}`, async () => {
        const client = create({ port: PORT, lazyConnect, db: 1 });
        const endpoint = parseEndpoint('redisPub', client);
        client.auth('secret').catch(ignore);
        client.select(7).catch(ignore);
        client.select(3).catch(ignore);
        await null;
        assert.deepEqual(endpoint.read(), { ...DEFAULTS, port: PORT, password: 'secret', db: 3 });
        client.auth('bob', 'secret 2').catch(ignore);
        assert.deepEqual([endpoint.read().username, endpoint.read().password], ['bob', 'secret 2']);
      });
    }

    it('the database of before, while it reconnects', () => {
      const client = create({ lazyConnect: true, db: 1 });
      client.condition = { select: 1 };
      client.prevCondition = { select: 4 };
      assert.equal(read(client).db, 4);
      client.prevCondition = null;
      client.condition = { select: 5 };
      assert.equal(read(client).db, 5);
    });

    it('TLS', () => {
      const { cert, key } = identity();
      const files = { ca: PEM, cert, key, servername: 'x.test' };
      const client = create({ lazyConnect: true, tls: { ...files, rejectUnauthorized: false, port: PORT } });
      assert.deepEqual(read(client).tls, {
        ...PLAIN_TLS,
        system: false,
        ca: [],
        cert,
        key: pkcs8(key),
        servername: 'x.test',
        rejectUnauthorized: false,
      });
      assert.equal(read(client).port, PORT);
      assert.deepEqual(read(create('rediss://h.test', { lazyConnect: true })).tls, PLAIN_TLS);
      const profile = read(create({ lazyConnect: true, tls: 'RedisCloudFixed' })).tls;
      assert.match(profile.ca[0], /BEGIN CERTIFICATE/);
    });

    it('a name', () => {
      assert.equal(read(create({ lazyConnect: true, connectionName: 'chat', name: 'main' })).name, 'chat');
      assert.equal(read(create({ lazyConnect: true })).name, null);
    });

    it('a prefix of keys', () => {
      const client = create({ lazyConnect: true, keyPrefix: 'app:' });
      assert.equal(parseEndpoint('redisPub', client).keyPrefix, 'app:');
      assert.equal(parseEndpoint('redisPub', create({ lazyConnect: true })).keyPrefix, '');
    });

    it('refuses a connector of its own', () => {
      class Connector {
        disconnect() {}
      }
      assertInvalid(create({ Connector, lazyConnect: true }), 'redisPub', /pass host and port/);
    });
  });
}

describe('the redis option', LIMIT, () => {
  it('makes an instance of its RedisClient a client, whatever it looks like', () => {
    class RedisClient {
      constructor() {
        Object.assign(this, { host: 'fake.test', port: 6380, auth_pass: 'secret', selected_db: 2 });
      }
    }
    const client = new RedisClient();
    assert.deepEqual(read(client, { RedisClient }), {
      ...DEFAULTS,
      host: 'fake.test',
      port: 6380,
      password: 'secret',
      db: 2,
    });
    assertInvalid(client, 'redisPub', /not a known Redis client/);
  });

  it('does not make a client of an options object', () => {
    assert.equal(parseEndpoint('redisPub', { port: PORT }, require('redis-0.7')).client, null);
    assert.equal(parseEndpoint('redisPub', { port: PORT }, 'nonsense').client, null);
  });
});
