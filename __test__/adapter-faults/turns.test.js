'use strict';

/**
 * A room that is joined in a turn of the event loop gets what arrived in that turn, as with the official adapter,
 * which looks at messages when the turn is over. Here they are looked at on another thread.
 */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { describe, it } = require('node:test');

const notepack = require('notepack.io');
const { stage } = require('./stage');

const LIMIT = { timeout: 60_000 };
/** Publishes what it is given, from a process of its own, and ends when Redis has answered. */
const PUBLISH = `
  const [port, channel, payload] = process.argv.slice(1);
  const bytes = Buffer.from(payload, 'hex');
  const socket = require('node:net').connect(port, '127.0.0.1', () => {
    const head = ['*3', '$7', 'PUBLISH', '$' + Buffer.byteLength(channel), channel, '$' + bytes.length, ''];
    socket.write(Buffer.concat([Buffer.from(head.join('\\r\\n')), bytes, Buffer.from('\\r\\n')]));
  });
  socket.once('data', () => socket.end());
`;

/**
 * Publishes a broadcast and returns once the node has it, within this very turn of the event loop.
 * @param {any} scene
 * @param {any} node
 * @param {string} event
 * @param {string[]} rooms
 */
function publishNow(scene, node, event, rooms) {
  const { received } = node.adapter().stats();
  const packet = { type: 2, data: [event], nsp: '/' };
  const payload = notepack.encode(['another', packet, { rooms, except: [], flags: {} }]);
  const channel = `socket.io#/#${rooms.length === 1 ? `${rooms[0]}#` : ''}`;
  const { status } = spawnSync(process.execPath, ['-e', PUBLISH, scene.redis.port, channel, payload.toString('hex')]);
  assert.equal(status, 0);
  while (node.adapter().stats().received === received);
}

describe('a room that is joined in the turn in which broadcasts to it arrive', LIMIT, () => {
  for (const rooms of [['room'], ['room', 'other']]) {
    for (const when of ['before', 'after']) {
      it(`gets those to ${rooms.join(' and ')} that arrive ${when} it, once and in order`, async (t) => {
        const scene = await stage(t);
        const node = await scene.node();
        const client = await scene.client(node);
        if (when === 'after') client.peer.join('room');
        publishNow(scene, node, 'one', rooms);
        publishNow(scene, node, 'two', rooms);
        if (when === 'before') client.peer.join(rooms);
        await new Promise(setImmediate);
        publishNow(scene, node, 'end', ['room']);
        assert.deepEqual(await client.until('end'), [['one'], ['two']]);
      });
    }
  }

  it('gets nothing of an earlier turn', async (t) => {
    const scene = await stage(t);
    const node = await scene.node();
    const client = await scene.client(node);
    const { filteredRooms } = node.adapter().stats();
    publishNow(scene, node, 'early', ['room']);
    while (node.adapter().stats().filteredRooms === filteredRooms) await new Promise(setImmediate);
    client.peer.join('room');
    await new Promise(setImmediate);
    publishNow(scene, node, 'end', ['room']);
    assert.deepEqual(await client.until('end'), []);
  });
});
