'use strict';

/** Which server each connection is on, as `stats()` and the events name it, and as the servers themselves know it. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');

const { createAdapter, createShardedAdapter } = require('../../..');
const { slotOf, startCluster } = require('../../../dev/redis-cluster');
const { NO_PORT } = require('../../../dev/redis-server');
const { LIMIT } = require('../../support/limits');
const { EventLog, cleanup, closeAll, until } = require('../../support/load');
const { ask } = require('../../support/stores');
const { serverWith, storeOn } = require('../cluster/fixture');
const { createFixture } = require('../sentinel/fixture');

const FIRST = `127.0.0.1:${NO_PORT}`;

describe('a connection is named after its server', LIMIT, () => {
  it('on classic channels of a cluster, of which another node is given first', async (t) => {
    const { cluster, adapter, log } = await openIn(t, createAdapter);
    const { pub, sub } = adapter.stats().connections;
    assert.deepEqual([pub.endpoint], await usedWith(cluster, 'publish'));
    assert.deepEqual([sub.endpoint], await usedWith(cluster, 'psubscribe'));

    const { length } = log.events;
    await cluster.kill(portOf(sub.endpoint));
    assert.equal((await log.next('disconnect', 'sub', undefined, length)).endpoint, sub.endpoint);
    const { endpoint } = await log.next('connect', 'sub', undefined, length);
    assert.deepEqual([endpoint], await usedWith(cluster, 'psubscribe'));
    for (const { endpoint: next } of log.all('reconnecting')) assert.equal(next, FIRST);
  });

  it('on sharded channels, where all nodes are named, and the one that is lost', async (t) => {
    const { cluster, adapter, log } = await openIn(t, createShardedAdapter);
    const named = () => adapter.stats().connections.sub.endpoint.split(', ');
    const used = await usedWith(cluster, 'ssubscribe');
    assert.deepEqual(missing(used, named()), []);
    // One more connection is there for what is not sharded.
    const others = missing(named(), used);
    assert.ok(others.length <= 1 && missing(others, addresses(await cluster.masters())).length === 0, `${others}`);

    const { length } = log.events;
    const { port } = await cluster.masterOf(slotOf('socket.io#/#'));
    await cluster.kill(port);
    assert.equal(portOf((await log.next('disconnect', 'sub', undefined, length)).endpoint), port);
    const next = await cluster.failover(port);
    // Channels rest for a while between the two.
    await until('the new owner is named', () => missing(addresses([next]), named()).length === 0);
    assert.ok(!named().includes(`${next.host}:${port}`));
  });

  it('where the session data of a store are on all nodes of a cluster', async (t) => {
    const after = cleanup(t);
    const cluster = await startCluster({ replicas: 0 });
    after(() => cluster.stop());
    const store = storeOn({ cluster: [`redis://${FIRST}`, ...cluster.urls] });
    after(() => closeAll(store));
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f'])
      assert.deepEqual(await ask(store.client(id), 'set', 'key', 'value'), [null, 1]);
    assert.deepEqual(store.stats().connections.cmd.endpoint.split(', '), await usedWith(cluster, 'hset'));
  });

  it('which is the master that Sentinels name', async (t) => {
    const { all, store: open } = await createFixture(t);
    const store = open();
    const log = new EventLog(store);
    const links = /** @type {const} */ (['pub', 'sub']);
    for (const link of links) await log.next('connect', link, undefined, 0);
    const [old] = addresses([await all.master()]);
    const { pub, sub, cmd } = store.stats().connections;
    assert.deepEqual([pub.endpoint, sub.endpoint, cmd.endpoint], [old, old, old]);

    const { length } = log.events;
    const { port } = await all.killMaster();
    const next = addresses([await all.promoted(port)])[0];
    for (const link of links) {
      assert.equal((await log.next('disconnect', link, undefined, length)).endpoint, old);
      assert.equal((await log.next('reconnecting', link, undefined, length)).endpoint, all.name);
      assert.equal((await log.next('connect', link, undefined, length)).endpoint, next);
      assert.equal(store.stats().connections[link].endpoint, next);
    }
  });
});

/**
 * @param {import('node:test').TestContext} t
 * @param {typeof createAdapter | typeof createShardedAdapter} create
 */
async function openIn(t, create) {
  const after = cleanup(t);
  const cluster = await startCluster();
  after(() => cluster.stop());
  const factory = create({ cluster: [`redis://${FIRST}`, ...cluster.urls] });
  const io = serverWith(factory);
  after(() => io.close());
  const adapter = /** @type {any} */ (io.of('/').adapter);
  const log = new EventLog(adapter);
  await factory.ready();
  await until('both connections are up', () => {
    const { pub, sub } = adapter.stats().connections;
    return pub.state === 'connected' && sub.state === 'connected';
  });
  return { cluster, adapter, log };
}

/** @param {{ host: string, port: number }[]} nodes */
function addresses(nodes) {
  return nodes.map(({ host, port }) => `${host}:${port}`).sort();
}

/** @param {string} endpoint */
function portOf(endpoint) {
  return Number(endpoint.split(':')[1]);
}

/** @param {string[]} names @param {string[]} from @returns {string[]} those names that are not in the others */
function missing(names, from) {
  return names.filter((name) => !from.includes(name));
}

/**
 * @param {Awaited<ReturnType<typeof startCluster>>} cluster
 * @param {string} command
 * @returns {Promise<string[]>} the running nodes that have done such commands
 */
async function usedWith(cluster, command) {
  const infos = await Promise.all(cluster.running.map(({ server }) => server.command('INFO', 'commandstats')));
  return addresses(cluster.running.filter((node, at) => infos[at].includes(`cmdstat_${command}:`)));
}
