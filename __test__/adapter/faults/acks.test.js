'use strict';

/** Acknowledgements that never come are forgotten when their time is up, on every server. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { until } = require('../../support/load');
const { createFixture } = require('./fixture');

const { LIMIT } = require('../../support/limits');
const ALL = { rooms: new Set(), except: new Set() };
const ignore = () => {};

async function setUp(t, opts) {
  const fixture = await createFixture(t);
  const [a, b] = [await fixture.node({ opts }), await fixture.node({ opts })];
  const [here, there] = [await fixture.client(a), await fixture.client(b)];
  const owed = () => here.peer.acks.size + there.peer.acks.size;
  return { fixture, a, b, here, there, owed };
}

describe('acknowledgements that never come', LIMIT, () => {
  it('are forgotten after the timeout, here and on the other servers', async (t) => {
    const { a, here, there, owed } = await setUp(t);
    const asked = a.io.timeout(1000).emitWithAck('ask');
    await Promise.all([here.event('ask'), there.event('ask')]);
    assert.equal(owed(), 2);
    assert.equal(a.adapter().ackRequests.size, 1);
    await assert.rejects(asked, /timed out/);
    await until('nothing to be owed', () => owed() === 0 && a.adapter().ackRequests.size === 0);
  });

  for (const [name, timeout] of Object.entries({
    missing: undefined,
    'not a number': 'soon',
    NaN,
    Infinity,
    negative: -1,
    'beyond what a timer takes': 2 ** 40,
  })) {
    it(`without a timeout (${name}), after requestsTimeout`, async (t) => {
      const { a, here, there, owed } = await setUp(t, { requestsTimeout: 2000 });
      there.answers('ask', () => 'there');
      const answered = new Promise((resolve) => {
        const packet = { type: 2, data: ['ask'] };
        a.adapter().broadcastWithAck(packet, { ...ALL, flags: { timeout } }, ignore, resolve);
      });
      assert.equal(await answered, 'there', 'not after 1 ms, as with the official adapter');
      await here.event('ask');
      assert.equal(owed(), 1);
      await until('nothing to be owed', () => owed() === 0 && a.adapter().ackRequests.size === 0);
    });
  }

  it('those that have come leave nothing', async (t) => {
    const { a, here, there, owed } = await setUp(t);
    for (const client of [here, there]) client.answers('ask', () => client.id);
    assert.equal((await a.io.timeout(100_000).emitWithAck('ask')).length, 2);
    assert.equal(owed(), 0);
  });
});
