'use strict';

/**
 * A room that is joined in a turn of the event loop gets what arrived in that turn, as with the official adapter,
 * which looks at messages when the turn is over. Here they are looked at on another thread.
 */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { describe, it } = require('node:test');

const notepack = require('notepack.io');
const { createFixture } = require('./fixture');

const LIMIT = { timeout: 60_000 };
/** Publishes what it is given, from a process of its own, and ends when Redis has answered. */
const PUBLISH = `
  const { encodeCommand } = require(${JSON.stringify(require.resolve('../../../dev/resp'))});
  const [port, channel, payload] = process.argv.slice(1);
  const socket = require('node:net').connect(port, '127.0.0.1', () => {
    socket.write(encodeCommand('PUBLISH', channel, Buffer.from(payload, 'hex')));
  });
  socket.once('data', () => socket.end());
`;

/**
 * Publishes a broadcast and returns once the node has it, within this very turn of the event loop.
 * @param {any} fixture
 * @param {any} node
 * @param {string} event
 * @param {string[]} rooms
 */
function publishNow(fixture, node, event, rooms) {
  const { received } = node.adapter().stats();
  const packet = { type: 2, data: [event], nsp: '/' };
  const payload = notepack.encode(['another', packet, { rooms, except: [], flags: {} }]);
  const channel = `socket.io#/#${rooms.length === 1 ? `${rooms[0]}#` : ''}`;
  const { status } = spawnSync(process.execPath, ['-e', PUBLISH, fixture.redis.port, channel, payload.toString('hex')]);
  assert.equal(status, 0);
  while (node.adapter().stats().received === received);
}

describe('a room that is joined in the turn in which broadcasts to it arrive', LIMIT, () => {
  for (const rooms of [['room'], ['room', 'other']]) {
    for (const when of ['before', 'after']) {
      it(`gets those to ${rooms.join(' and ')} that arrive ${when} it, once and in order`, async (t) => {
        const fixture = await createFixture(t);
        const node = await fixture.node();
        const client = await fixture.client(node);
        if (when === 'after') client.peer.join('room');
        publishNow(fixture, node, 'one', rooms);
        publishNow(fixture, node, 'two', rooms);
        if (when === 'before') client.peer.join(rooms);
        await new Promise(setImmediate);
        publishNow(fixture, node, 'end', ['room']);
        assert.deepEqual(await client.until('end'), [['one'], ['two']]);
      });
    }
  }

  it('gets nothing of an earlier turn', async (t) => {
    const fixture = await createFixture(t);
    const node = await fixture.node();
    const client = await fixture.client(node);
    const { filteredRooms } = node.adapter().stats();
    publishNow(fixture, node, 'early', ['room']);
    while (node.adapter().stats().filteredRooms === filteredRooms) await new Promise(setImmediate);
    client.peer.join('room');
    await new Promise(setImmediate);
    publishNow(fixture, node, 'end', ['room']);
    assert.deepEqual(await client.until('end'), []);
  });
});
