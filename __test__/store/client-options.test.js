'use strict';

/** Options of `redisClient` that change what its commands do: prefixes, Buffers. Beside 0.9's own store. */

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');

const { startRedis } = require('../../dev/redis-server.js');
const { ask, HOST, implementations, opener } = require('../support/stores.js');
const { LIMIT } = require('../support/limits');

const BYTES = Buffer.from([0xff, 0x00, 0xfe]);
const CALLBACK = ['redis-0.7', 'redis-0.8', 'redis-0.12', 'redis-2', 'redis-3'];

let redis;
before(async () => {
  redis = await startRedis();
});
after(() => redis?.stop());

/** Socket.IO 0.9's own store ends clients in a way of which redis 2 warns. */
const quiet = (client) => client.on('error', () => {}).on('warning', () => {});
/** What a store of either kind takes: clients of one copy of `redis`, and that. */
const callback = (name, options) => {
  const make = () => quiet(require(name).createClient(redis.port, HOST, options));
  return { redis: require(name), redisPub: make(), redisSub: make(), redisClient: make() };
};

for (const { name: kind, RedisStore } of implementations) {
  const store = opener(RedisStore, () => redis);

  describe(`${kind}: Buffers`, LIMIT, () => {
    for (const name of CALLBACK) {
      for (const [option, always] of Object.entries({ return_buffers: true, detect_buffers: false })) {
        it(`${name}, ${option}`, async () => {
          const client = store(callback(name, { [option]: true })).client('id');
          await ask(client, 'set', 'key', BYTES);
          assert.deepEqual(await ask(client, 'get', Buffer.from('key')), [null, BYTES]);
          assert.deepEqual(await ask(client, 'get', 'key'), [null, always ? BYTES : String(BYTES)]);
          assert.deepEqual(await ask(client, 'get', 'other'), [null, null]);
          assert.deepEqual(await ask(client, 'has', 'key'), [null, true]);
          await ask(client, 'del', 'key');
        });
      }
    }

    it('none of them: text', async () => {
      const client = store(callback('redis-0.7', {})).client('id');
      await ask(client, 'set', 'key', BYTES);
      assert.deepEqual(await ask(client, 'get', Buffer.from('key')), [null, String(BYTES)]);
      await ask(client, 'del', 'key');
    });
  });

  describe(`${kind}: a prefix`, LIMIT, () => {
    for (const name of ['redis-2', 'redis-3']) {
      it(`${name} puts it before ids, and not before channels`, async () => {
        const node = store(callback(name, { prefix: 'app:' }));
        const client = node.client('id');
        assert.deepEqual(await ask(client, 'set', 'key', 'value'), [null, 1]);
        assert.deepEqual(await ask(client, 'get', 'key'), [null, 'value']);
        assert.equal(await redis.command('HGET', 'app:id', 'key'), 'value');
        await new Promise((resolve) => node.subscribe('channel', () => {}, resolve));
        assert.deepEqual((await redis.command('PUBSUB', 'CHANNELS', '*channel')).map(String), ['channel']);
        await ask(client, 'del', 'key');
      });
    }
  });
}

describe('the native store: a prefix', LIMIT, () => {
  const { RedisStore } = implementations[1];
  const store = opener(RedisStore, () => redis);

  for (const name of ['ioredis-4', 'ioredis-5', 'ioredis-6']) {
    it(`${name} puts it where ${name} itself looks`, async () => {
      const make = () =>
        quiet(new (require(name))({ port: redis.port, host: HOST, lazyConnect: true, keyPrefix: 'app:' }));
      const client = store({ redisClient: make() }).client('id');
      await ask(client, 'set', 'key', 'value');
      const own = make();
      assert.equal(await own.hget('id', 'key'), 'value');
      own.disconnect();
      await ask(client, 'del', 'key');
    });
  }

  it('in options, also when data expires or goes', async () => {
    const node = store({ redisClient: { host: HOST, port: redis.port, keyPrefix: 'app:' } });
    const client = node.client('id');
    await ask(client, 'set', 'key', 'value');
    node.destroyClient('id', 1000);
    await ask(client, 'has', 'key');
    assert.ok((await redis.command('TTL', 'app:id')) > 0);
    node.client('id').destroy();
    assert.deepEqual(await ask(client, 'has', 'key'), [null, false]);
  });
});
