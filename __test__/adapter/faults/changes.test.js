'use strict';

/** `socketsJoin`, `socketsLeave` and `disconnectSockets` whose listeners throw, or ask for the same again. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { describe, it } = require('node:test');
const { LIMIT } = require('../../support/limits');
const { catchUncaught } = require('../../support/uncaught');
const { createFixture } = require('./fixture');

/** Two servers with two clients each, all of them in the room `in`; `official` ones as the control, where they do well. */
async function setUp(t, kind = 'node') {
  const fixture = await createFixture(t);
  const nodes = [await fixture[kind](), await fixture[kind]()];
  await Promise.all(nodes.map((node) => node.adapter().serverCount()));
  const clients = [];
  for (const node of nodes) clients.push(await fixture.client(node), await fixture.client(node));
  for (const { peer } of clients) await peer.join('in');
  return { fixture, nodes, clients, peers: clients.map(({ peer }) => peer) };
}

/** Throws at the first `count` events. */
function thrower(emitter, event, count) {
  let thrown = 0;
  emitter.on(event, () => {
    if (thrown < count) throw new Error(`${event} ${++thrown}`);
  });
}

describe('a listener that throws', LIMIT, () => {
  for (const [event, change, isDone] of /** @type {[string, (io: any) => void, (peer: any) => boolean][]} */ ([
    ['join-room', (io) => io.in('in').socketsJoin(['a', 'b']), ({ rooms }) => rooms.has('a') && rooms.has('b')],
    ['leave-room', (io) => io.socketsLeave(['in', 'other']), ({ rooms }) => !rooms.has('in') && !rooms.has('other')],
  ])) {
    it(`at ${event} surfaces, and keeps neither other servers nor other sockets from it`, async (t) => {
      const { nodes, clients, peers } = await setUp(t);
      for (const peer of peers) await peer.join('other');
      const [a] = nodes;
      thrower(a.adapter(), event, 1);
      assert.throws(() => change(a.io), { message: `${event} 1` });
      for (const peer of peers.slice(0, 2)) assert.ok(isDone(peer));
      a.io.emit('end');
      await clients[2].event('end');
      for (const peer of peers.slice(2)) assert.ok(isDone(peer));
    });
  }

  it('at several sockets surfaces as an AggregateError', async (t) => {
    const { nodes, peers } = await setUp(t);
    thrower(nodes[0].adapter(), 'join-room', 2);
    assert.throws(
      () => nodes[0].io.socketsJoin('a'),
      (error) =>
        error instanceof AggregateError &&
        error.errors.map(({ message }) => message).join() === 'join-room 1,join-room 2',
    );
    for (const peer of peers.slice(0, 2)) assert.ok(peer.rooms.has('a'));
  });

  for (const event of ['disconnect', 'disconnecting']) {
    it(`at ${event} is uncaught, and keeps neither other servers nor other sockets from it`, async (t) => {
      const { nodes, clients, peers } = await setUp(t);
      const uncaught = [];
      catchUncaught(t, (error) => uncaught.push(error.message));
      thrower(peers[0], event, 1);
      thrower(peers[2], event, 1);
      const gone = [1, 3].map((at) => once(clients[at].socket, 'disconnect'));
      nodes[0].io.in('in').disconnectSockets(true);
      await Promise.all(gone);
      while (uncaught.length < 2) await new Promise(setImmediate);
      assert.deepEqual(uncaught, Array(2).fill(`${event} 1`));
    });
  }
});

describe('disconnectSockets()', LIMIT, () => {
  for (const kind of ['official', 'node']) {
    it(`${kind}: may be called by a listener of what it does`, async (t) => {
      const { nodes, clients } = await setUp(t, kind);
      let calls = 0;
      for (const [at, { peer }] of clients.entries()) {
        peer.on('disconnecting', () => {
          calls++;
          nodes[at < 2 ? 0 : 1].io.in('in').disconnectSockets(true);
        });
      }
      const gone = clients.map((client) => client.gone());
      clients[0].socket.disconnect();
      await Promise.all(gone);
      assert.equal(calls, 4);
    });

    it(`${kind}: lets through what is emitted and acknowledged right behind it`, async (t) => {
      const { fixture, nodes } = await setUp(t, kind);
      const client = await fixture.client(nodes[0]);
      client.peer.on('logout', (ack) => {
        nodes[0].io.in(client.id).disconnectSockets(true);
        client.peer.emit('bye');
        ack('done');
      });
      const answered = new Promise((resolve) => {
        client.socket.emit('logout', resolve);
      });
      const gone = once(client.socket, 'disconnect');
      assert.deepEqual(await client.event('bye'), []);
      assert.equal(await answered, 'done');
      assert.deepEqual((await gone)[0], 'io server disconnect');
    });
  }

  it('is about those that were there when it was called', async (t) => {
    const { nodes, peers } = await setUp(t);
    nodes[0].io.in('in').disconnectSockets();
    nodes[0].io.socketsLeave('in');
    await Promise.all(peers.map((peer) => once(peer, 'disconnect')));
  });

  it('with `local`, takes place at once, as with the base class', async (t) => {
    const { nodes, peers } = await setUp(t);
    nodes[0].io.local.disconnectSockets();
    nodes[1].io.local.in('in').socketsJoin('a');
    nodes[1].io.local.socketsLeave('in');
    assert.deepEqual(
      peers.map(({ connected }) => connected),
      [false, false, true, true],
    );
    for (const { rooms } of peers.slice(2)) assert.ok(rooms.has('a') && !rooms.has('in'));
  });
});
