'use strict';

/** Sentinels that lie, are down, or ask for a password. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');

const { startSentinels } = require('../../../dev/redis-sentinel');
const { LIMIT } = require('../../support/limits');
const { EventLog, assertBothHit, finish, until } = require('../../support/load');
const { createFixture, through } = require('./fixture');

/** Waits until a Sentinel without others has got some commands more, which are ours alone. */
async function askedAgain({ server }, times = 10) {
  let own = 0;
  const asked = async () => {
    const info = await server.command('INFO', 'stats');
    return Number(/total_commands_processed:(\d+)/.exec(info)?.[1]) - own++;
  };
  const before = await asked();
  await until('it is asked again', async () => (await asked()) >= before + times);
}

describe('Sentinels', LIMIT, () => {
  it('of which one names another master: most of them count', async (t) => {
    const { all, after, options, store, underLoad } = await createFixture(t);
    const other = await startSentinels({ sentinels: 1, replicas: 0 });
    after(() => other.stop());
    const liar = other.sentinels[0];
    const sentinels = [{ host: liar.host, port: liar.port }, ...options.sentinels];
    const publisher = store({ ...options, sentinels });
    const flow = await underLoad(publisher);
    await askedAgain(liar);
    await through(flow, () => all.failover());
    await finish(flow.load, flow.receipt);
    assertBothHit(flow.load, flow.receipt);
    const clients = await other.data[0].server.command('CLIENT', 'LIST', 'TYPE', 'NORMAL');
    assert.doesNotMatch(clients, /lib-name=socket\.io-redis-native/);
  });

  it('that name a replica are not believed, until they name the master', async (t) => {
    const { all, after, store, options, underLoad } = await createFixture(t);
    const [master, [replica]] = [await all.master(), await all.replicas()];
    const other = await startSentinels({ sentinels: 1, replicas: 0 });
    after(() => other.stop());
    const [liar] = other.sentinels;
    const name = async (node) => {
      await liar.server.command('SENTINEL', 'REMOVE', all.name);
      await liar.server.command('SENTINEL', 'MONITOR', all.name, node.host, node.port, 2);
    };
    await name(replica);
    const misled = store({ ...options, sentinels: [{ host: liar.host, port: liar.port }] });
    const { error } = await new EventLog(misled).next('error', 'sub');
    assert.equal(error.code, 'ERR_SENTINEL');
    assert.match(
      error.message,
      new RegExp(`${liar.port}: it names ${replica.host}:${replica.port}, which is a replica`),
    );
    await name(master);
    const flow = await underLoad(misled);
    await finish(flow.load, flow.receipt);
    flow.load.assertBalanced();
  });

  it('of which some are down, or all: connections that are up go on', async (t) => {
    const { all, store, options, underLoad } = await createFixture(t);
    const [one, ...others] = all.sentinels;
    await all.kill(one.port);
    // Of the others it knows by the first that it finds.
    const sentinels = options.sentinels.slice(0, 2);
    const flow = await underLoad(store({ ...options, sentinels }));
    const since = flow.load.eventLog.events.length;
    for (const { port } of others) await all.kill(port);
    await flow.receipt.more(1000);
    const late = store();
    const { error } = await new EventLog(late).next('error', 'sub');
    assert.equal(error.code, 'ERR_SENTINEL');
    for (const { host, port } of all.sentinels) assert.match(error.message, new RegExp(`${host}:${port}: .*refused`));
    assert.deepEqual(flow.load.eventLog.events.slice(since), []);
    for (const { port } of all.sentinels) await all.restart(port);
    await until('the late one', () => late.stats().connections.sub.state === 'connected');
    await finish(flow.load, flow.receipt);
    assert.deepEqual(flow.receipt.eventLog.all('gap'), []);
    flow.load.assertBalanced();
  });

  it('with a password of their own, and one of the master', async (t) => {
    const settings = { password: 'data', sentinelPassword: 'watch' };
    const { all, store, options, underLoad } = await createFixture(t, settings);
    const flow = await underLoad();
    await through(flow, () => all.failover());
    await finish(flow.load, flow.receipt);
    assertBothHit(flow.load, flow.receipt);
    const wrong = store({ ...options, sentinelPassword: 'other' });
    const { error } = await new EventLog(wrong).next('error', 'sub');
    assert.equal(error.code, 'ERR_SENTINEL');
    assert.match(error.message, /WRONGPASS/);
  });
});
