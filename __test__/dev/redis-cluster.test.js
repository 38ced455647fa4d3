'use strict';

const assert = require('node:assert');
const { after, before, describe, it } = require('node:test');
const { setTimeout: delay } = require('node:timers/promises');

const { slotOf, startCluster } = require('../../dev/redis-cluster');
const { LIMIT } = require('../support/limits');
const { until } = require('../support/load');

describe('a cluster for tests', LIMIT, () => {
  /** @type {Awaited<ReturnType<typeof startCluster>>} */
  let cluster;

  before(async () => {
    cluster = await startCluster({ password: 'secret' });
  });
  after(() => cluster?.stop());

  const keys = ['foo', '', '{a}b', 'x{a}', '{}x', 'x{}{y}', '{a', 'socket.io#/#'];

  it('has masters that share the slots, and a replica of each', async () => {
    const masters = await cluster.masters();
    assert.strictEqual(masters.length, 3);
    for (const { port } of masters) assert.strictEqual((await cluster.replicas(port)).length, 1);
  });

  it('knows the slots of keys as Redis does', async () => {
    const { server } = cluster.nodes[0];
    for (const key of keys) assert.strictEqual(slotOf(key), await server.command('CLUSTER', 'KEYSLOT', key), key);
  });

  it('moves a slot with its keys, by way of ASK', async () => {
    const slot = slotOf('moved');
    const from = await cluster.masterOf(slot);
    const to = /** @type {any} */ ((await cluster.masters()).find((node) => node !== from));
    await from.server.command('SET', 'moved', 'value');
    await cluster.migrateSlot(slot, to.port, {
      during: () => assert.rejects(from.server.command('GET', '{moved}absent'), /^Error: ASK /),
    });
    assert.strictEqual(await to.server.command('GET', 'moved'), 'value');
    await assert.rejects(from.server.command('GET', 'moved'), new RegExp(`MOVED ${slot} 127.0.0.1:${to.port}`));
    await cluster.healthy();
  });

  it('makes a replica the master, with what the master had', async () => {
    const slot = slotOf('kept');
    const old = await cluster.masterOf(slot);
    await old.server.command('SET', 'kept', 'value');
    const master = await cluster.failover(old.port);
    assert.strictEqual(await cluster.masterOf(slot), master);
    assert.strictEqual(await master.server.command('GET', 'kept'), 'value');
    await cluster.healthy();
    assert.deepStrictEqual(await cluster.replicas(master.port), [old]);
  });

  it('goes on without a master that was killed, and takes it back as a replica', async () => {
    const [victim] = await cluster.masters();
    await cluster.kill(victim.port);
    await cluster.healthy();
    assert.ok(!(await cluster.masters()).includes(victim));
    await cluster.restart(victim.port);
    await cluster.healthy();
    assert.ok((await cluster.replicas()).includes(victim));
  });

  it('keeps a master that is only slow', async () => {
    const [slow] = await cluster.masters();
    slow.server.pause();
    const isDown = async ({ server }) => (await server.command('CLUSTER', 'INFO')).includes('cluster_state:fail');
    const others = cluster.nodes.filter((node) => node !== slow);
    await until('it to seem down', async () => (await Promise.all(others.map(isDown))).every(Boolean));
    // As long as an election takes.
    await delay(2000);
    slow.server.resume();
    await cluster.healthy();
    assert.ok((await cluster.masters()).includes(slow));
  });

  it('replaces a master that is cut off', async () => {
    const [victim] = await cluster.masters();
    await cluster.pause(victim.port);
    await cluster.failover(victim.port);
    assert.strictEqual((await cluster.masters()).length, 3);
    cluster.resume(victim.port);
    await cluster.healthy();
    assert.ok((await cluster.replicas()).includes(victim));
  });
});
