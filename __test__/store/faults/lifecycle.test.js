'use strict';

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { describe, it } = require('node:test');

const { RedisStore } = require('../../..');
const { startProxy } = require('../../../dev/proxy');
const { NO_PORT, startRedis } = require('../../../dev/redis-server');
const { LIMIT } = require('../../support/limits');
const { EventLog, Load, cleanup, closeAll, until } = require('../../support/load');

/**
 * A process of its own, with what it says.
 * @param {(clean: () => unknown) => void} after
 * @param {string} name
 * @param {string} url
 */
function start(after, name, url) {
  const child = fork(path.join(__dirname, 'children', name), [url], { silent: true });
  after(() => child.kill('SIGKILL'));
  const said = { out: '', err: '', messages: [] };
  child.stdout.on('data', (text) => {
    said.out += text;
  });
  child.stderr.on('data', (text) => {
    said.err += text;
  });
  child.on('message', (message) => said.messages.push(message));
  return { child, said, exited: once(child, 'close') };
}

const at = (url) => ({ redisPub: url, redisSub: url, redisClient: url });

describe('a store without a listener for `error`', LIMIT, () => {
  it('never throws, and tells the console of each outage once, that it connects again, and that it is over', async (t) => {
    const after = cleanup(t);
    const redis = await startRedis();
    after(() => redis.stop());
    const { child, said, exited } = start(after, 'silent.js', redis.url);
    const both = (what, fits) =>
      until(`${what} of both connections`, () =>
        ['pub', 'sub'].every((connection) =>
          said.messages.some((message) => message.connection === connection && fits(message)),
        ),
      );
    for (let outage = 1; outage <= 2; outage++) {
      await both('connect', ({ event }) => event === 'connect');
      said.messages.length = 0;
      await redis.kill();
      await both('attempts', ({ event, attempt }) => event === 'reconnecting' && attempt >= 4);
      await redis.restart();
      await both('connect', ({ event }) => event === 'connect');
    }
    child.send('destroy');
    assert.deepEqual(await exited, [0, null]);
    const lines = said.err.trim().split('\n');
    assert.equal(lines.length, 4, said.err);
    for (const [i, line] of lines.entries()) {
      const away = /^\[socket\.io-redis-native\] ERR_\w+: .*127\.0\.0\.1.*connects again/;
      assert.match(line, i % 2 === 0 ? away : /^\[socket\.io-redis-native\] Redis is back: all connections are up\.$/);
    }
    assert.equal(said.out, '');
  });

  it('warns once when Redis never was there', async (t) => {
    const after = cleanup(t);
    const { child, said, exited } = start(after, 'silent.js', `redis://127.0.0.1:${NO_PORT}`);
    await until('attempts', () =>
      ['pub', 'sub'].every((connection) =>
        said.messages.some((message) => message.connection === connection && message.attempt >= 4),
      ),
    );
    child.send('destroy');
    assert.deepEqual(await exited, [0, null]);
    assert.equal(said.err.trim().split('\n').length, 1, said.err);
  });
});

describe('destroy() during an outage', LIMIT, () => {
  it('closes after commandTimeout, counts what is lost, calls back, and the process ends', async (t) => {
    const after = cleanup(t);
    const redis = await startRedis();
    after(() => redis.stop());
    const { child, said, exited } = start(after, 'leaving.js', redis.url);
    await until('it to connect', () => said.messages.includes('connected'));
    await redis.kill();
    await until('it to notice', () => said.messages.includes('disconnected'));
    child.send('go');
    assert.deepEqual(await exited, [0, null], said.err);
    const { codes, gaps, stats } = said.messages.at(-1);
    assert.equal(said.err, '');
    const [late, early] = [codes.filter((code) => /^late/.test(code)), codes.filter((code) => !/^late/.test(code))];
    assert.equal(early.length, 5, 'every callback was called once');
    for (const code of early) assert.match(code, /^ERR_(CLOSED|COMMAND_TIMEOUT)$/);
    assert.deepEqual(late, ['late ERR_CLOSED'], 'a command after destroy() is called back too');
    assert.equal(stats.published, 0);
    assert.ok(stats.dropped >= 10);
    assert.equal(stats.queues.publish.messages, 0);
    // The late command was never queued: its caller is told, and nobody else.
    assert.equal(
      gaps.reduce((sum, gap) => sum + gap.dropped, 0),
      stats.dropped - 1,
      'every loss was told',
    );
    assert.deepEqual(
      Object.values(stats.connections).map(({ state }) => state),
      ['closed', 'closed', 'closed'],
    );
  });

  it('lets leave what is queued when Redis comes back in time', async (t) => {
    const after = cleanup(t);
    const redis = await startRedis();
    after(() => redis.stop());
    const proxy = await startProxy(redis.port);
    after(() => proxy.close());
    const store = new RedisStore(at(proxy.url));
    const load = new Load(store, 'leaving');
    await load.eventLog.next('connect', 'pub', undefined, 0);
    proxy.refuse();
    await load.eventLog.next('disconnect', 'pub', undefined, 0);
    const set = new Promise((resolve) => {
      store.client('1').set('key', 'value', (error, added) => resolve(error ?? added));
    });
    load.send(100);
    const closed = new Promise((resolve) => {
      store.once('close', resolve);
    });
    store.destroy(60);
    proxy.accept();
    await closed;
    assert.equal(await set, 1);
    assert.equal(await redis.command('HGET', '1', 'key'), 'value');
    assert.equal(store.stats().published, 100);
    assert.equal(store.stats().dropped, 0);
    assert.deepEqual(load.eventLog.all('gap'), []);
    assert.deepEqual(load.eventLog.errors('ERR_QUEUE_FULL'), []);
    assert.equal(load.eventLog.events.at(-1).event, 'close');
  });

  it('before it ever connected', async () => {
    const store = new RedisStore({ ...at(`redis://127.0.0.1:${NO_PORT}`), commandTimeout: 100 });
    const eventLog = new EventLog(store);
    const answer = new Promise((resolve) => {
      store.client('1').get('key', resolve);
    });
    store.publish('never', 1);
    await closeAll(store);
    assert.match((await answer).code, /^ERR_(CLOSED|COMMAND_TIMEOUT)$/);
    assert.equal(store.stats().published, 0);
    assert.equal(
      eventLog.all('gap', 'pub').reduce((sum, gap) => sum + gap.dropped, 0),
      store.stats().dropped,
    );
  });

  it('while the connection is half-open', async (t) => {
    const after = cleanup(t);
    const redis = await startRedis();
    after(() => redis.stop());
    const proxy = await startProxy(redis.port);
    after(() => proxy.close());
    const store = new RedisStore({ ...at(proxy.url), commandTimeout: 300 });
    const load = new Load(store, 'frozen');
    await load.eventLog.next('connect', 'pub', undefined, 0);
    proxy.freeze();
    load.send(1000);
    const answer = new Promise((resolve) => {
      store.client('1').get('key', resolve);
    });
    await closeAll(store);
    assert.match((await answer).code, /^ERR_(CLOSED|COMMAND_TIMEOUT)$/);
    const { published, dropped, unconfirmed } = store.stats();
    assert.equal(published, 0);
    assert.ok(unconfirmed > 0);
    // The command and the client's own DEL may be among what was dropped.
    assert.ok(dropped + unconfirmed >= 1000 && dropped + unconfirmed <= 1002);
    const { told } = load.books();
    assert.deepEqual(told, { dropped, unconfirmed });
  });
});

describe('after destroy()', LIMIT, () => {
  it('nothing is published, and that is no full queue', async (t) => {
    const after = cleanup(t);
    const redis = await startRedis();
    after(() => redis.stop());
    const store = new RedisStore(at(redis.url));
    const eventLog = new EventLog(store);
    await eventLog.next('connect', 'pub', undefined, 0);
    const closed = new Promise((resolve) => {
      store.once('close', resolve);
    });
    store.destroy();
    store.publish('late', 1);
    await closed;
    store.publish('later', 1);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    assert.equal(store.stats().dropped, 2);
    assert.deepEqual(eventLog.errors('ERR_QUEUE_FULL'), []);
  });

  it('a command is called back with ERR_CLOSED', async (t) => {
    const after = cleanup(t);
    const redis = await startRedis();
    after(() => redis.stop());
    const store = new RedisStore(at(redis.url));
    const eventLog = new EventLog(store);
    await eventLog.next('connect', 'pub', undefined, 0);
    await closeAll(store);
    let code;
    store.client('1').get('key', (error) => {
      code = error.code;
    });
    await until('the callback', () => code);
    assert.equal(code, 'ERR_CLOSED');
  });
});
