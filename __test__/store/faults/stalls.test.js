'use strict';

/** A server that is slow, and a process that was: both keep their connections and lose nothing. */

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { describe, it } = require('node:test');
const { setTimeout: delay } = require('node:timers/promises');

const { RedisStore } = require('../../..');
const { freeze } = require('../../../dev/freeze');
const { startProxy } = require('../../../dev/proxy');
const { startRedis } = require('../../../dev/redis-server');
const { LIMIT, SHORT } = require('../../support/limits');
const { EventLog, Load, Receipt, cleanup, closeAll, finish, until } = require('../../support/load');
const { ask, openStore } = require('../../support/stores');

const [JS, NATIVE] = ['JavaScript', 'native'];
const CHILD = path.join(__dirname, 'children', 'frozen.js');
/** What a stall must not cause. */
const HARM = ['disconnect', 'reconnecting', 'gap', 'connect'];
/** Between two messages, so that they spread over most of a stall, in ms. */
const PACE = 45;

/** How Redis stalls, and how much is published meanwhile. */
const STALLS = {
  'DEBUG SLEEP 8': { count: 80, begin: (redis) => redis.command('DEBUG', 'SLEEP', '8') },
  'CLIENT PAUSE 8000 ALL': { count: 100, begin: (redis) => redis.command('CLIENT', 'PAUSE', 8000, 'ALL') },
  // Pings are answered, and publishes are not.
  'CLIENT PAUSE 8000 WRITE': { count: 100, begin: (redis) => redis.command('CLIENT', 'PAUSE', 8000, 'WRITE') },
};

/** What a store receives on a channel, and from whom. */
class Received {
  numbers = [];

  constructor(store, channel) {
    this.subscribed = new Promise((resolve) => {
      store.subscribe(
        channel,
        (number) => this.numbers.push(number),
        () => resolve(undefined),
      );
    });
  }
}

const range = (last) => Array.from({ length: last }, (_, i) => i + 1);

describe('a Redis that stalls while its connections are whole', { concurrency: true, ...LIMIT }, () => {
  for (const [stall, { count, begin }] of Object.entries(STALLS)) {
    for (const kinds of [
      [JS, JS],
      [JS, NATIVE],
      [NATIVE, NATIVE],
    ]) {
      it(`${stall}, ${kinds.join(' and ')}: nothing is lost, either way`, async (t) => {
        const after = cleanup(t);
        const redis = await startRedis({ args: ['--enable-debug-command', 'yes'] });
        after(() => redis.stop());
        const stores = kinds.map((kind) => openStore(kind, redis));
        after(() => Promise.all(stores.map((store) => (store.stats ? closeAll(store) : store.destroy()))));
        const eventLogs = stores.filter((store) => store.stats).map((store) => new EventLog(store));
        // Each is to hear the other.
        const received = stores.map((store, i) => new Received(store, `from-${1 - i}`));
        await Promise.all(received.map(({ subscribed }) => subscribed));
        for (const eventLog of eventLogs) await eventLog.next('connect', 'pub', undefined, 0);
        const since = eventLogs.map(({ events }) => events.length);
        const stalling = begin(redis);
        for (const number of range(count)) {
          stores.forEach((store, i) => store.publish(`from-${i}`, number));
          await delay(PACE);
        }
        await stalling;
        await until('all of it', () => received.every(({ numbers }) => numbers.at(-1) === count));
        for (const { numbers } of received) assert.deepEqual(numbers, range(count));
        eventLogs.forEach((eventLog, i) => {
          assert.deepEqual(
            eventLog.events.slice(since[i]).filter(({ event }) => HARM.includes(event)),
            [],
          );
        });
      });
    }
  }

  it('is told once by each connection as ERR_STALLED; commands time out, and all goes on', async (t) => {
    const after = cleanup(t);
    const redis = await startRedis();
    after(() => redis.stop());
    const endpoints = { redisPub: redis.url, redisSub: redis.url, redisClient: redis.url };
    const store = new RedisStore({ ...endpoints, commandTimeout: SHORT });
    after(() => closeAll(store));
    const [load, receipt] = [new Load(store, 'other'), new Received(store, 'other')];
    const other = new RedisStore(endpoints);
    after(() => closeAll(other));
    const [otherLoad, otherReceipt] = [new Load(other, 'load'), new Receipt(store, 'load')];
    await Promise.all([receipt.subscribed, otherReceipt.subscribed]);
    const { eventLog } = load;
    await eventLog.next('connect', 'pub', undefined, 0);
    const since = eventLog.events.length;
    for (const round of [1, 2]) {
      redis.pause();
      otherLoad.send(100);
      const [error] = await ask(store.client('1'), 'get', 'key');
      assert.equal(error.code, 'ERR_COMMAND_TIMEOUT');
      await until('both to say so', () => eventLog.errors('ERR_STALLED').length === 2 * round);
      const { connections } = store.stats();
      assert.deepEqual([connections.pub.state, connections.sub.state], ['stalled', 'stalled']);
      assert.deepEqual(
        eventLog
          .errors('ERR_STALLED')
          .slice(-2)
          .map(({ connection }) => connection)
          .sort(),
        ['pub', 'sub'],
      );
      redis.resume();
      await until('both to be back', () =>
        Object.values(store.stats().connections).every(({ state }) => state === 'connected'),
      );
      assert.deepEqual(await ask(store.client('1'), 'get', 'key'), [null, null]);
      await otherReceipt.complete(otherLoad);
    }
    assert.deepEqual(otherReceipt.missing(otherLoad), []);
    assert.deepEqual(
      eventLog.events.slice(since).filter(({ event }) => HARM.includes(event)),
      [],
    );
    assert.equal(store.stats().reconnects, 0);
  });

  it('as a network that lets nothing through: nothing is lost, under load', async (t) => {
    for (const behind of /** @type {const} */ (['redisSub', 'redisPub'])) {
      const after = cleanup(t);
      const redis = await startRedis();
      after(() => redis.stop());
      const proxy = await startProxy(redis.port);
      after(() => proxy.close());
      const direct = { redisPub: redis.url, redisSub: redis.url, redisClient: redis.url };
      const [publisher, subscriber] = ['redisPub', 'redisSub'].map(
        (name) => new RedisStore(name === behind ? { ...direct, [name]: proxy.url } : direct),
      );
      after(() => closeAll(publisher, subscriber));
      const [load, receipt] = [new Load(publisher, 'load'), new Receipt(subscriber, 'load')];
      await receipt.subscribed;
      await load.eventLog.next('connect', 'pub', undefined, 0);
      load.start(2);
      await receipt.more(500);
      const { eventLog } = behind === 'redisSub' ? receipt : load;
      proxy.freeze();
      await eventLog.next('error', undefined, ({ code }) => code === 'ERR_STALLED', 0);
      proxy.thaw();
      await receipt.more(500);
      await finish(load, receipt);
      assert.deepEqual(receipt.missing(load), []);
      receipt.assertInOrder();
      load.assertBalanced();
      for (const log of [load.eventLog, receipt.eventLog]) {
        assert.deepEqual(
          ['disconnect', 'gap'].flatMap((event) => log.all(event)),
          [],
        );
      }
      await load.stop();
    }
  });
});

describe(
  'a process that is stopped for 8 s',
  { concurrency: true, ...LIMIT, skip: process.platform === 'win32' },
  () => {
    for (const kind of [JS, NATIVE]) {
      it(`${kind}: keeps its connections and loses nothing of what waits for it`, async (t) => {
        const after = cleanup(t);
        const redis = await startRedis();
        after(() => redis.stop());
        const store = openStore(NATIVE, redis);
        after(() => closeAll(store));
        const received = new Received(store, 'from-child');
        await received.subscribed;
        const child = fork(CHILD, [kind, String(redis.port)]);
        after(() => child.kill('SIGKILL'));
        assert.deepEqual(await once(child, 'message').then(([message]) => message), 'ready');
        const stopped = once(child, 'message');
        child.send({ publish: 100 });
        await stopped;
        freeze(/** @type {number} */ (child.pid));
        for (const number of range(100)) {
          store.publish('to-child', number);
          await delay(80);
        }
        child.kill('SIGCONT');
        const [report] = await once(child, 'message');
        assert.deepEqual(report.numbers, range(100));
        assert.deepEqual(report.harm, []);
        assert.deepEqual(report.answers, Array(100).fill(null));
        await until('all of the child', () => received.numbers.at(-1) === 100);
        assert.deepEqual(received.numbers, range(100));
      });
    }
  },
);
