'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { describe, it } = require('node:test');

const { RedisStore } = require('../../..');
const { startProxy } = require('../../../dev/proxy');
const { NO_PORT, freePort, startRedis } = require('../../../dev/redis-server');
const { LIMIT, SHORT } = require('../../support/limits');
const { EventLog, Load, Receipt, cleanup, closeAll, until } = require('../../support/load');

/** @param {number} port */
const at = (port) => {
  const url = `redis://127.0.0.1:${port}`;
  return { redisPub: url, redisSub: url, redisClient: url };
};

/** `[error, value]` of a call with a callback. */
const called = (call) =>
  new Promise((resolve) => {
    call((error, value) => resolve([error, value]));
  });

describe('Redis absent at start', LIMIT, () => {
  it('does all that was asked once it is there, in order', async (t) => {
    const after = cleanup(t);
    /** @type {{ stop(): Promise<void> } | null} */
    let redis = null;
    after(() => redis?.stop());
    const port = await freePort();
    const store = new RedisStore(at(port));
    const other = new RedisStore(at(port));
    const eventLog = new EventLog(store);
    const load = new Load(store, 'absent');
    const receipt = new Receipt(other, 'absent');
    after(() => closeAll(store, other));

    load.send(500);
    const subscribed = new Promise((resolve) => {
      store.subscribe('early', () => {}, resolve);
    });
    const client = store.client('early');
    const set = called((fn) => client.set('colour', 'red', fn));
    const get = called((fn) => client.get('colour', fn));
    const has = called((fn) => client.has('shape', fn));
    const del = called((fn) => client.del('colour', fn));
    await eventLog.next('reconnecting', 'pub', undefined, 0);
    await eventLog.next('reconnecting', 'sub', undefined, 0);
    assert.deepEqual(store.stats().connections.pub, { state: 'connecting', endpoint: `127.0.0.1:${port}` });
    assert.ok(eventLog.errors('ERR_CONNECT').length >= 2);
    assert.deepEqual(eventLog.all('disconnect'), [], 'what never was cannot be lost');

    redis = await startRedis({ port });
    await Promise.all(['pub', 'sub'].map((connection) => eventLog.next('connect', connection, undefined, 0)));
    assert.deepEqual(await set, [null, 1]);
    assert.deepEqual(await get, [null, 'red']);
    assert.deepEqual(await has, [null, false]);
    assert.deepEqual(await del, [null, 1]);
    await Promise.all([subscribed, receipt.subscribed]);
    load.send(500);
    await receipt.complete(load);
    await load.stop();
    // Who subscribes before Redis is there may come after what waited for it, but nothing else.
    receipt.assertInOrder();
    assert.deepEqual(
      receipt.numbers.slice(-500),
      Array.from({ length: 500 }, (_, i) => 501 + i),
    );
    load.assertBalanced();
    assert.equal(store.stats().published, 1000);
    assert.equal(store.stats().reconnects, 0);
    assert.deepEqual(eventLog.all('gap'), []);
  });

  it('publishes what waited to a subscriber that was there, in order', async (t) => {
    const after = cleanup(t);
    const [port, redis] = [await freePort(), await startRedis()];
    after(() => redis.stop());
    // The publisher's way to Redis appears only later.
    const store = new RedisStore({ ...at(redis.port), redisPub: `redis://127.0.0.1:${port}` });
    const other = new RedisStore(at(redis.port));
    after(() => closeAll(store, other));
    const [load, receipt] = [new Load(store, 'absent'), new Receipt(other, 'absent')];
    await receipt.subscribed;
    load.send(5000);
    await load.eventLog.next('reconnecting', 'pub', ({ attempt }) => attempt >= 2, 0);
    const proxy = await startProxy(redis.port, { port });
    after(() => proxy.close());
    await receipt.complete(load);
    await load.stop();
    assert.deepEqual(receipt.missing(load), []);
    receipt.assertInOrder();
    load.assertBalanced();
    assert.deepEqual(load.eventLog.all('gap'), []);
  });

  it('lets commands time out when it stays away, and only those', async (t) => {
    const after = cleanup(t);
    const store = new RedisStore({ ...at(NO_PORT), commandTimeout: 200 });
    new EventLog(store);
    after(() => closeAll(store));
    const client = store.client('1');
    const answers = await Promise.all([
      called((fn) => client.get('a', fn)),
      called((fn) => client.set('a', 1, fn)),
      called((fn) => client.has('a', fn)),
      called((fn) => client.del('a', fn)),
    ]);
    for (const [error, value] of answers) {
      assert.ok(error instanceof Error);
      assert.equal(error.code, 'ERR_COMMAND_TIMEOUT');
      assert.match(error.message, /200 ms/);
      assert.equal(value, undefined);
    }
  });

  it('lets commands time out when Redis hangs, and takes their late replies for nobody', async (t) => {
    const after = cleanup(t);
    const redis = await startRedis();
    after(() => redis.stop());
    const store = new RedisStore({ ...at(redis.port), commandTimeout: SHORT });
    after(() => closeAll(store));
    const client = store.client('1');
    assert.deepEqual(await called((fn) => client.set('a', 'old', fn)), [null, 1]);
    redis.pause();
    let calls = 0;
    const [error] = await called((fn) =>
      client.get('a', (...answer) => {
        calls++;
        fn(...answer);
      }),
    );
    assert.equal(error.code, 'ERR_COMMAND_TIMEOUT');
    redis.resume();
    assert.deepEqual(await called((fn) => client.get('a', fn)), [null, 'old']);
    assert.equal(calls, 1);
  });
});

describe('a wrong password', LIMIT, () => {
  it('is told as ERR_REFUSED, and put right it connects', async (t) => {
    const after = cleanup(t);
    const redis = await startRedis({ password: 'right' });
    after(() => redis.stop());
    const url = `redis://:other@127.0.0.1:${redis.port}`;
    const store = new RedisStore({ redisPub: url, redisSub: url, redisClient: url });
    after(() => closeAll(store));
    const load = new Load(store, 'refused');
    const { eventLog } = load;
    load.send(10);
    const refused = ({ code }) => code === 'ERR_REFUSED';
    for (const connection of ['pub', 'sub']) {
      const { error } = await eventLog.next('error', connection, refused, 0);
      assert.match(error.message, /WRONGPASS|invalid/i);
      assert.doesNotMatch(error.message, /other/);
    }
    const before = eventLog.events.length;
    await redis.command('CONFIG', 'SET', 'requirepass', 'other');
    await eventLog.next('connect', 'pub', undefined, before);
    await eventLog.next('connect', 'sub', undefined, before);
    await load.stop();
    assert.equal(store.stats().published, 10);
  });

  it('is told when one is wanted and none was given', async (t) => {
    const after = cleanup(t);
    const redis = await startRedis({ password: 'right' });
    after(() => redis.stop());
    const store = new RedisStore(at(redis.port));
    after(() => closeAll(store));
    const first = once(store, 'error');
    store.on('error', () => {});
    const [error] = await first;
    assert.equal(error.code, 'ERR_REFUSED');
    assert.match(error.message, /NOAUTH/);
  });
});

describe('reconnecting', LIMIT, () => {
  it('goes on: attempt 1, 2, 3 … with pauses that grow to 0.8 s at most, and anew in the next outage', async (t) => {
    const after = cleanup(t);
    const redis = await startRedis();
    after(() => redis.stop());
    const store = new RedisStore(at(redis.port));
    const eventLog = new EventLog(store);
    after(() => closeAll(store));
    for (const attempts of [6, 2]) {
      await until('both to be up', () =>
        ['pub', 'sub'].every((connection) => store.stats().connections[connection].state === 'connected'),
      );
      eventLog.events.length = 0;
      await redis.kill();
      await Promise.all(
        ['pub', 'sub'].map((connection) =>
          eventLog.next('reconnecting', connection, ({ attempt }) => attempt === attempts, 0),
        ),
      );
      assert.equal(store.stats().connections.pub.state, 'reconnecting');
      for (const connection of ['pub', 'sub']) {
        assert.equal(eventLog.all('disconnect', connection).length, 1);
        const told = eventLog.all('reconnecting', connection);
        assert.deepEqual(
          told.map(({ attempt }) => attempt),
          told.map((_, i) => i + 1),
        );
        // The first is at once where the connection has lasted.
        const paused = told[0].delay === 0 ? told.slice(1) : told;
        for (const [i, { attempt, delay }] of paused.entries()) {
          const least = Math.min(50 * 2 ** i, 400);
          assert.ok(delay >= least && delay <= 2 * least, `attempt ${attempt} after ${delay} ms`);
        }
        for (const { endpoint } of told) assert.equal(endpoint, `127.0.0.1:${redis.port}`);
      }
      await redis.restart();
    }
    await eventLog.next('connect', 'pub', undefined, 0);
    await eventLog.next('connect', 'sub', undefined, 0);
  });
});
