'use strict';

/** The options of a RedisStore: what is taken, what is refused and how. */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { after, before, describe, it } = require('node:test');
const { pathToFileURL } = require('node:url');

const IoRedis = require('ioredis-5');
const redis3 = require('redis-3');
const redis5 = require('redis-5');

const { RedisStore } = require('../..');
const { startRedis } = require('../../dev/redis-server.js');
const { createClient, opener, redis } = require('../support/stores.js');
const { LIMIT } = require('../support/limits.js');

const ROOT = path.join(__dirname, '..', '..');
const ENDPOINTS = ['redisPub', 'redisSub', 'redisClient'];
const identity = (value) => value;

let server;
before(async () => {
  server = await startRedis();
});
after(() => server.stop());

/** Checks that the options are refused, by a TypeError that names `option` and nothing secret. */
function assertRefused(options, option, pattern = /./) {
  assert.throws(
    () => new RedisStore(options),
    (error) => {
      assert.ok(error instanceof TypeError);
      assert.equal(error.code, 'ERR_INVALID_OPTION');
      assert.equal(error.option, option);
      assert.ok(error.message.startsWith(`Invalid option "${option}": `), error.message);
      assert.match(error.message, /[.)]$/);
      assert.match(error.message, pattern);
      assert.ok(!error.message.includes('s3cret'), error.message);
      return true;
    },
  );
}

describe('refused', LIMIT, () => {
  it('options that are no object', () => {
    for (const options of [null, 5, 'redis://localhost', true, Symbol('s'), () => {}])
      assertRefused(options, 'options');
  });

  it('unknown names, with the known ones', () => {
    for (const name of ['redispub', 'nodeID', 'client', '', 'x.y']) {
      assertRefused({ [name]: undefined }, name, /nodeId, redis, redisPub, redisSub, redisClient/);
    }
  });

  it('a nodeId that is no function', () => {
    for (const nodeId of ['id', 5, null, {}, true]) assertRefused({ nodeId }, 'nodeId', /function/);
  });

  it('a nodeId function that returns no string and no finite number', () => {
    for (const id of [undefined, null, NaN, Infinity, true, {}, [5], 5n, Symbol('s'), Promise.resolve('id')]) {
      assertRefused({ nodeId: () => id }, 'nodeId', /string or a number/);
    }
  });

  it('lets an exception of the nodeId function through', () => {
    const own = new Error('own');
    assert.throws(
      () =>
        new RedisStore({
          nodeId() {
            throw own;
          },
        }),
      own,
    );
  });

  it('pack and unpack that are no functions', () => {
    for (const value of ['JSON', 5, null, {}, true]) {
      assertRefused({ pack: value, unpack: identity }, 'pack', /function/);
      assertRefused({ pack: identity, unpack: value }, 'unpack', /function/);
    }
  });

  it('pack without unpack and unpack without pack', () => {
    assertRefused({ pack: identity }, 'unpack', /together/);
    assertRefused({ unpack: identity }, 'pack', /together/);
  });

  it('an unknown codec', () => {
    for (const codec of ['JSON', 'messagepack', '', 5, null, {}, ['json']])
      assertRefused({ codec }, 'codec', /'json' or 'msgpack'/);
  });

  it('a codec with pack and unpack', () => {
    for (const codec of ['json', 'msgpack'])
      assertRefused({ codec, pack: identity, unpack: identity }, 'codec', /combined/);
  });

  it('an offlineQueue that is no object', () => {
    for (const offlineQueue of [5, 'x', true, () => {}]) assertRefused({ offlineQueue }, 'offlineQueue', /object/);
  });

  it('unknown names in offlineQueue', () => {
    assertRefused({ offlineQueue: { size: 1 } }, 'offlineQueue.size', /not known/);
  });

  it('limits of offlineQueue that are no whole numbers from 1', () => {
    for (const limit of [0, -1, 1.5, NaN, Infinity, '5', true, 5n, {}]) {
      assertRefused({ offlineQueue: { messages: limit } }, 'offlineQueue.messages', /whole number/);
      assertRefused({ offlineQueue: { bytes: limit } }, 'offlineQueue.bytes', /whole number/);
    }
    assertRefused({ offlineQueue: { messages: 2 ** 32 } }, 'offlineQueue.messages', /4294967295/);
    assertRefused({ offlineQueue: { bytes: 2 ** 53 } }, 'offlineQueue.bytes', /9007199254740991/);
  });

  it('limits that are none', () => {
    for (const limits of [null, 5, 'x']) assertRefused({ limits }, 'limits', /\{ bytes \}/);
    assertRefused({ limits: { rooms: 1 } }, 'limits.rooms', /not known/);
    for (const bytes of [0, 1.5, NaN, '5', {}]) assertRefused({ limits: { bytes } }, 'limits.bytes', /whole number/);
  });

  it('a commandTimeout that is no whole number from 1', () => {
    for (const commandTimeout of [0, -1, 1.5, NaN, Infinity, '5000', true, 5n, {}, 2 ** 31]) {
      assertRefused({ commandTimeout }, 'commandTimeout', /from 1 to 2147483647/);
    }
  });

  for (const name of ENDPOINTS) {
    it(`bad endpoints, as ${name}`, () => {
      for (const value of [5, true, () => {}, Symbol('s'), 5n]) assertRefused({ [name]: value }, name);
      for (const value of [[], new Map(), Promise.resolve(), new (class Client {})()])
        assertRefused({ [name]: value }, name);
      for (const url of [
        '',
        'localhost',
        'localhost:6379',
        'http://localhost',
        'redis:/localhost',
        'redis://h:0',
        'redis://h:99999',
        'redis://h/db',
        'redis://h/1?db=2',
        'redis://:s3cret#@h',
        'redis://h?tls=s3cret',
        'redis://h?password=s3cret@other',
        'unix://relative/path',
        'rediss://%zz@h',
      ])
        assertRefused({ [name]: url }, name);
      assertRefused({ [name]: new URL('https://user:s3cret@host/') }, name);
      assertRefused({ [name]: { prot: 6379 } }, `${name}.prot`);
      assertRefused({ [name]: { port: 0 } }, `${name}.port`);
      assertRefused({ [name]: { host: 5 } }, `${name}.host`);
      assertRefused({ [name]: { password: 7 } }, `${name}.password`);
      assertRefused({ [name]: { db: -1 } }, `${name}.db`);
      assertRefused({ [name]: { url: 'redis://:s3cret#@h' } }, `${name}.url`);
      assertRefused({ [name]: { tls: { ca: 5 } } }, `${name}.tls.ca`);
      assertRefused({ [name]: { tls: { pfx: 's3cret' } } }, `${name}.tls.pfx`);
      assertRefused({ [name]: { sentinels: [] } }, `${name}.sentinels`, /at least one/);
      assertRefused({ [name]: { cluster: [] } }, `${name}.cluster`, /at least one/);
      assertRefused({ [name]: redis5.createClientPool() }, name, /a pool/);
    });
  }
});

describe('the store', LIMIT, () => {
  const open = opener(RedisStore, () => server);

  it('gives back the client objects', async () => {
    const { port } = server;
    const clients = {
      pub: redis3.createClient(port, '127.0.0.1'),
      sub: new IoRedis(port, '127.0.0.1', { lazyConnect: true }),
      cmd: redis5.createClient({ url: server.url }),
    };
    const store = open({ redisPub: clients.pub, redisSub: clients.sub, redisClient: clients.cmd });
    for (const [name, client] of Object.entries(clients)) assert.equal(store[name], client);
  });

  it('has null where no client object was passed', () => {
    const store = open({ redisPub: server.url, redisSub: { url: server.url }, redisClient: new URL(server.url) });
    assert.deepEqual([store.pub, store.sub, store.cmd], [null, null, null]);
  });

  it('takes one client for all three, and ends it once', () => {
    const client = createClient(server.port);
    let ended = 0;
    client.end = () => {
      ended++;
      redis.RedisClient.prototype.end.call(client);
    };
    const store = open({ redisPub: client, redisSub: client, redisClient: client });
    assert.deepEqual([store.pub, store.sub, store.cmd], [client, client, client]);
    store.destroy();
    assert.equal(ended, 1);
  });

  it('gives back the options, untouched', () => {
    const options = { redisPub: server.url, redisSub: server.url, redisClient: server.url, codec: 'json' };
    const store = new RedisStore(Object.freeze(options));
    assert.equal(store.options, options);
    assert.deepEqual(Object.keys(options), ['redisPub', 'redisSub', 'redisClient', 'codec']);
    store.destroy();
  });

  it('takes every option at its limits', () => {
    for (const options of [
      { offlineQueue: {}, commandTimeout: 1 },
      { offlineQueue: { messages: 1, bytes: 1 } },
      { limits: { bytes: 1 } },
      { limits: { bytes: Number.MAX_SAFE_INTEGER } },
      { offlineQueue: { messages: 2 ** 32 - 1, bytes: Number.MAX_SAFE_INTEGER }, commandTimeout: 2 ** 31 - 1 },
      {
        offlineQueue: undefined,
        commandTimeout: undefined,
        codec: undefined,
        pack: undefined,
        unpack: undefined,
        nodeId: undefined,
      },
      { redis },
      { codec: 'json' },
      { codec: 'msgpack' },
      { pack: JSON.stringify, unpack: JSON.parse },
    ])
      open(options);
  });

  it('connects to localhost:6379 by default, and needs no options at all', async () => {
    for (const args of [[], [{}], [undefined]]) {
      const store = new RedisStore(...args);
      store.on('error', () => {}); // nothing listens there, perhaps
      assert.deepEqual([store.pub, store.sub, store.cmd], [null, null, null]);
      await new Promise(setImmediate);
      await new Promise(setImmediate);
      assert.equal(store.stats().connections.sub.endpoint, 'localhost:6379');
      const closed = new Promise((resolve) => {
        store.once('close', resolve);
      });
      store.destroy();
      await closed;
    }
  });

  it('has a default nodeId that no other node has, nor can any number equal it', () => {
    const ids = Array.from({ length: 20 }, () => open().nodeId);
    assert.equal(new Set(ids).size, ids.length);
    for (const id of ids) {
      assert.equal(typeof id, 'string');
      assert.ok(Number.isNaN(Number(id)), id);
    }
  });

  it('packs and unpacks by the names that 0.9 has', () => {
    const message = { nodeId: 'x', args: [1, 'é', null] };
    const json = open();
    assert.equal(json.pack(message), JSON.stringify(message));
    assert.deepEqual(json.unpack(JSON.stringify(message)), message);
    const own = open({ pack: identity, unpack: identity });
    assert.equal(own.pack, identity);
    assert.equal(own.unpack, identity);
  });

  it('is a class whose Client is exposed', () => {
    assert.equal(typeof RedisStore.Client, 'function');
    assert.ok(open().client('id') instanceof RedisStore.Client);
    assert.throws(() => RedisStore(), TypeError);
  });
});

describe('the package', LIMIT, () => {
  it('is createAdapter, and exports that, the classes and nothing else', () => {
    const exported = require('../..');
    assert.deepEqual(Object.keys(exported).sort(), [
      'Emitter',
      'RedisAdapter',
      'RedisStore',
      'StreamsEmitter',
      'WebSocketServer',
      'createAdapter',
      'createShardedAdapter',
      'createStreamsAdapter',
      'default',
    ]);
    assert.deepEqual([exported.createAdapter, exported.default], [exported, exported]);
  });

  it('has a named export for import', async () => {
    const namespace = await import(pathToFileURL(path.join(ROOT, 'index.js')).href);
    assert.equal(namespace.RedisStore, RedisStore);
    assert.equal(namespace.default.RedisStore, RedisStore);
    assert.equal(namespace.createAdapter, namespace.default.createAdapter);
  });

  it('can be imported statically, and loading it leaves nothing running', () => {
    const code = `import { RedisStore } from ${JSON.stringify(pathToFileURL(path.join(ROOT, 'index.js')).href)};
      process.stdout.write(typeof RedisStore);`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
    assert.deepEqual([child.status, child.stdout, child.stderr], [0, 'function', '']);
  });
});
