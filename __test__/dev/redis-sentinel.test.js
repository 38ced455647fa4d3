'use strict';

const assert = require('node:assert');
const { after, before, describe, it } = require('node:test');

const { startSentinels } = require('../../dev/redis-sentinel');
const { LIMIT } = require('../support/limits');

describe('sentinels for tests', LIMIT, () => {
  /** @type {Awaited<ReturnType<typeof startSentinels>>} */
  let all;

  before(async () => {
    all = await startSentinels({ password: 'data', sentinelPassword: 'watch' });
  });
  after(() => all?.stop());

  it('name the master, which has a replica', async () => {
    const master = await all.master();
    assert.strictEqual((await master.server.command('ROLE'))[0], 'master');
    const [replica] = await all.replicas();
    assert.strictEqual((await replica.server.command('ROLE'))[0], 'slave');
    // The master counts as taken what the replica has acknowledged.
    const taken = new RegExp(`port=${replica.port},state=online,offset=[1-9]`);
    assert.match(await master.server.command('INFO', 'replication'), taken);
  });

  it('make the replica the master when told to', async () => {
    const old = await all.master();
    const [replica] = await all.replicas();
    assert.strictEqual(await all.failover(), replica);
    await all.healthy();
    assert.strictEqual((await old.server.command('ROLE'))[0], 'slave');
  });

  it('replace a master that was killed, and take it back as a replica', async () => {
    const dead = await all.killMaster();
    const master = await all.promoted(dead.port);
    assert.notStrictEqual(master, dead);
    await all.restart(dead.port);
    await all.healthy();
    assert.deepStrictEqual(await all.replicas(), [dead]);
  });

  it('replace a master that is cut off', async () => {
    const old = await all.master();
    all.pause(old.port);
    const master = await all.promoted(old.port);
    assert.strictEqual((await master.server.command('ROLE'))[0], 'master');
    all.resume(old.port);
    await all.healthy();
  });

  it('go on without one of them', async () => {
    const [sentinel] = all.sentinels;
    await all.kill(sentinel.port);
    const old = await all.master();
    assert.notStrictEqual(await all.failover(), old);
    await all.restart(sentinel.port);
    await all.healthy();
  });
});
