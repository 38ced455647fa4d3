'use strict';

const assert = require('node:assert/strict');
const { EventEmitter } = require('node:events');
const http = require('node:http');
const { after, describe, it } = require('node:test');
const tls = require('node:tls');

const { parseEndpoint } = require('../../lib/endpoint');
const { optionError } = require('../../lib/errors');

// Nothing listens here, and nothing has to: a client is only asked where it points.
const PORT = 1;
const HOST = '127.0.0.1';
const SOCKET = '/tmp/endpoint-test-no-such.sock';
const PEM = tls.rootCertificates[0];
const DEFAULTS = {
  host: 'localhost', port: 6379, path: null, username: null, password: null, db: 0, tls: null,
};
const PLAIN_TLS = {
  ca: [], cert: null, key: null, servername: null, rejectUnauthorized: true,
};

const CALLBACK_CLIENTS = ['redis-0.7', 'redis-0.8', 'redis-0.12', 'redis-2', 'redis-3'];
const PROMISE_CLIENTS = ['redis-4', 'redis-5', 'redis-6'];
const IOREDIS_CLIENTS = ['ioredis-4', 'ioredis-5', 'ioredis-6'];

/** @type {any[]} */
const open = [];
const ignore = () => {};

/** Keeps a client quiet until the tests have ended. */
function quiet(client) {
  client.on('error', ignore);
  open.push(client);
  return client;
}

/** Takes a client away without a word from its connection, which may not even have been tried yet. */
function destroy(client) {
  if (typeof client.isOpen === 'boolean') return; // redis 4 and later: never connected here
  if (client.connector || client.isCluster) {
    client.disconnect();
    return;
  }
  clearTimeout(client.retry_timer); // end() of 0.7 to 0.12 leaves it
  client.end(true);
  client.stream.on('error', ignore);
  client.stream.destroy();
}

after(() => open.forEach(destroy));

const read = (value, redisModule) => parseEndpoint('redisPub', value, redisModule).read();

function assertInvalid(value, option, pattern = /./, redisModule = undefined) {
  assert.throws(() => parseEndpoint('redisPub', value, redisModule), (error) => {
    assert.ok(error instanceof TypeError);
    assert.equal(error.code, 'ERR_INVALID_OPTION');
    assert.equal(error.option, option);
    assert.ok(error.message.includes(option), error.message);
    assert.match(error.message, pattern);
    return true;
  });
}

describe('optionError', () => {
  it('is a TypeError that names the option and says what to do', () => {
    const error = optionError('redisSub.port', 'pass a number.');
    assert.ok(error instanceof TypeError);
    assert.equal(error.code, 'ERR_INVALID_OPTION');
    assert.equal(error.option, 'redisSub.port');
    assert.equal(error.message, 'Invalid option "redisSub.port": pass a number.');
  });
});

describe('nothing', () => {
  it('is the default server', () => {
    assert.deepEqual(read(undefined), DEFAULTS);
    assert.deepEqual(read(null), DEFAULTS);
    assert.equal(parseEndpoint('redisPub', undefined).client, null);
  });
});

for (const name of CALLBACK_CLIENTS) {
  describe(name, () => {
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
        const client = create({ host: HOST, port: PORT, tls: { ca: PEM, servername: 'x.test', rejectUnauthorized: false } });
        assert.deepEqual(read(client).tls, {
          ...PLAIN_TLS, ca: [PEM], servername: 'x.test', rejectUnauthorized: false,
        });
        assert.deepEqual(read(create({ port: PORT, tls: { host: '127.0.0.2' } })).host, '127.0.0.2');
      });

      it('refuses a stream of its own', () => {
        assertInvalid(quiet(new redis.RedisClient({ port: PORT }, create(PORT).stream)), 'redisPub', /URL/);
      });
    }
  });
}

describe('redis-3', () => {
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

for (const name of PROMISE_CLIENTS) {
  describe(name, () => {
    const redis = require(name);
    const create = (options) => quiet(redis.createClient(options));

    it('defaults', () => {
      assert.deepEqual(read(create()), DEFAULTS);
      assert.deepEqual(read(create({})), DEFAULTS);
    });

    it('is recognised without its module, and with it', () => {
      const client = create();
      assert.equal(parseEndpoint('redisPub', client).client, client);
      assert.equal(parseEndpoint('redisPub', client, redis).client, client);
    });

    it('host and port, a user and a database', () => {
      const client = create({
        socket: { host: HOST, port: PORT }, username: 'bob', password: 'secret', database: 2,
      });
      assert.deepEqual(read(client), {
        ...DEFAULTS, host: HOST, port: PORT, username: 'bob', password: 'secret', db: 2,
      });
      assert.deepEqual(read(create({ password: 'secret' })), { ...DEFAULTS, password: 'secret' });
    });

    it('a URL', () => {
      assert.deepEqual(read(create({ url: `redis://bob:p%40ss@${HOST}:${PORT}/4` })), {
        ...DEFAULTS, host: HOST, port: PORT, username: 'bob', password: 'p@ss', db: 4,
      });
      assert.equal(read(create({ url: 'redis://:secret@localhost' })).password, 'secret');
      assert.equal(read(create({ url: `redis://[::1]:${PORT}` })).host, '::1');
    });

    it('a Unix socket', () => {
      assert.equal(read(create({ socket: { path: SOCKET } })).path, SOCKET);
    });

    it('TLS', () => {
      const socket = {
        host: HOST, tls: true, ca: [Buffer.from('ca 1'), 'ca 2'], cert: 'cert', key: Buffer.from('key'), servername: 'x.test',
      };
      assert.deepEqual(read(create({ socket })).tls, {
        ca: ['ca 1', 'ca 2'], cert: 'cert', key: 'key', servername: 'x.test', rejectUnauthorized: true,
      });
      assert.deepEqual(read(create({ url: 'rediss://h.test', socket: { ca: 'ca' } })).tls, { ...PLAIN_TLS, ca: ['ca'] });
      assert.equal(read(create({ socket: { host: HOST, ca: 'ca' } })).tls, null);
    });

    it('duplicates', () => {
      const client = quiet(create({ url: `redis://:secret@${HOST}:${PORT}/4` }).duplicate());
      assert.deepEqual(read(client), { ...DEFAULTS, host: HOST, port: PORT, password: 'secret', db: 4 });
    });

    it('select() and auth() before connect() fail in the client and change nothing', async () => {
      const client = create({ database: 2 });
      const endpoint = parseEndpoint('redisPub', client);
      await assert.rejects(client.select(3));
      await assert.rejects(client.auth({ username: 'bob', password: 'secret' }));
      assert.deepEqual(endpoint.read(), { ...DEFAULTS, db: 2 });
    });

    it('refuses a cluster', () => {
      const cluster = redis.createCluster({ rootNodes: [{ url: `redis://${HOST}:${PORT}` }] });
      assertInvalid(cluster, 'redisPub', /Cluster and Sentinel clients are not supported yet; pass/);
    });
  });
}

describe('redis-4', () => {
  it('the bare @redis/client has no options at all', () => {
    const client = quiet(require('@redis/client').createClient());
    assert.equal(client.options, undefined);
    assert.deepEqual(read(client), DEFAULTS);
  });
});

for (const name of ['redis-5', 'redis-6']) {
  describe(name, () => {
    const redis = require(name);
    const credentials = async () => ({ password: 'secret' });

    it('refuses a credentials provider', () => {
      for (const type of ['async-credentials-provider', 'streaming-credentials-provider']) {
        const client = quiet(redis.createClient({ credentialsProvider: { type, credentials } }));
        assertInvalid(client, 'redisPub.credentialsProvider', /not supported; pass username and password/);
      }
    });

    it('refuses sentinels and pools', () => {
      const sentinel = redis.createSentinel({ name: 'main', sentinelRootNodes: [{ host: HOST, port: PORT }] });
      assertInvalid(sentinel, 'redisPub', /not supported yet; pass/);
      assertInvalid(redis.createClientPool(), 'redisPub', /not supported yet; pass/);
    });

    it('refuses the legacy face, which hides its client', () => {
      assertInvalid(quiet(redis.createClient()).legacy(), 'redisPub', /pass a client/);
    });
  });
}

describe('redis-6', () => {
  it('a unix:// URL', () => {
    const client = quiet(require('redis-6').createClient({ url: `unix://bob:secret@${SOCKET}?db=2` }));
    assert.deepEqual(read(client), { ...DEFAULTS, path: SOCKET, username: 'bob', password: 'secret', db: 2 });
  });

  it('an instance of the RedisClient it exports', () => {
    const { RedisClient } = require('redis-6');
    assert.deepEqual(read(quiet(new RedisClient({ database: 3 })), { RedisClient }), { ...DEFAULTS, db: 3 });
  });
});

for (const name of IOREDIS_CLIENTS) {
  describe(name, () => {
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
        ...DEFAULTS, host: HOST, port: PORT, username: 'bob', password: 'secret', db: 2,
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
      const files = { ca: 'ca', cert: 'cert', key: 'key', servername: 'x.test' };
      const client = create({ lazyConnect: true, tls: { ...files, rejectUnauthorized: false, port: PORT } });
      assert.deepEqual(read(client).tls, { ...files, ca: ['ca'], rejectUnauthorized: false });
      assert.equal(read(client).port, PORT);
      assert.deepEqual(read(create('rediss://h.test', { lazyConnect: true })).tls, PLAIN_TLS);
      const profile = read(create({ lazyConnect: true, tls: 'RedisCloudFixed' })).tls;
      assert.match(profile.ca[0], /BEGIN CERTIFICATE/);
    });

    it('refuses Sentinels, a Cluster and a connector of its own', () => {
      const sentinels = [{ host: HOST, port: PORT }];
      assertInvalid(create({ sentinels, name: 'main', lazyConnect: true }), 'redisPub', /not supported yet; pass/);
      const cluster = quiet(new Redis.Cluster(sentinels, { lazyConnect: true }));
      assertInvalid(cluster, 'redisPub', /not supported yet; pass/);
      class Connector { disconnect() {} }
      assertInvalid(create({ Connector, lazyConnect: true }), 'redisPub', /pass host and port/);
    });
  });
}

describe('the redis option', () => {
  it('makes an instance of its RedisClient a client, whatever it looks like', () => {
    class RedisClient {
      constructor() { Object.assign(this, { host: 'fake.test', port: 6380, auth_pass: 'secret', selected_db: 2 }); }
    }
    const client = new RedisClient();
    assert.deepEqual(read(client, { RedisClient }), {
      ...DEFAULTS, host: 'fake.test', port: 6380, password: 'secret', db: 2,
    });
    assertInvalid(client, 'redisPub', /not a known Redis client/);
  });

  it('does not make a client of an options object', () => {
    assert.equal(parseEndpoint('redisPub', { port: PORT }, require('redis-0.7')).client, null);
    assert.equal(parseEndpoint('redisPub', { port: PORT }, 'nonsense').client, null);
  });
});

describe('URLs', () => {
  const endpoints = {
    'redis://h.test': { host: 'h.test' },
    'redis://': {},
    'redis:///2': { db: 2 },
    'REDIS://h.test:7000/': { host: 'h.test', port: 7000 },
    'redis://h.test:7000/3': { host: 'h.test', port: 7000, db: 3 },
    'redis://h.test?db=4': { host: 'h.test', db: 4 },
    'redis://h.test/4?db=4': { host: 'h.test', db: 4 },
    'redis://h.test?family=6': { host: 'h.test' },
    'redis://:secret@h.test': { host: 'h.test', password: 'secret' },
    'redis://bob@h.test': { host: 'h.test', username: 'bob' },
    'redis://b%C3%B6b:p%40%23%2F%3F@h.test': { host: 'h.test', username: 'böb', password: 'p@#/?' },
    'redis://[2001:db8::1]:7000': { host: '2001:db8::1', port: 7000 },
    'rediss://h.test': { host: 'h.test', tls: PLAIN_TLS },
    'unix:///tmp/a%20b.sock': { path: '/tmp/a b.sock' },
    'unix:///tmp/a.sock?db=2': { path: '/tmp/a.sock', db: 2 },
    'redis+unix:///tmp/a.sock': { path: '/tmp/a.sock' },
    'redis+unix://bob:p%40ss@/tmp/a.sock': { path: '/tmp/a.sock', username: 'bob', password: 'p@ss' },
  };

  for (const [url, expected] of Object.entries(endpoints)) {
    it(url, () => {
      assert.deepEqual(read(url), { ...DEFAULTS, ...expected });
      assert.deepEqual(read({ url }), { ...DEFAULTS, ...expected });
    });
  }

  it('a URL instance', () => {
    assert.deepEqual(read(new URL('redis://h.test:7000')), { ...DEFAULTS, host: 'h.test', port: 7000 });
    assert.deepEqual(read({ url: new URL('redis://h.test') }), { ...DEFAULTS, host: 'h.test' });
  });

  const refused = [
    '', ' ', 'h.test', 'localhost:6379', '6379', '/tmp/a.sock', 'redis:h.test', '//h.test', 'http://h.test',
    'redis://h.test:abc', 'redis://h.test:70000', 'redis://h.test:0', 'redis://:6379', 'redis://h.test/abc',
    'redis://h.test/-1', 'redis://h.test/1.5', 'redis://h.test/1/2', 'redis://h.test?db=', 'redis://h.test?db=x',
    'redis://h.test/1?db=2', 'redis://h.test?db=1&db=1', 'redis://h.test?bd=1', 'redis://bob:12#3@h.test',
    'redis://bob:12?3@h.test', 'redis://bob:%zz@h.test', 'unix://', 'unix:///', 'unix://tmp/a.sock', 'unix:/tmp/a.sock',
  ];

  for (const url of refused) {
    it(`refuses ${JSON.stringify(url)}`, () => {
      assertInvalid(url, 'redisPub');
      assertInvalid({ url }, 'redisPub.url');
    });
  }

  it('refuses a URL instance of another scheme', () => {
    assertInvalid(new URL('http://h.test'), 'redisPub', /redis:\/\//);
  });

  it('keeps passwords out of errors', () => {
    assert.throws(() => read('redis://bob:secret@h.test:abc'), (error) => !error.message.includes('secret'));
  });
});

describe('options objects', () => {
  it('host, port, path and database', () => {
    assert.deepEqual(read({}), DEFAULTS);
    assert.deepEqual(read({ host: 'h.test', port: 7000, db: 2 }), { ...DEFAULTS, host: 'h.test', port: 7000, db: 2 });
    assert.deepEqual(read({ port: '7000', database: '2' }), { ...DEFAULTS, port: 7000, db: 2 });
    assert.equal(read({ host: '[::1]' }).host, '::1');
    assert.equal(read({ path: SOCKET, host: 'h.test', port: 7000 }).path, SOCKET);
    assert.deepEqual(read({ host: null, port: undefined, db: null, tls: null, password: null }), DEFAULTS);
    assert.deepEqual(read(Object.assign(Object.create(null), { port: 7000 })), { ...DEFAULTS, port: 7000 });
  });

  it('credentials under every name', () => {
    for (const key of ['password', 'auth_pass', 'pass']) assert.equal(read({ [key]: 'secret' }).password, 'secret');
    for (const key of ['username', 'user']) assert.equal(read({ [key]: 'bob' }).username, 'bob');
    assert.deepEqual(read({ username: '', password: '' }), DEFAULTS);
  });

  it('the socket of redis 4', () => {
    assert.deepEqual(read({ socket: { host: 'h.test', port: 7000 } }), { ...DEFAULTS, host: 'h.test', port: 7000 });
    assert.equal(read({ socket: { path: SOCKET } }).path, SOCKET);
    assert.equal(read({ host: 'top.test', socket: { host: 'h.test' } }).host, 'top.test');
  });

  it('fields beat the URL', () => {
    const url = 'redis://bob:secret@h.test:7000/3';
    assert.deepEqual(read({
      url, host: 'x.test', port: 1, username: 'eve', password: 'other', db: 0,
    }), {
      ...DEFAULTS, host: 'x.test', port: 1, username: 'eve', password: 'other',
    });
    assert.equal(read({ url, db: 5 }).username, 'bob');
    assert.equal(read({ url, path: SOCKET }).path, SOCKET);
    assert.equal(read({ url: `unix://${SOCKET}`, host: 'x.test' }).path, null);
    assert.equal(read({ url: 'rediss://h.test', tls: false }).tls, null);
  });

  it('TLS, in its own object and beside socket.tls', () => {
    const files = { ca: [Buffer.from('a'), 'b'], cert: 'c', key: Buffer.from('d'), servername: 'x.test', rejectUnauthorized: false };
    const expected = { ca: ['a', 'b'], cert: 'c', key: 'd', servername: 'x.test', rejectUnauthorized: false };
    assert.deepEqual(read({ tls: files }).tls, expected);
    assert.deepEqual(read({ socket: { tls: true, ...files } }).tls, expected);
    assert.deepEqual(read({ socket: { tls: files } }).tls, expected);
    assert.deepEqual(read({ url: 'rediss://h.test', socket: files }).tls, expected);
    assert.deepEqual(read({ tls: true }).tls, PLAIN_TLS);
    assert.deepEqual(read({ tls: {} }).tls, PLAIN_TLS);
    assert.equal(read({ tls: { host: 'x.test' } }).host, 'x.test');
    assert.equal(read({ tls: false }).tls, null);
    assert.equal(read({ socket: files }).tls, null);
  });

  it('ignores what only those clients need', () => {
    assert.deepEqual(read({
      retryStrategy: ignore, no_ready_check: true, return_buffers: true, detect_buffers: false, enable_offline_queue: true,
      max_attempts: 3, connect_timeout: 1, socket_keepalive: true, parser: 'javascript', family: 4, keepAlive: 1,
      lazyConnect: true, name: 'x', maxRetriesPerRequest: null, RESP: 3, modules: {}, pingInterval: 1, prefix: 'x:',
      socket: { connectTimeout: 1, reconnectStrategy: ignore, noDelay: true }, sentinels: null,
    }), DEFAULTS);
  });

  it("takes any client's own options", () => {
    for (const name of IOREDIS_CLIENTS) {
      const client = quiet(new (require(name))(PORT, HOST, { lazyConnect: true }));
      assert.deepEqual(read({ ...client.options }), { ...DEFAULTS, host: HOST, port: PORT });
    }
    for (const name of ['redis-2', 'redis-3']) {
      const client = quiet(require(name).createClient(PORT, HOST));
      assert.deepEqual(read({ ...client.options }), { ...DEFAULTS, host: HOST, port: PORT });
    }
  });

  const refused = [
    [{ prot: 1 }, 'redisPub.prot'],
    [{ socket: { prot: 1 } }, 'redisPub.socket.prot'],
    [{ tls: { cca: 'x' } }, 'redisPub.tls.cca'],
    [{ port: 'abc' }, 'redisPub.port'],
    [{ port: 70000 }, 'redisPub.port'],
    [{ port: 0 }, 'redisPub.port'],
    [{ port: 1.5 }, 'redisPub.port'],
    [{ port: false }, 'redisPub.port'],
    [{ port: '' }, 'redisPub.port'],
    [{ socket: { port: 'abc' } }, 'redisPub.socket.port'],
    [{ db: -1 }, 'redisPub.db'],
    [{ db: NaN }, 'redisPub.db'],
    [{ database: 'one' }, 'redisPub.database'],
    [{ host: 5 }, 'redisPub.host'],
    [{ host: '' }, 'redisPub.host'],
    [{ path: 5 }, 'redisPub.path'],
    [{ path: '' }, 'redisPub.path'],
    [{ username: 5 }, 'redisPub.username'],
    [{ password: {} }, 'redisPub.password'],
    [{ password: 'secret', pass: [] }, 'redisPub.pass'],
    [{ url: 5 }, 'redisPub.url'],
    [{ url: {} }, 'redisPub.url'],
    [{ tls: 'RedisCloudFixed' }, 'redisPub.tls'],
    [{ tls: [] }, 'redisPub.tls'],
    [{ socket: 'x' }, 'redisPub.socket'],
    [{ socket: new EventEmitter() }, 'redisPub.socket'],
    [{ tls: { ca: 5 } }, 'redisPub.tls.ca'],
    [{ tls: { key: ['a', 'b'] } }, 'redisPub.tls.key'],
    [{ tls: { servername: 5 } }, 'redisPub.tls.servername'],
    [{ tls: { rejectUnauthorized: 'no' } }, 'redisPub.tls.rejectUnauthorized'],
    [{ tls: { checkServerIdentity: ignore } }, 'redisPub.tls.checkServerIdentity'],
    [{ socket: { tls: true, pfx: 'x' } }, 'redisPub.socket.pfx'],
    [{ credentialsProvider: {} }, 'redisPub.credentialsProvider'],
    [{ sentinels: [{ host: HOST }] }, 'redisPub.sentinels'],
    [{ rootNodes: [] }, 'redisPub.rootNodes'],
    [{ stream: {} }, 'redisPub.stream'],
  ];

  for (const [options, option] of refused) {
    it(`refuses ${option} of ${JSON.stringify(options)}`, () => assertInvalid(options, option));
  }
});

describe('anything else', () => {
  const values = {
    'a number': 6379,
    'a function': ignore,
    true: true,
    false: false,
    'an array': [],
    'an array of options': [{ port: 6379 }],
    'a symbol': Symbol('x'),
    'a bigint': 1n,
    'an http.Agent': http.globalAgent,
    'an EventEmitter': new EventEmitter(),
    'a Map': new Map(),
    'a Buffer': Buffer.from('redis://h.test'),
    'a String object': Object('redis://h.test'),
  };

  for (const [kind, value] of Object.entries(values)) {
    it(`refuses ${kind}`, () => assertInvalid(value, 'redisPub', /pass a client/));
  }

  it('names the option that was passed', () => {
    assert.throws(() => parseEndpoint('redisSub', { port: 'abc' }), { option: 'redisSub.port' });
  });
});
