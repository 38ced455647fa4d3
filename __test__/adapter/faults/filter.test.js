'use strict';

/** Broadcasts for rooms that have no socket here never reach JavaScript, whatever else arrives. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { BlockingPublisher } = require('../../support/blocking-publisher');
const { LIMIT } = require('../../support/limits');
const { until } = require('../../support/load');
const { awaitResponses, broadcast, createFixture, stub } = require('./fixture');

const MANY = 1000;
const ELSEWHERE = /** @type {const} */ (['socket.io#/#elsewhere#', broadcast(['news'], { rooms: ['elsewhere'] })]);

/**
 * A server that has a broadcast for another room behind each of some other messages; returns how many it filtered.
 * @param {(adapter: any) => void} [prepare]
 */
async function filtered(t, others, prepare) {
  const fixture = await createFixture(t);
  const node = await fixture.node();
  if (prepare) {
    const { received } = node.adapter().stats();
    prepare(node.adapter());
    await until('what it asks, which it hears too', () => node.adapter().stats().received > received);
  }
  const written = [];
  t.after(stub(node, 'stub', ['here'], ([text]) => written.push(JSON.parse(text.slice(1)).join())));
  const publisher = new BlockingPublisher(fixture.redis.port);
  t.after(() => publisher.close());
  const before = node.adapter().stats();
  // As they come: some arrive together, and some while the event loop is at others.
  for (let sent = 0; sent < MANY; sent += 50) {
    publisher.publish(...Array.from({ length: 50 }, (_, i) => [others(sent + i), ELSEWHERE]).flat());
    await new Promise(setImmediate);
  }
  publisher.publish(['socket.io#/#here#', broadcast(['end'], { rooms: ['here'] })]);
  await until('the last one', () => written.includes('end'));
  const { received, delivered, filteredRooms } = node.adapter().stats();
  assert.equal(received - before.received, 2 * MANY + 1);
  assert.equal(delivered - before.delivered, MANY + 1, 'all others reach JavaScript, and no broadcast but the last');
  return filteredRooms - before.filteredRooms;
}

describe('broadcasts for rooms that have no socket here are filtered', LIMIT, () => {
  it('while responses arrive', async (t) => {
    const response = (number) => [
      'socket.io-response#/#',
      JSON.stringify({ requestId: String(number), uid: 'raw', sockets: [] }),
    ];
    assert.equal(await filtered(t, response, awaitResponses), MANY);
  });

  it('and so are responses, while this server waits for none', async (t) => {
    const fixture = await createFixture(t);
    const [node, peer] = [await fixture.node(), await fixture.node()];
    const { client } = { client: await fixture.client(peer) };
    const { delivered } = node.adapter().stats();
    for (let i = 0; i < 10; i++) {
      await fixture.publish('socket.io-response#/#', JSON.stringify({ requestId: 'of another', sockets: [] }));
    }
    await until('all of them', () => node.adapter().stats().filteredResponses === 10);
    assert.equal(node.adapter().stats().delivered, delivered);
    assert.deepEqual(
      (await node.io.fetchSockets()).map(({ id }) => id),
      [client.id],
    );
    assert.ok(node.adapter().stats().delivered > delivered, 'its own requests are answered');
  });

  it('while requests arrive', async (t) => {
    // A serverSideEmit, which has no response.
    const request = (number) => [
      'socket.io-request#/#',
      JSON.stringify({ uid: 'raw', type: 6, data: ['news', number] }),
    ];
    assert.equal(await filtered(t, request), MANY);
  });

  it('while broadcasts for sockets here arrive', async (t) => {
    const near = (number) => ['socket.io#/#here#', broadcast(['near', number], { rooms: ['here'] })];
    assert.equal(await filtered(t, near), MANY);
  });
});
