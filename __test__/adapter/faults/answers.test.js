'use strict';

/**
 * Redis answers a ping with an error, and still publishes and subscribes: nothing is lost. The official
 * adapter, which sends no pings, is the model.
 */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { NO_PORT } = require('../../../dev/redis-server');
const { LIMIT } = require('../../support/limits');
const { until } = require('../../support/load');
const { failSaves, failingSaves, refusals } = require('../../support/refusals');
const { createFixture } = require('./fixture');

/** Publishes and subscribes; what is not answered twice may still be the end of a connection. */
const TWICE = 2;

/**
 * What a situation is made of: the arguments of Redis, what is done once servers are up, and how Redis
 * answers a ping from then on.
 * @type {{ name: string, args: () => Promise<string[]>, begin?: (redis: any) => Promise<unknown>, error: string }[]}
 */
const SITUATIONS = [
  { name: 'the last save has failed', args: async () => failingSaves(), begin: failSaves, error: 'MISCONF' },
  {
    name: 'it is the replica of a dead master',
    args: async () => ['--replicaof', `127.0.0.1 ${NO_PORT}`, '--replica-serve-stale-data', 'no'],
    error: 'MASTERDOWN',
  },
  { name: 'PING is renamed', args: async () => ['--rename-command', 'PING', ''], error: 'ERR' },
  {
    name: 'the right to ping is taken away',
    args: async () => [],
    begin: (redis) => redis.command('ACL', 'SETUSER', 'default', '-ping'),
    error: 'NOPERM',
  },
];

/** Each server emits once, and the clients of all get it. */
async function assertDelivered(nodes, clients) {
  for (const [i, node] of nodes.entries()) {
    node.io.emit('news', i);
    for (const client of clients) assert.deepEqual(await client.event('news'), [i]);
  }
}

/** Nothing has happened but that connections came up. */
function assertQuiet(node) {
  assert.deepEqual(
    node.eventLog().events.filter(({ event }) => event !== 'connect'),
    [],
  );
  for (const { state } of Object.values(node.adapter().stats().connections)) assert.equal(state, 'connected');
}

for (const { name, args, begin = async () => {}, error } of SITUATIONS) {
  describe(`-${error}: ${name}`, LIMIT, () => {
    it('the official adapter delivers', async (t) => {
      const fixture = await createFixture(t, await args());
      const nodes = [await fixture.official(), await fixture.official(), await fixture.official()];
      await begin(fixture.redis);
      await assertDelivered(nodes, await Promise.all(nodes.map((node) => fixture.client(node))));
    });

    it('so does ours, on connections that are up and on those that come', async (t) => {
      const fixture = await createFixture(t, await args());
      const nodes = [await fixture.node(), await fixture.node(), await fixture.node()];
      await begin(fixture.redis);
      const before = await refusals(fixture.redis, error);
      const pings = 2 * nodes.length * TWICE;
      await until('pings to be refused', async () => (await refusals(fixture.redis, error)) >= before + pings);
      nodes.push(await fixture.node());
      await assertDelivered(nodes, await Promise.all(nodes.map((node) => fixture.client(node))));
      nodes.forEach(assertQuiet);
    });
  });
}

describe('-BUSY: a script is past its limit', LIMIT, () => {
  /** Runs a script for ever; resolves when Redis says that it is busy. */
  async function keepBusy(redis) {
    const script = redis.command('EVAL', 'while true do end', '0').catch((error) => error);
    await until('a busy Redis', () =>
      redis.command('PING').then(
        () => false,
        ({ message }) => message.startsWith('BUSY'),
      ),
    );
    return async () => {
      await redis.command('SCRIPT', 'KILL');
      assert.match((await script).message, /killed/);
    };
  }

  it('the official adapter delivers after it', async (t) => {
    const fixture = await createFixture(t, ['--busy-reply-threshold', '100']);
    const nodes = [await fixture.official(), await fixture.official()];
    const clients = await Promise.all(nodes.map((node) => fixture.client(node)));
    const end = await keepBusy(fixture.redis);
    await end();
    await assertDelivered(nodes, clients);
  });

  it('so does ours, and keeps its connections', async (t) => {
    const fixture = await createFixture(t, ['--busy-reply-threshold', '100']);
    const proxy = await fixture.proxy();
    const nodes = [
      await fixture.node({ url: proxy.url }),
      await fixture.node({ url: proxy.url }),
      await fixture.node({ url: proxy.url }),
    ];
    const clients = await Promise.all(nodes.map((node) => fixture.client(node)));
    let refused = 0;
    proxy.onAnswer = (chunk) => {
      refused += chunk.toString('latin1').split('-BUSY').length - 1;
    };
    const end = await keepBusy(fixture.redis);
    await until('pings to be refused', () => refused >= 2 * nodes.length * TWICE);
    await end();
    await assertDelivered(nodes, clients);
    nodes.forEach(assertQuiet);
  });
});
