'use strict';

const assert = require('node:assert/strict');
const { EventEmitter } = require('node:events');
const http = require('node:http');
const { describe, it } = require('node:test');

const { parseEndpoint } = require('../../lib/endpoint');
const { preparationOf, readProvider } = require('../../lib/endpoint/preparation');
const { optionError } = require('../../lib/errors');
const {
  assertInvalid,
  DEFAULTS,
  HOST,
  ignore,
  IOREDIS_CLIENTS,
  PLAIN_TLS,
  PORT,
  quiet,
  read,
  SOCKET,
} = require('./endpoints');
const { LIMIT } = require('../support/limits');

describe('optionError', LIMIT, () => {
  it('is a TypeError that names the option and says what to do', () => {
    const error = optionError('redisSub.port', 'pass a number.');
    assert.ok(error instanceof TypeError);
    assert.equal(error.code, 'ERR_INVALID_OPTION');
    assert.equal(error.option, 'redisSub.port');
    assert.equal(error.message, 'Invalid option "redisSub.port": pass a number.');
  });
});

describe('nothing', LIMIT, () => {
  it('is the default server', () => {
    assert.deepEqual(read(undefined), DEFAULTS);
    assert.deepEqual(read(null), DEFAULTS);
    assert.equal(parseEndpoint('redisPub', undefined).client, null);
  });
});

describe('URLs', LIMIT, () => {
  const endpoints = {
    'redis://h.test': { host: 'h.test' },
    'redis://': {},
    'redis:///2': { db: 2 },
    'REDIS://h.test:7000/': { host: 'h.test', port: 7000 },
    'redis://h.test:7000/3': { host: 'h.test', port: 7000, db: 3 },
    'redis://h.test?db=4': { host: 'h.test', db: 4 },
    'redis://h.test/4?db=4': { host: 'h.test', db: 4 },
    'redis://h.test?family=6': { host: 'h.test' },
    'redis://h.test?bd=1&timeout=5': { host: 'h.test' },
    'redis://h.test?username=bob&password=a%26b': { host: 'h.test', username: 'bob', password: 'a&b' },
    'redis://:secret@h.test?password=other': { host: 'h.test', password: 'secret' },
    'redis://h.test?connectionName=chat': { host: 'h.test', name: 'chat' },
    'valkey://bob:secret@h.test:7000/3': { host: 'h.test', port: 7000, db: 3, username: 'bob', password: 'secret' },
    'valkeys://h.test': { host: 'h.test', tls: PLAIN_TLS },
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
    '',
    ' ',
    'h.test',
    'localhost:6379',
    '6379',
    '/tmp/a.sock',
    'redis:h.test',
    '//h.test',
    'http://h.test',
    'redis://h.test:abc',
    'redis://h.test:70000',
    'redis://h.test:0',
    'redis://:6379',
    'redis://h.test/abc',
    'redis://h.test/-1',
    'redis://h.test/1.5',
    'redis://h.test/1/2',
    'redis://h.test?db=',
    'redis://h.test?db=x',
    'redis://h.test/1?db=2',
    'redis://h.test?db=1&db=1',
    'redis://h.test?tls=true',
    'redis://h.test?keyPrefix=x',
    'redis://h.test?sentinels=x',
    'redis://bob:12#3@h.test',
    'redis://bob:12?3@h.test',
    'redis://bob:%zz@h.test',
    'unix://',
    'unix:///',
    'unix://tmp/a.sock',
    'unix:/tmp/a.sock',
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
    assert.throws(
      () => read('redis://bob:secret@h.test:abc'),
      (error) => !error.message.includes('secret'),
    );
  });
});

describe('options objects', LIMIT, () => {
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
    assert.deepEqual(
      read({
        url,
        host: 'x.test',
        port: 1,
        username: 'eve',
        password: 'other',
        db: 0,
      }),
      {
        ...DEFAULTS,
        host: 'x.test',
        port: 1,
        username: 'eve',
        password: 'other',
      },
    );
    assert.equal(read({ url, db: 5 }).username, 'bob');
    assert.equal(read({ url, path: SOCKET }).path, SOCKET);
    assert.equal(read({ url: `unix://${SOCKET}`, host: 'x.test' }).path, null);
    assert.equal(read({ url: 'rediss://h.test', tls: false }).tls, null);
  });

  it('ignores what only those clients need', () => {
    assert.deepEqual(
      read({
        retryStrategy: ignore,
        no_ready_check: true,
        return_buffers: true,
        detect_buffers: false,
        enable_offline_queue: true,
        max_attempts: 3,
        connect_timeout: 1,
        socket_keepalive: true,
        parser: 'javascript',
        family: 4,
        keepAlive: 1,
        lazyConnect: true,
        maxRetriesPerRequest: null,
        RESP: 3,
        modules: {},
        pingInterval: 1,
        keyPrefix: '',
        socket: { connectTimeout: 1, reconnectStrategy: ignore, noDelay: true },
        sentinels: null,
      }),
      DEFAULTS,
    );
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

  it('a prefix of keys', () => {
    for (const option of ['prefix', 'keyPrefix'])
      assert.equal(parseEndpoint('redisPub', { [option]: 'app:' }).keyPrefix, 'app:');
    assert.equal(parseEndpoint('redisPub', {}).keyPrefix, '');
  });

  it('a name, a credentials provider and a lookup', async () => {
    assert.equal(read({ name: 'chat' }).name, 'chat');
    assert.equal(read({ connectionName: 'chat' }).name, 'chat');
    assert.equal(read({ clientName: 'chat', connectionName: 'x', name: 'y' }).name, 'chat');
    const provider = { type: 'async-credentials-provider', credentials: async () => ({ password: 'secret' }) };
    const lookup = (host, options, found) => found(null, HOST, 4);
    const { preparation } = read({ host: 'h.test', credentialsProvider: provider, socket: { lookup } });
    assert.deepEqual(await preparation.ask(), { error: null, username: null, password: 'secret', addresses: [HOST] });
    const lost = read({ host: 'h.test', socket: { lookup: (host, options, found) => found(new Error('no DNS')) } });
    assert.equal((await lost.preparation.ask()).error, 'lookup has failed: no DNS');
  });

  it('credentials from a function', async () => {
    const answers = [{ username: 'bob', password: '1' }, { password: '2' }];
    const credentials = () => answers.shift();
    const { preparation } = read({ credentials });
    assert.deepEqual(await preparation.ask(), { error: null, username: 'bob', password: '1', addresses: [] });
    assert.deepEqual(await preparation.ask(), { error: null, username: null, password: '2', addresses: [] });
    assert.equal(read({ credentials, host: HOST }).preparation.id, preparation.id, 'they share a connection');
    assert.notEqual(read({ credentials: () => ({}) }).preparation.id, preparation.id);
  });

  it('what is asked and never answers is given up, and named', async () => {
    const never = () => new Promise(() => {});
    const provider = readProvider('redisPub', { credentials: never });
    const asking = preparationOf(provider, null, 'h.test', 10);
    assert.equal((await asking.ask()).error, 'credentials has not answered within 0.01 s');
    const looking = preparationOf(null, ignore, 'h.test', 10);
    assert.equal((await looking.ask()).error, 'lookup has not answered within 0.01 s');
  });

  const refused = [
    [{ prot: 1 }, 'redisPub.prot'],
    [{ socket: { prot: 1 } }, 'redisPub.socket.prot'],
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
    [{ socket: { tls: true, pfx: 'x' } }, 'redisPub.socket.pfx'],
    [{ credentialsProvider: {} }, 'redisPub.credentialsProvider'],
    [{ credentialsProvider: { type: 'streaming-credentials-provider' } }, 'redisPub.credentialsProvider'],
    [{ credentials: {} }, 'redisPub.credentials'],
    [
      {
        credentials: ignore,
        credentialsProvider: { type: 'async-credentials-provider', credentials: ignore },
      },
      'redisPub.credentials',
    ],
    [{ clientName: 'a b' }, 'redisPub.clientName'],
    [{ socket: { lookup: true } }, 'redisPub.socket.lookup'],
    [{ name: 'a b' }, 'redisPub.name'],
    [{ rename_commands: {} }, 'redisPub.rename_commands'],
    [{ stream: {} }, 'redisPub.stream'],
    [{ prefix: 5 }, 'redisPub.prefix'],
    [{ keyPrefix: 5 }, 'redisPub.keyPrefix'],
  ];

  for (const [options, option] of refused) {
    it(`refuses ${option} of ${JSON.stringify(options)}`, () => assertInvalid(options, option));
  }
});

describe('anything else', LIMIT, () => {
  const values = {
    'a number': 6379,
    'a function': ignore,
    true: true,
    false: false,
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
