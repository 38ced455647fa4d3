'use strict';

/** Servers that let nobody in for a while: one error a connection and outage, and then all goes on where it was. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { RedisStore, createAdapter } = require('../../..');
const { createFixture, range } = require('../../adapter/faults/fixture');
const { LIMIT, PATIENCE } = require('../../support/limits');
const { EventLog, Receipt, closeAll, until, within } = require('../../support/load');

const FULL = /max number of clients.*raise maxclients/;
const LOADING = /LOADING.*loaded/;
/** What loads slowly, and lets in what may come meanwhile. */
const SLOW = ['--enable-debug-command', 'yes', '--key-load-delay', '2000'];
SLOW.push('--loading-process-events-interval-bytes', '1024');

/** @typedef {import('../../adapter/faults/fixture').Fixture} Fixture */

/** @param {Fixture} fixture @param {string} [clientName] */
function openStore(fixture, clientName) {
  const endpoint = { url: fixture.redis.url, clientName };
  const endpoints = { redisPub: endpoint, redisSub: endpoint, redisClient: endpoint };
  const store = new RedisStore({ ...endpoints, commandTimeout: PATIENCE });
  fixture.after(() => closeAll(store));
  return { store, log: new EventLog(store) };
}

/** Some attempts that were in vain, and one error for all of them. */
async function refused(
  /** @type {EventLog} */ log,
  /** @type {string} */ connection,
  /** @type {RegExp} */ message,
  since = 0,
) {
  const { error } = await log.next('error', connection, ({ code }) => code === 'ERR_REFUSED', since);
  assert.match(error.message, message);
  const { attempt } = await log.next('reconnecting', connection, undefined, since);
  await log.next('reconnecting', connection, (more) => more.attempt >= attempt + 4, since);
  const all = log.events.slice(since).filter((one) => one.code === 'ERR_REFUSED' && one.connection === connection);
  assert.equal(all.length, 1);
}

/** Changes a key, and tells what it was before. @param {any} store @param {number[]} values */
function write(store, values) {
  const client = store.client('session');
  const call = (method, ...args) =>
    new Promise((resolve, reject) => {
      client[method](...args, (error, value) => (error ? reject(error) : resolve(value)));
    });
  const written = Promise.all(values.flatMap((value) => [call('set', 'key', value), call('get', 'key')]));
  return within('the answers to commands', written, () => store.stats());
}

/** Has Redis close the connections of this name. @param {import('ioredis-6').default} held @param {string} name */
async function kill(held, name) {
  const list = String(await held.client('LIST')).split('\n');
  const ids = list.filter((line) => line.includes(` name=${name} `)).map((line) => line.match(/id=(\d+)/)?.[1] ?? '');
  assert.equal(ids.length, 2);
  for (const id of ids) await held.client('KILL', 'ID', id);
}

describe('a server that takes no more clients', LIMIT, () => {
  it('is one error of a store for each connection in each outage, and what waits goes then', async (t) => {
    const fixture = await createFixture(t);
    const held = fixture.redisClient();
    const other = openStore(fixture);
    const receipt = new Receipt(other.store, 'news');
    await receipt.subscribed;
    const { store, log } = openStore(fixture, 'mine');
    for (const connection of ['pub', 'sub']) await log.next('connect', connection, undefined, 0);
    for (const outage of [1, 2]) {
      const since = log.events.length;
      await held.config('SET', 'maxclients', '1');
      await kill(held, 'mine');
      await Promise.all(['pub', 'sub'].map((connection) => refused(log, connection, FULL, since)));
      const numbers = range(10 * outage - 9, 10 * outage);
      for (const n of numbers) store.publish('news', n);
      const written = write(store, numbers);
      await held.config('SET', 'maxclients', '100');
      assert.deepEqual(
        (await written).filter((_, i) => i % 2 === 1),
        numbers.map(String),
      );
      await until('what has waited', () => receipt.last === 10 * outage);
      await log.next('connect', 'sub', undefined, since);
    }
    assert.deepEqual(receipt.numbers, range(1, 20));
    assert.equal(log.all('error').length, 4);
    assert.equal(store.stats().dropped, 0);
  });

  it('is one error of an adapter for each connection in each outage', async (t) => {
    const fixture = await createFixture(t);
    const held = fixture.redisClient();
    const hears = await fixture.node();
    const client = await fixture.client(hears);
    const factory = createAdapter({ url: fixture.redis.url, clientName: 'mine' });
    const node = await fixture.node({ factory });
    await node.adapter().ready();
    for (let outage = 1; outage <= 2; outage++) {
      const since = node.eventLog().events.length;
      await held.config('SET', 'maxclients', '1');
      await kill(held, 'mine');
      await Promise.all(['pub', 'sub'].map((connection) => refused(node.eventLog(), connection, FULL, since)));
      for (const n of range(1, 10)) node.io.emit('n', n);
      node.io.emit('end');
      await held.config('SET', 'maxclients', '100');
      assert.deepEqual(
        await client.until('end'),
        range(1, 10).map((n) => ['n', n]),
      );
      await node.eventLog().next('connect', 'sub', undefined, since);
    }
    assert.equal(node.eventLog().all('error').length, 4);
  });

  it('is entered for the first time when there is room', async (t) => {
    const fixture = await createFixture(t);
    // It holds the one place that there is.
    const held = fixture.redisClient();
    await held.config('SET', 'maxclients', '1');
    const node = await fixture.node({ connects: false });
    await Promise.all(['pub', 'sub'].map((connection) => refused(node.eventLog(), connection, FULL)));
    await held.config('SET', 'maxclients', '100');
    await node.eventLog().next('connect', 'sub', undefined, 0);
    await node.adapter().ready();
    const other = await fixture.node();
    const client = await fixture.client(node);
    other.io.emit('news', 1);
    assert.deepEqual(await client.event('news'), [1]);
    assert.equal(node.eventLog().all('error').length, 2);
  });
});

describe('a server that loads', LIMIT, () => {
  /** Has Redis load, which lasts until it is told to hurry. */
  async function load(/** @type {Fixture} */ fixture) {
    await fixture.redis.command('DEBUG', 'POPULATE', 100_000);
    await fixture.redis.command('SAVE');
    const restarted = fixture.redis.restart();
    fixture.after(() => restarted);
    return async () => {
      await fixture.redis.command('CONFIG', 'SET', 'key-load-delay', 0);
      await restarted;
    };
  }

  it('is one error of a store, which hears meanwhile, and what waits goes then', async (t) => {
    const fixture = await createFixture(t, SLOW);
    const [{ store, log }, other] = [openStore(fixture), openStore(fixture)];
    const receipt = new Receipt(other.store, 'news');
    await receipt.subscribed;
    await log.next('connect', 'pub', undefined, 0);
    const since = [log, other.log].map(({ events }) => events.length);
    const hurry = await load(fixture);
    await other.log.next('connect', 'sub', undefined, since[1]);
    await refused(log, 'pub', LOADING, since[0]);
    for (const n of range(1, 10)) store.publish('news', n);
    const written = write(store, range(1, 10));
    await fixture.redis.command('PUBLISH', 'news', JSON.stringify({ nodeId: 'x', args: [0] }));
    await until('what is published meanwhile', () => receipt.numbers.length > 0);
    await hurry();
    assert.deepEqual(
      (await written).filter((_, i) => i % 2 === 1),
      range(1, 10).map(String),
    );
    await until('what has waited', () => receipt.last === 10);
    assert.deepEqual(receipt.numbers, range(0, 10));
    assert.equal(log.errors('ERR_REFUSED').length, 1);
  });

  it('is one error of an adapter', async (t) => {
    const fixture = await createFixture(t, SLOW);
    const [a, b] = [await fixture.node(), await fixture.node()];
    const client = await fixture.client(b);
    const since = [a, b].map((node) => node.eventLog().events.length);
    const hurry = await load(fixture);
    await b.eventLog().next('connect', 'sub', undefined, since[1]);
    await refused(a.eventLog(), 'pub', LOADING, since[0]);
    for (const n of range(1, 10)) a.io.emit('n', n);
    a.io.emit('end');
    await hurry();
    assert.deepEqual(
      await client.until('end'),
      range(1, 10).map((n) => ['n', n]),
    );
    assert.equal(a.eventLog().errors('ERR_REFUSED').length, 1);
  });
});
