'use strict';

/** Another master while messages flow: each is delivered, or lies in a gap that was told. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');

const Redis = require('ioredis-6').default;

const { LIMIT } = require('../../support/limits');
const { assertBothHit, finish, until } = require('../../support/load');
const { createFixture, through } = require('./fixture');

describe('a failover under load', LIMIT, () => {
  it('on command, three times', async (t) => {
    const { all, store, underLoad } = await createFixture(t);
    const [publisher, subscriber] = [store(), store()];
    const flow = await underLoad(publisher, subscriber);
    for (let round = 0; round < 3; round++) {
      await through(flow, () => all.failover());
      await all.healthy();
    }
    await finish(flow.load, flow.receipt);
    assertBothHit(flow.load, flow.receipt);
  });

  it('after the master was killed, which comes back as a replica', async (t) => {
    const { all, store, underLoad } = await createFixture(t);
    const [publisher, subscriber] = [store(), store()];
    const flow = await underLoad(publisher, subscriber);
    await through(flow, async () => {
      const { port } = await all.killMaster();
      await all.promoted(port);
      await all.restart(port);
      await all.healthy();
    });
    await finish(flow.load, flow.receipt);
    assertBothHit(flow.load, flow.receipt);
  });

  it('while the old master goes on as one, cut off from the others', async (t) => {
    const { all, after, store, underLoad } = await createFixture(t);
    const [publisher, subscriber] = [store(), store()];
    const flow = await underLoad(publisher, subscriber);
    const old = await all.master();
    const inside = new Redis(old.port, old.host);
    after(() => inside.disconnect());
    await inside.ping();
    const since = [flow.load, flow.receipt].map(({ eventLog }) => eventLog.events.length);
    await through(flow, async () => {
      // Who is in stays in; Sentinels and replica are out and cannot come back: it is never told.
      await inside.config('SET', 'requirepass', 'secret');
      await inside.client('KILL', 'TYPE', 'replica');
      for (const [, id] of (await inside.client('LIST')).matchAll(/id=(\d+) .* name=sentinel-/g)) {
        await inside.client('KILL', 'ID', id);
      }
      await all.promoted(old.port);
    });
    assert.equal((await inside.role())[0], 'master');
    const [left, right] = [flow.load, flow.receipt].map(({ eventLog }, at) =>
      eventLog.events
        .slice(since[at])
        .filter(({ event, connection }) => event === 'disconnect' && connection !== 'cmd'),
    );
    for (const { error } of [...left, ...right]) assert.match(error.message, /the Sentinels name .* as the master/);
    await finish(flow.load, flow.receipt);
    assertBothHit(flow.load, flow.receipt);
  });

  it('of all servers at once', async (t) => {
    const { all, store, underLoad } = await createFixture(t);
    const [publisher, subscriber] = [store(), store()];
    const flow = await underLoad(publisher, subscriber);
    await through(flow, async () => {
      const since = flow.load.eventLog.events.length;
      const servers = [...all.sentinels, ...all.data];
      await Promise.all(servers.map(({ port }) => all.kill(port)));
      const { error } = await flow.load.eventLog.next('error', 'pub', ({ code }) => code === 'ERR_SENTINEL', since);
      for (const { host, port } of all.sentinels) assert.match(error.message, new RegExp(`${host}:${port}: `));
      await Promise.all(servers.map(({ port }) => all.restart(port)));
    });
    await all.healthy();
    await finish(flow.load, flow.receipt);
    assertBothHit(flow.load, flow.receipt);
    await until('all connections', () =>
      [publisher, subscriber].every((store) =>
        Object.values(store.stats().connections).every(({ state }) => state === 'connected'),
      ),
    );
  });
});
