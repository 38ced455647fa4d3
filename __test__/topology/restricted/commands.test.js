'use strict';

/** Servers that lack commands: worked around, else one error that says what to do. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { createFixture } = require('../../adapter/faults/fixture');
const { LIMIT } = require('../../support/limits');

const without = (/** @type {string[]} */ ...commands) =>
  commands.flatMap((command) => ['--rename-command', command, '']);

/** Broadcasts, counts and requests work between two servers, and nothing is told. */
async function assertWorks(fixture, opts = {}) {
  const [a, b] = [await fixture.node({ opts }), await fixture.node({ opts })];
  const client = await fixture.client(b);
  await client.peer.join('room');
  for (const to of [a.io, a.io.to('room'), a.io.to(client.id)]) {
    to.emit('news', 1);
    assert.deepEqual(await client.event('news'), [1]);
  }
  assert.equal((await a.io.fetchSockets()).length, 1);
  for (const node of [a, b]) {
    const told = node.eventLog().events.filter(({ event }) => event !== 'connect');
    assert.deepEqual(told, []);
  }
}

describe('a server without patterns', LIMIT, () => {
  const ARGS = without('PSUBSCRIBE', 'PUNSUBSCRIBE');

  for (const subscriptionMode of ['dynamic', 'dynamic-private'])
    it(`serves '${subscriptionMode}'`, async (t) => {
      await assertWorks(await createFixture(t, ARGS), { subscriptionMode });
    });

  it("is one error in the mode 'pattern' that says what to do", async (t) => {
    const fixture = await createFixture(t, ARGS);
    const node = await fixture.node({ opts: { subscriptionMode: 'pattern' }, connects: false });
    const { code, error } = await node.eventLog().next('error', 'sub', undefined, 0);
    assert.equal(code, 'ERR_SUBSCRIPTION_REFUSED');
    assert.equal(error.command, 'PSUBSCRIBE');
    assert.match(error.message, /subscriptionMode: 'dynamic'/);
    await assert.rejects(node.adapter().ready(), { code });
    assert.equal(node.eventLog().all('error').length, 1);
  });
});

describe('a server that says nothing of itself', LIMIT, () => {
  it('serves an adapter', async (t) => {
    await assertWorks(await createFixture(t, without('ROLE', 'HELLO', 'CLIENT', 'PFCOUNT', 'SELECT')));
  });
});
