'use strict';

/** Real Sentinels with a master and a replica, and stores on them, which all end with the test. */

const { RedisStore } = require('../../..');
const { startSentinels } = require('../../../dev/redis-sentinel');
const { Load, Receipt, cleanup, closeAll } = require('../../support/load');

/** Messages in each turn of about 1 ms: some thousand in a second. */
const CHUNK = 10;

/**
 * @param {import('node:test').TestContext} t
 * @param {Parameters<typeof startSentinels>[0]} [settings]
 */
async function createFixture(t, settings) {
  const after = cleanup(t);
  const all = await startSentinels(settings);
  after(() => all.stop());
  const nodes = all.sentinels.map(({ host, port }) => ({ host, port }));
  const options = {
    name: all.name,
    sentinels: nodes,
    ...(settings?.password && { password: settings.password }),
    ...(settings?.sentinelPassword && { sentinelPassword: settings.sentinelPassword }),
  };
  /** @param {any} endpoint a function makes one for each connection */
  const store = (endpoint = options) => {
    const make = () => (typeof endpoint === 'function' ? endpoint() : endpoint);
    const made = new RedisStore({ redisPub: make(), redisSub: make(), redisClient: make() });
    after(() => closeAll(made));
    return made;
  };
  /**
   * One store publishes under load and another one listens.
   * @param {any} [publisher]
   * @param {any} [subscriber]
   */
  const underLoad = async (publisher = store(), subscriber = store()) => {
    const [load, receipt] = [new Load(publisher, 'load'), new Receipt(subscriber, 'load')];
    await receipt.subscribed;
    load.start(CHUNK);
    after(() => load.stop());
    await receipt.more(1000);
    return { load, receipt };
  };
  return { all, after, options, store, underLoad };
}

/**
 * Waits until both connections lead to a server that has been named since, and messages arrive.
 * @param {{ load: Load, receipt: Receipt }} flow
 * @param {() => Promise<unknown>} replace replaces the master
 */
async function through({ load, receipt }, replace) {
  const since = [load.eventLog.events.length, receipt.eventLog.events.length];
  await replace();
  await load.eventLog.next('connect', 'pub', undefined, since[0]);
  await receipt.eventLog.next('connect', 'sub', undefined, since[1]);
  await receipt.more(1000);
}

module.exports = { createFixture, through };
