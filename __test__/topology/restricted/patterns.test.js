'use strict';

/** A user who may not `PSUBSCRIBE`: the mode 'dynamic' has a channel for each socket then. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { createFixture, range } = require('../../adapter/faults/fixture');
const { LIMIT, PATIENCE } = require('../../support/limits');
const { until } = require('../../support/load');

const WITHOUT = ['-psubscribe', '-punsubscribe'];
const PATTERN = `socket.io#/#${'?'.repeat(20)}#`;
const channelOf = (/** @type {string} */ room) => `socket.io#/#${room}#`;

/** @param {import('node:test').TestContext} t @param {string[]} rules what else holds for the user */
async function setUp(t, rules = WITHOUT) {
  const fixture = await createFixture(t);
  const allow = (/** @type {string[]} */ ...more) => fixture.redis.command('ACL', 'SETUSER', 'app', ...more);
  await allow('reset', 'on', '>pw', '+@all', 'allkeys', 'allchannels', ...rules);
  const url = `redis://app:pw@127.0.0.1:${fixture.redis.port}`;
  const opts = { subscriptionMode: 'dynamic', requestsTimeout: PATIENCE };
  const open = (more = {}) => fixture.node({ url, opts, ...more });
  /** Has Redis end all connections that subscribe, and waits until those of a node are whole again. */
  const reconnect = async (node) => {
    const since = node.eventLog().events.length;
    await fixture.redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await node.eventLog().next('connect', 'sub', undefined, since);
    return node.eventLog().next('gap', 'sub', undefined, since);
  };
  return { fixture, allow, open, reconnect };
}

/** Each reaches the client once, in order. */
async function assertReached(io, client) {
  await client.peer.join('room');
  for (const n of range(1, 10)) for (const to of [io, io.to('room'), io.to(client.id)]) to.emit('n', n);
  io.emit('end');
  const news = await client.until('end');
  // Each of the three has channels of its own; they are on one connection.
  assert.deepEqual(
    news,
    range(1, 10).flatMap((n) => Array(3).fill(['n', n])),
  );
}

const assertNoErrors = (...nodes) => nodes.forEach((node) => assert.deepEqual(node.eventLog().all('error'), []));

describe("the mode 'dynamic' without PSUBSCRIBE", LIMIT, () => {
  it('serves sockets, also after a connection was lost, and leaves their channels', async (t) => {
    const { fixture, open, reconnect } = await setUp(t);
    const [a, b] = [await open(), await open()];
    await b.adapter().ready();
    const [client, other] = [await fixture.client(b), await fixture.client(b)];
    await assertReached(a.io, client);
    assert.equal((await a.io.in(client.id).fetchSockets()).length, 1);
    assert.ok((await fixture.channels()).includes(channelOf(client.id)));
    const { dropped } = await reconnect(b);
    assert.equal(dropped, 0);
    // What is told to be whole is so for sockets too.
    assert.equal(await fixture.subscribers(channelOf(other.id)), 1);
    await assertReached(a.io, client);
    client.socket.disconnect();
    await until('its channel to be left', async () => (await fixture.subscribers(channelOf(client.id))) === 0);
    // What was for all before is of no interest.
    for (let i = 0; i < 2; i++) await other.until('end');
    await assertReached(a.io, other);
    assert.deepEqual(b.adapter().stats().connections.sub.state, 'connected');
    assertNoErrors(a, b);
    await b.close();
    await until('all to be left', async () => (await fixture.subscribers(channelOf(other.id))) === 0);
    assertNoErrors(a, b);
  });

  it('serves sockets that came before Redis did', async (t) => {
    const { fixture, allow, open } = await setUp(t);
    const a = await open();
    await allow('off');
    const b = await open({ connects: false });
    const client = await fixture.client(b);
    await allow('on');
    await b.eventLog().next('connect', 'sub', undefined, 0);
    assert.equal(await fixture.subscribers(channelOf(client.id)), 1);
    await assertReached(a.io, client);
  });

  it('serves sockets that were behind the pattern before the right was taken', async (t) => {
    const { fixture, allow, open, reconnect } = await setUp(t, []);
    const [a, b] = [await open(), await open()];
    const client = await fixture.client(b);
    await assertReached(a.io, client);
    assert.equal(await fixture.redis.command('PUBSUB', 'NUMPAT'), 1);
    assert.equal(await fixture.subscribers(channelOf(client.id)), 0);
    await allow(...WITHOUT);
    await reconnect(b);
    assert.equal(await fixture.subscribers(channelOf(client.id)), 1);
    await assertReached(a.io, client);
    // A right that is given again changes nothing: nothing comes twice.
    await allow('+psubscribe', '+punsubscribe');
    await reconnect(b);
    await assertReached(a.io, client);
    assertNoErrors(a, b);
  });

  it('serves sockets where the pattern is none of the channels of the user', async (t) => {
    const { fixture, open } = await setUp(t, ['resetchannels', '&socket.io*#/#*', '&socket.io-heartbeat']);
    const [a, b] = [await open(), await open()];
    const client = await fixture.client(b);
    assert.equal(await fixture.redis.command('PUBSUB', 'NUMPAT'), 0);
    await assertReached(a.io, client);
    assertNoErrors(a, b);
  });

  it('has one pattern where there may be one', async (t) => {
    const { fixture, open } = await setUp(t, [
      'resetchannels',
      '&socket.io*#/#*',
      `&${PATTERN}`,
      '&socket.io-heartbeat',
    ]);
    const [a, b] = [await open(), await open()];
    const client = await fixture.client(b);
    assert.equal(await fixture.redis.command('PUBSUB', 'NUMPAT'), 1);
    assert.equal(await fixture.subscribers(channelOf(client.id)), 0);
    await assertReached(a.io, client);
  });

  it('serves a server whose clients come and go all the time', async (t) => {
    const { fixture, open, reconnect } = await setUp(t);
    const [a, b] = [await open(), await open()];
    let rounds = 0;
    const churn = (async () => {
      while (rounds < 20) {
        const clients = await Promise.all(range(1, 5).map(() => fixture.client(b)));
        clients.forEach(({ socket }) => socket.disconnect());
        rounds++;
      }
    })();
    while (rounds < 20) await reconnect(b);
    await churn;
    const client = await fixture.client(b);
    await assertReached(a.io, client);
    const own = () => fixture.channels(PATTERN);
    await until('all others to be left', async () => (await own()).length === 1);
    assert.deepEqual(await own(), [channelOf(client.id)]);
    assertNoErrors(a, b);
  });
});
