'use strict';

/** An address that leads to another master, while the old one becomes its replica and ends no connection. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');

const { Emitter } = require('../../..');
const { startRedis } = require('../../../dev/redis-server');
const { createFixture } = require('../../adapter/faults/fixture');
const { LIMIT, PATIENCE } = require('../../support/limits');
const { EventLog, until } = require('../../support/load');

const SENT = 10;

describe('a master that is replaced behind its address', { concurrency: true, ...LIMIT }, () => {
  it('is left, and what it has confirmed since is unconfirmed', async (t) => {
    const { redis, proxy, emitter, log, replace } = await start(t);
    // So that all that follows is answered after the server has changed.
    proxy.holdReplies();
    await replace();
    for (let n = 0; n < SENT; n++) emitter.emit('news', n);
    await until('they are there', async () => (await calls(redis, 'publish')) >= SENT);
    proxy.thaw();
    await log.next('gap', 'pub', undefined, 0);
    const { published, unconfirmed } = emitter.stats();
    assert.deepEqual({ published, unconfirmed }, { published: 0, unconfirmed: SENT });
    const told = log.all('gap', 'pub').map((gap) => gap.unconfirmed);
    assert.deepEqual(told, [SENT]);
  });

  it('is left by its subscribers too, whose gap begins when it was last known to be one', async (t) => {
    const { redis, log, replace } = await start(t);
    await until('pings are answered', async () => (await calls(redis, 'ping')) >= 3);
    await replace();
    const replaced = Date.now();
    const { since } = await log.next('gap', 'sub', undefined, 0);
    assert.ok(since <= replaced, `${since - replaced} ms later`);
  });
});

/**
 * An emitter on a master that has a replica, behind a proxy.
 * @param {import('node:test').TestContext} t
 */
async function start(t) {
  const fixture = await createFixture(t);
  const { redis } = fixture;
  const other = await startRedis();
  fixture.after(() => other.stop());
  await follow(other, redis);
  const proxy = await fixture.proxy();
  const emitter = new Emitter(proxy.url, { commandTimeout: PATIENCE });
  fixture.after(() => emitter.close());
  const log = new EventLog(/** @type {any} */ (emitter));
  await emitter.ready();
  /** The replica is the master from now on; new connections lead there. */
  const replace = async () => {
    await other.command('REPLICAOF', 'NO', 'ONE');
    proxy.retarget(other.port);
    await redis.command('REPLICAOF', '127.0.0.1', String(other.port));
  };
  return { redis, proxy, emitter, log, replace };
}

/** @param {Awaited<ReturnType<typeof startRedis>>} server @param {Awaited<ReturnType<typeof startRedis>>} master */
async function follow(server, master) {
  await server.command('REPLICAOF', '127.0.0.1', String(master.port));
  await until('the replica is in sync', async () =>
    (await server.command('INFO', 'replication')).includes('master_link_status:up'),
  );
}

/**
 * @param {Awaited<ReturnType<typeof startRedis>>} server
 * @param {string} command
 * @returns {Promise<number>} how often it was called there
 */
async function calls(server, command) {
  const stats = await server.command('INFO', 'commandstats');
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}
