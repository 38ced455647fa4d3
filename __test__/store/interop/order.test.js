'use strict';

/** What a node publishes arrives in the order in which it was published, across channels. */

const assert = require('node:assert/strict');
const { it } = require('node:test');
const { describePairs } = require('../../support/store-cluster');

const CHUNK = 500;

/**
 * Has a node lead a client, that hangs on the other, through rooms.
 * @param {any} leader
 * @param {any} client
 * @param {number} count
 */
async function parade(leader, client, count) {
  for (let first = 0; first < count; first += CHUNK) await leader.call('parade', client.id, first, CHUNK);
  await leader.run('sockets', ['socket', client.id], ['join', client.id]);
  await leader.run('sockets', ['in', client.id], ['emit', 'end']);
  const expected = Array.from({ length: count }, (_, i) => [':step', i]);
  assert.deepEqual(await client.until('end'), expected);
}

describePairs('order', (cluster) => {
  for (const [transport, count] of /** @type {[string, number][]} */ ([
    ['websocket', 5000],
    ['xhr-polling', 1000],
  ])) {
    it(`join, dispatch, leave, dispatch, ${count} times (${transport})`, async () => {
      const [a, b] = cluster.nodes;
      await parade(a, await cluster.connect(b, { transport }), count);
    });
  }

  it('both nodes at once', async () => {
    const [a, b] = cluster.nodes;
    const [atA, atB] = [await cluster.connect(a), await cluster.connect(b)];
    await Promise.all([parade(a, atB, 2000), parade(b, atA, 2000)]);
  });
});
