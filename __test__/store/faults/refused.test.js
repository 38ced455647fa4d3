'use strict';

/** What Redis refuses a store, and what a store that is closed refuses. */

const assert = require('node:assert/strict');
const { afterEach, beforeEach, describe, it } = require('node:test');
const { RedisStore } = require('../../..');
const { startRedis } = require('../../../dev/redis-server');
const { LIMIT } = require('../../support/limits');
const { EventLog, closeAll, until } = require('../../support/load');
const { failSaves, failingSaves, refusals } = require('../../support/refusals');
const { implementations, inbox, opener } = require('../../support/stores');

const at = (url) => ({ redisPub: url, redisSub: url, redisClient: url });

describe('a channel that Redis refuses a store', LIMIT, () => {
  let redis;
  let url;
  /** @type {InstanceType<typeof RedisStore>[]} */
  let stores;

  const open = () => {
    const store = new RedisStore(at(url));
    stores.push(store);
    return store;
  };
  const allow = (...rules) => redis.command('ACL', 'SETUSER', 'app', ...rules);
  const subscribe = (store, name, consumer) =>
    new Promise((resolve) => {
      store.subscribe(name, consumer, (...answer) => resolve(answer));
    });

  beforeEach(async () => {
    redis = await startRedis();
    stores = [];
    await allow('on', '>pw', '+@all', '~*', 'resetchannels', '&allowed');
    url = `redis://app:pw@127.0.0.1:${redis.port}`;
  });

  afterEach(async () => {
    await closeAll(...stores);
    await redis.stop();
  });

  it('is an error for the callback, an event and a state; and is there once it is granted', async () => {
    const store = open();
    const eventLog = new EventLog(store);
    const [allowed, forbidden] = [inbox(), inbox()];
    assert.deepEqual(await subscribe(store, 'allowed', allowed), [], 'no argument for a success, as in 0.9');
    const since = eventLog.events.length;
    const [error, ...more] = await subscribe(store, 'forbidden', forbidden);
    assert.deepEqual(
      [error.code, error.command, error.channel, more],
      ['ERR_SUBSCRIPTION_REFUSED', 'SUBSCRIBE', 'forbidden', []],
    );
    assert.match(error.message, /NOPERM/);
    const { state, refused } = store.stats().connections.sub;
    assert.deepEqual([state, refused], ['degraded', ['forbidden']]);
    assert.equal((await subscribe(store, 'forbidden', () => {}))[0].code, 'ERR_SUBSCRIPTION_REFUSED');
    assert.deepEqual(
      eventLog.all('error').map((each) => [each.connection, each.code, each.error.channel]),
      [['sub', 'ERR_SUBSCRIPTION_REFUSED', 'forbidden']],
    );
    await redis.command('PUBLISH', 'allowed', '{"nodeId":1,"args":[1]}');
    assert.deepEqual(await allowed.next(), [1]);
    const before = Date.now();
    await allow('&forbidden');
    await eventLog.next('connect', 'sub', undefined, since);
    const gap = await eventLog.next('gap', 'sub', undefined, since);
    assert.ok(
      gap.since <= before && gap.since + gap.duration >= before,
      'the gap covers the time in which it was refused',
    );
    await redis.command('PUBLISH', 'forbidden', '{"nodeId":1,"args":[2]}');
    assert.deepEqual(await forbidden.next(), [2]);
    assert.deepEqual(eventLog.all('disconnect'), []);
    assert.deepEqual(store.stats().connections.sub.refused, []);
  });

  it('is all that is missing to a user who may do what the README says', async () => {
    const commands = ['+hget', '+hset', '+hdel', '+hexists', '+del', '+expire'];
    await allow('resetkeys', '~*', '-@all', '+@pubsub', ...commands);
    const [store, other] = [open(), open()];
    const eventLogs = [store, other].map((each) => new EventLog(each));
    const received = inbox();
    assert.deepEqual(await subscribe(other, 'allowed', received), []);
    store.publish('allowed', 1);
    assert.deepEqual(await received.next(), [1]);
    const client = store.client('1');
    const ask = (method, ...args) =>
      new Promise((resolve) => {
        client[method](...args, (...answer) => resolve(answer));
      });
    assert.deepEqual(await ask('set', 'key', 'value'), [null, 1]);
    assert.deepEqual(await ask('get', 'key'), [null, 'value']);
    assert.deepEqual(await ask('has', 'key'), [null, true]);
    assert.deepEqual(await ask('del', 'key'), [null, 1]);
    store.destroyClient('1', 5);
    other.client('1').destroy();
    // What is answered after them.
    await ask('get', 'key');
    await new Promise((resolve) => {
      other.client('1').get('key', resolve);
    });
    for (const { events } of eventLogs)
      assert.deepEqual(
        events.filter(({ event }) => event !== 'connect'),
        [],
      );
  });

  it('is nothing once it is left', async () => {
    const store = open();
    const eventLog = new EventLog(store);
    await subscribe(store, 'forbidden', () => {});
    const since = eventLog.events.length;
    assert.deepEqual(
      await new Promise((resolve) => {
        store.unsubscribe('forbidden', (...answer) => resolve(answer));
      }),
      [],
    );
    await eventLog.next('connect', 'sub', undefined, since);
    assert.equal(store.stats().connections.sub.state, 'connected');
  });

  it('is one line on the console where nothing listens, and is one again after it was granted', async (t) => {
    const { mock } = t.mock.method(console, 'warn', () => {});
    const store = open();
    for (const name of ['a', 'b', 'c']) await subscribe(store, name, () => {});
    assert.equal(mock.callCount(), 1);
    assert.match(mock.calls[0].arguments[0], /^\[socket\.io-redis-native\] ERR_SUBSCRIPTION_REFUSED: .*SUBSCRIBE a:/);
    await allow('&a', '&b', '&c');
    await new Promise((resolve) => {
      store.on('connect', ({ connection }) => connection === 'sub' && resolve(undefined));
    });
    assert.equal((await subscribe(store, 'd', () => {}))[0].code, 'ERR_SUBSCRIPTION_REFUSED');
    assert.equal(mock.callCount(), 2);
  });
});

describe('after destroy()', LIMIT, () => {
  let redis;
  beforeEach(async () => {
    redis = await startRedis();
  });
  afterEach(() => redis.stop());

  it('callbacks that wait, and those that come, get ERR_CLOSED, and nothing is emitted after `close`', async () => {
    const store = new RedisStore({ ...at(redis.url), commandTimeout: 100 });
    const eventLog = new EventLog(store);
    await eventLog.next('connect', 'sub', undefined, 0);
    await new Promise((resolve) => {
      store.subscribe(
        'held',
        () => {},
        () => resolve(undefined),
      );
    });
    const answers = inbox();
    const ask = (when) => {
      store.subscribe(
        `${when} channel`,
        () => {},
        (error) => answers(when, 'subscribe', error.code),
      );
      store.unsubscribe('held', (error) => answers(when, 'unsubscribe', error.code));
      store.client('1').get('key', (error) => answers(when, 'get', error.code));
    };
    redis.pause();
    ask('pending');
    // What Redis is asked for, it cannot answer.
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    const closed = closeAll(store);
    ask('late');
    await closed;
    ask('later');
    const all = (await answers.take(9)).map(([when, method, code]) => `${when} ${method} ${code}`);
    // The time of a command may be up before.
    const codes = all.map((each) => each.replace(/^(pending get) ERR_COMMAND_TIMEOUT$/, '$1 ERR_CLOSED')).sort();
    const methods = ['get', 'subscribe', 'unsubscribe'];
    assert.deepEqual(
      codes,
      ['late', 'later', 'pending'].flatMap((when) => methods.map((method) => `${when} ${method} ERR_CLOSED`)),
    );
    /** @type {any} */
    let deep = [];
    for (let i = 0; i < 100_000; i++) deep = [deep];
    store.publish('late', deep);
    store.publish({ toString: 1 });
    redis.resume();
    // A callback comes after whatever else may come.
    await new Promise((resolve) => {
      store.client('1').get('key', resolve);
    });
    assert.equal(eventLog.events.at(-1).event, 'close');
  });
});

describe('-MISCONF: the last save has failed', LIMIT, () => {
  for (const { name, RedisStore: Store } of implementations) {
    describe(name, () => {
      let redis;
      beforeEach(async () => {
        redis = await startRedis({ args: failingSaves() });
      });
      const open = opener(Store, () => redis);
      afterEach(() => redis.stop());

      it('three of three nodes hear each other', async () => {
        const stores = ['a', 'b', 'c'].map((nodeId) => open({ nodeId }));
        const inboxes = stores.map(() => inbox());
        await Promise.all(
          stores.map(
            (store, i) =>
              new Promise((resolve) => {
                store.subscribe('news', inboxes[i], resolve);
              }),
          ),
        );
        const eventLogs = stores.map((store) => new EventLog(store));
        await failSaves(redis);
        const before = await refusals(redis, 'MISCONF');
        // The JavaScript store sends no pings.
        if (Store === RedisStore)
          await until('pings to be refused', async () => (await refusals(redis, 'MISCONF')) >= before + 12);
        for (const [i, store] of stores.entries()) {
          store.publish('news', i);
          for (const each of inboxes.filter((_, other) => other !== i)) assert.deepEqual(await each.next(), [i]);
        }
        for (const { events } of eventLogs)
          assert.deepEqual(
            events.filter(({ event }) => event !== 'connect'),
            [],
          );
      });
    });
  }
});
