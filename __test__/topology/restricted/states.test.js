'use strict';

/**
 * Servers that refuse for as long as they are in a state: one error an outage, each caller its answer, and all
 * works again by itself.
 */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, it } = require('node:test');
const { RedisStore } = require('../../..');
const { createFixture, range } = require('../../adapter/faults/fixture');
const { LIMIT, PATIENCE } = require('../../support/limits');
const { EventLog, Receipt, closeAll, until, within } = require('../../support/load');

/** @typedef {import('../../../dev/redis-server').RedisServer} RedisServer */

const set = (/** @type {RedisServer} */ redis, /** @type {Record<string, string>} */ config) =>
  redis.command('CONFIG', 'SET', ...Object.entries(config).flat());

/** Saves, and waits for how that ends. @param {RedisServer} redis @param {'ok' | 'err'} status */
async function save(redis, status) {
  await redis.command('BGSAVE');
  await until('the end of a save', async () => {
    const info = await redis.command('INFO', 'persistence');
    return info.includes('bgsave_in_progress:0') && info.includes(`rdb_last_bgsave_status:${status}`);
  });
}

/**
 * @type {{ code: string, advice: RegExp, enter: (redis: RedisServer) => Promise<unknown>,
 *   leave: (redis: RedisServer) => Promise<unknown> }[]}
 */
const STATES = [
  {
    code: 'MISCONF',
    advice: /disk.*stop-writes-on-bgsave-error/,
    enter: async (redis) => {
      const gone = fs.mkdtempSync(path.join(os.tmpdir(), 'sio-gone-'));
      await set(redis, { dir: gone, save: '3600 1000000', 'stop-writes-on-bgsave-error': 'yes' });
      fs.rmdirSync(gone);
      await save(redis, 'err');
    },
    leave: async (redis) => {
      const there = fs.mkdtempSync(path.join(os.tmpdir(), 'sio-there-'));
      await set(redis, { dir: there });
      await save(redis, 'ok');
      fs.rmSync(there, { recursive: true });
    },
  },
  {
    code: 'OOM',
    advice: /maxmemory.*maxmemory-policy/,
    enter: (redis) => set(redis, { maxmemory: '1', 'maxmemory-policy': 'noeviction' }),
    leave: (redis) => set(redis, { maxmemory: '0' }),
  },
  {
    code: 'NOREPLICAS',
    advice: /min-replicas-to-write/,
    enter: (redis) => set(redis, { 'min-replicas-to-write': '1' }),
    leave: (redis) => set(redis, { 'min-replicas-to-write': '0' }),
  },
  {
    code: 'NOPERM',
    advice: /ACL SETUSER/,
    enter: (redis) => redis.command('ACL', 'SETUSER', 'default', '-hset'),
    leave: (redis) => redis.command('ACL', 'SETUSER', 'default', '+hset'),
  },
];

const ARGS = ['--enable-protected-configs', 'yes'];

/** @param {import('../../adapter/faults/fixture').Fixture} fixture @param {any} endpoint */
function openStore(fixture, endpoint = fixture.redis.url) {
  const store = new RedisStore({
    redisPub: endpoint,
    redisSub: endpoint,
    redisClient: endpoint,
    commandTimeout: PATIENCE,
  });
  fixture.after(() => closeAll(store));
  return { store, log: new EventLog(store) };
}

/** @param {any} store @param {string} key @returns {Promise<{ code?: string, message: string } | null>} what it fails with */
const write = (store, key, value = key) => {
  const written = new Promise((resolve) => {
    store.client('session').set(key, value, resolve);
  });
  return within('the answer to set', written, () => store.stats());
};

/** @param {any} store @param {string} key */
const read = (store, key) => {
  const asked = new Promise((resolve, reject) => {
    store.client('session').get(key, (error, value) => (error ? reject(error) : resolve(value)));
  });
  return within('the answer to get', asked, () => store.stats());
};

for (const { code, advice, enter, leave } of STATES) {
  describe(`a server that answers ${code}`, LIMIT, () => {
    it('is one error of a store in each outage, and each write has its answer', async (t) => {
      const fixture = await createFixture(t, ARGS);
      const [{ store, log }, other] = [openStore(fixture), openStore(fixture)];
      const receipt = new Receipt(other.store, 'news');
      await receipt.subscribed;
      assert.equal(await write(store, 'key', 'before'), null);
      let published = 0;
      for (const outage of [1, 2]) {
        await enter(fixture.redis);
        const since = log.events.length;
        const answers = [];
        for (const i of range(1, 50)) {
          store.client('session').set('key', `unanswered ${i}`);
          answers.push(write(store, 'key', `answered ${i}`));
          store.publish('news', ++published);
        }
        for (const answer of await Promise.all(answers)) {
          assert.equal(answer?.code, 'ERR_REDIS_REPLY');
          assert.match(answer.message, new RegExp(`HSET.*${code} .*${advice.source}`, 's'));
        }
        assert.equal(await read(store, 'key'), outage === 1 ? 'before' : 'after');
        const { error } = await log.next('error', 'pub', undefined, since);
        assert.equal(error.code, 'ERR_REDIS_REPLY');
        assert.match(error.message, advice);
        assert.equal(log.all('error').length, outage);
        assert.equal(store.stats().dropped, 50 * outage);
        await leave(fixture.redis);
        assert.equal(await write(store, 'key', 'after'), null);
        assert.equal(await read(store, 'key'), 'after');
        assert.deepEqual(
          log.all('gap', 'pub').map(({ dropped, unconfirmed }) => [dropped, unconfirmed]),
          Array(outage).fill([50, 0]),
        );
      }
      await until('all messages', () => receipt.last === published);
      assert.deepEqual(receipt.numbers, range(1, published));
      assert.equal(store.stats().published, published);
      for (const { events } of [log, other.log])
        assert.deepEqual(
          events.filter(({ event }) => !['connect', 'error', 'gap'].includes(event)),
          [],
        );
    });

    it('serves an adapter, which writes no data', async (t) => {
      const fixture = await createFixture(t, ARGS);
      const [a, b] = [await fixture.node(), await fixture.node()];
      const client = await fixture.client(b);
      await enter(fixture.redis);
      // What connects meanwhile is served too.
      const late = await fixture.node();
      const hears = await fixture.client(late);
      for (const n of range(1, 50)) a.io.emit('n', n);
      a.io.emit('end');
      for (const each of [client, hears])
        assert.deepEqual(
          await each.until('end'),
          range(1, 50).map((n) => ['n', n]),
        );
      assert.equal((await a.io.fetchSockets()).length, 2);
      await leave(fixture.redis);
      for (const node of [a, b, late])
        assert.deepEqual(
          node.eventLog().events.filter(({ event }) => event !== 'connect'),
          [],
        );
    });
  });
}

describe('a server that lets nobody publish', LIMIT, () => {
  const allow = (/** @type {RedisServer} */ redis, /** @type {'+' | '-'} */ sign) =>
    redis.command('ACL', 'SETUSER', 'default', `${sign}publish`);

  it('is one error of a store in each outage', async (t) => {
    const fixture = await createFixture(t);
    const [{ store, log }, other] = [openStore(fixture), openStore(fixture)];
    const receipt = new Receipt(other.store, 'news');
    await receipt.subscribed;
    for (const outage of [1, 2]) {
      await allow(fixture.redis, '-');
      const began = Date.now();
      for (let i = 0; i < 50; i++) store.publish('news', 'refused');
      await write(store, 'barrier');
      assert.equal(store.stats().dropped, 50 * outage);
      assert.deepEqual(
        log
          .all('error')
          .map(({ connection, error }) => [connection, error.code, /PUBLISH.*NOPERM/.test(error.message)]),
        Array(outage).fill(['pub', 'ERR_REDIS_REPLY', true]),
      );
      const ended = Date.now();
      await allow(fixture.redis, '+');
      for (const n of range(10 * outage - 9, 10 * outage)) store.publish('news', n);
      await until('what is published again', () => receipt.last === 10 * outage);
      await write(store, 'barrier');
      const { since, duration, dropped } = log.all('gap', 'pub')[outage - 1];
      assert.equal(dropped, 50);
      // Its times are whole milliseconds.
      assert.ok(since >= began - 1 && since + duration >= ended - 2, 'it is the time of the outage');
      assert.equal(log.all('gap').length, outage);
    }
    assert.deepEqual(receipt.numbers, range(1, 20));
  });

  it('is one error of an adapter in each outage', async (t) => {
    const fixture = await createFixture(t);
    const [a, b] = [await fixture.node(), await fixture.node()];
    const client = await fixture.client(b);
    for (const outage of [1, 2]) {
      await allow(fixture.redis, '-');
      for (const n of range(1, 50)) a.io.emit('refused', n);
      await until('all to be refused', () => a.adapter().stats().dropped === 50 * outage);
      assert.equal(await a.adapter().serverCount(), 2);
      assert.equal(a.eventLog().all('error').length, outage);
      assert.match(a.eventLog().all('error', 'pub')[0].error.message, /PUBLISH.*NOPERM.*ACL SETUSER/);
      await allow(fixture.redis, '+');
      for (const n of range(1, 10)) a.io.emit('n', n);
      a.io.emit('end');
      assert.deepEqual(
        await client.until('end'),
        range(1, 10).map((n) => ['n', n]),
      );
    }
  });
});
