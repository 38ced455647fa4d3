'use strict';

/** Users of Redis who may do less than everything: what the official adapter does without, ours does without too. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { RedisStore, createAdapter } = require('../../..');
const { LIMIT } = require('../../support/limits');
const { closeAll, until } = require('../../support/load');
const { createFixture } = require('./fixture');

/** A server that waited for an answer that cannot come would not end in time. */
const LONG = { requestsTimeout: 100_000 };
const LOGIN = { username: 'app', password: 'pw' };
const OFFICIAL_CHANNELS = ['resetchannels', '&socket.io#/#*', '&socket.io-request#/#', '&socket.io-response#/#*'];

/** @param {import('node:test').TestContext} t @param {string[]} rules of the user */
async function setUp(t, ...rules) {
  const fixture = await createFixture(t);
  await fixture.redis.command('ACL', 'SETUSER', 'app', 'on', '>pw', ...rules);
  const url = `redis://app:pw@127.0.0.1:${fixture.redis.port}/1`;
  const node = () => fixture.node({ url, opts: LONG });
  return { fixture, node, url };
}

/** Nothing has happened but that connections came up, and nothing is missing. */
function assertQuiet(node) {
  assert.deepEqual(
    node.eventLog().events.filter(({ event }) => event !== 'connect'),
    [],
  );
  const { connections } = node.adapter().stats();
  assert.deepEqual(
    [connections.pub.state, connections.sub.state, connections.sub.refused],
    ['connected', 'connected', []],
  );
}

/** Broadcasts, counts and requests work between two servers. */
async function assertWorks(fixture, a, b) {
  const [here, there] = [await fixture.client(a), await fixture.client(b)];
  for (const [node, other] of [
    [a, there],
    [b, here],
  ]) {
    node.io.emit('news', 1);
    assert.deepEqual(await other.event('news'), [1]);
    assert.equal(await node.adapter().serverCount(), 2);
    assert.equal((await node.io.fetchSockets()).length, 2);
  }
  for (const node of [a, b].filter((each) => each.adapter().countSockets)) {
    assert.equal(await node.adapter().countSockets(), 2);
    assert.equal((await node.adapter().fetchSocketIds()).size, 2);
  }
}

describe('a user for pub/sub alone', LIMIT, () => {
  const RULES = ['allchannels', '-@all', '+@pubsub'];

  it('is enough for the official adapter', async (t) => {
    const { fixture } = await setUp(t, ...RULES);
    const [a, b] = [await fixture.official({ login: LOGIN }), await fixture.official({ login: LOGIN })];
    await assertWorks(fixture, a, b);
  });

  it('is enough for ours, even with a database in the URL', async (t) => {
    const { fixture, node } = await setUp(t, ...RULES);
    const [a, b] = [await node(), await node()];
    await assertWorks(fixture, a, b);
    [a, b].forEach(assertQuiet);
  });
});

describe('a user who may not list channels', LIMIT, () => {
  it('counts as the official adapter does', async (t) => {
    const { fixture, node } = await setUp(t, 'allchannels', '+@all', '-pubsub|channels');
    const [a, b] = [await node(), await node()];
    await assertWorks(fixture, a, b);
    const official = await fixture.official({ login: LOGIN });
    assert.deepEqual(await Promise.all([a, b, official].map((each) => each.adapter().serverCount())), [3, 3, 3]);
    [a, b].forEach(assertQuiet);
  });
});

describe('a user who may not count subscribers', LIMIT, () => {
  const RULES = ['allchannels', '+@all', '-pubsub'];

  it('has the official adapter reject', async (t) => {
    const { fixture } = await setUp(t, ...RULES);
    const node = await fixture.official({ login: LOGIN });
    await assert.rejects(node.adapter().serverCount(), /NOPERM/);
    await assert.rejects(node.io.fetchSockets(), /NOPERM/);
  });

  it('has ours reject, with a code', async (t) => {
    const { node } = await setUp(t, ...RULES);
    const { io, adapter } = await node().then((each) => ({ io: each.io, adapter: each.adapter() }));
    const refusal = { code: 'ERR_REDIS_REPLY', message: /PUBSUB.*NOPERM/ };
    await assert.rejects(adapter.serverCount(), refusal);
    await assert.rejects(io.fetchSockets(), refusal);
    await assert.rejects(adapter.allRooms(), refusal);
    await assert.rejects(adapter.countSockets(), refusal);
    await assert.rejects(io.serverSideEmitWithAck('ask'), refusal);
  });
});

describe('a user for the official channels alone', LIMIT, () => {
  it('is enough for the official adapter', async (t) => {
    const { fixture } = await setUp(t, '+@all', ...OFFICIAL_CHANNELS);
    const [a, b] = [await fixture.official({ login: LOGIN }), await fixture.official({ login: LOGIN })];
    await assertWorks(fixture, a, b);
  });

  it('is enough for ours', async (t) => {
    const { fixture, node } = await setUp(t, '+@all', ...OFFICIAL_CHANNELS);
    const [a, b] = [await node(), await node()];
    await assertWorks(fixture, a, b);
    [a, b].forEach(assertQuiet);
  });

  it('makes a server that others take for an official one', async (t) => {
    const { fixture, node } = await setUp(t, '+@all', ...OFFICIAL_CHANNELS);
    const [limited, free] = [await node(), await fixture.node({ opts: LONG })];
    await assertWorks(fixture, limited, free);
    [limited, free].forEach(assertQuiet);
  });

  it('and for the channel that shows what a server is: nothing is asked on the one that it lacks', async (t) => {
    const { fixture, node } = await setUp(t, '+@all', ...OFFICIAL_CHANNELS, '&socket.io-native#/#?*');
    const [limited, free] = [await node(), await fixture.node({ opts: LONG })];
    const mark = 'socket.io-native#/#1#';
    assert.deepEqual([await fixture.subscribers(mark), await fixture.subscribers('socket.io-native#/#')], [2, 1]);
    await assertWorks(fixture, limited, free);
    [limited, free].forEach(assertQuiet);
  });
});

describe('a password for a Redis that asks for none', LIMIT, () => {
  /** Keeps the process warnings of this package, which Node would print. @param {import('node:test').TestContext} t */
  function processWarnings(t) {
    /** @type {any[]} */
    const warnings = [];
    const { emitWarning } = process;
    t.mock.method(process, 'emitWarning', (/** @type {any} */ message, /** @type {any} */ details, ...more) => {
      if (details?.type === 'SocketIORedisWarning') warnings.push({ message, code: details.code });
      else emitWarning.call(process, message, details, ...more);
    });
    return warnings;
  }

  it('is one process warning, and no error', async (t) => {
    const fixture = await createFixture(t);
    const warnings = processWarnings(t);
    const endpoint = `127.0.0.1:${fixture.redis.port}`;
    const a = await fixture.node({ url: `redis://:secret@${endpoint}` });
    const b = await fixture.node();
    await assertWorks(fixture, a, b);
    [a, b].forEach(assertQuiet);
    const since = a.eventLog().events.length;
    await fixture.redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await a.eventLog().next('connect', 'sub', undefined, since);
    assert.equal(warnings.length, 1);
    assert.equal(warnings[0].code, 'WARN_PASSWORD_UNUSED');
    assert.ok(warnings[0].message.includes(endpoint) && !warnings[0].message.includes('secret'));
  });

  it('of a store, too', async (t) => {
    const fixture = await createFixture(t);
    const warnings = processWarnings(t);
    const url = `redis://:secret@127.0.0.1:${fixture.redis.port}`;
    const store = new RedisStore({ redisPub: url, redisSub: url, redisClient: url });
    const errors = [];
    store.on('error', (error) => errors.push(error));
    await until('both connections', () =>
      ['pub', 'sub'].every((name) => store.stats().connections[name].state === 'connected'),
    );
    await until('the warning', () => warnings.length > 0);
    await closeAll(store);
    assert.deepEqual([errors, warnings.length], [[], 1]);
  });
});

describe('the database in the URL', LIMIT, () => {
  it('is nothing to an adapter: no connection of it leaves database 0', async (t) => {
    const fixture = await createFixture(t);
    await fixture.node({ url: `${fixture.redis.url}/7` });
    await until(
      'both connections',
      async () => (await fixture.redis.command('CLIENT', 'LIST')).trim().split('\n').length === 3,
    );
    assert.doesNotMatch(await fixture.redis.command('CLIENT', 'LIST'), / db=7 /);
    assert.throws(() => createAdapter(`${fixture.redis.url}/x`), { code: 'ERR_INVALID_OPTION' });
  });
});
