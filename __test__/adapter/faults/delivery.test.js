'use strict';

/** What an application does to an adapter, or to its base class, while sockets get broadcasts. */

const assert = require('node:assert/strict');
const path = require('node:path');
const { describe, it } = require('node:test');
const { LIMIT } = require('../../support/limits');
const { createFixture, stub } = require('./fixture');

for (const subscriptionMode of ['pattern', 'dynamic', 'dynamic-private']) {
  it(`${subscriptionMode}: adapter.removeAllListeners() ends no delivery`, LIMIT, async (t) => {
    const fixture = await createFixture(t);
    const [a, b] = [await fixture.node(), await fixture.node({ opts: { subscriptionMode } })];
    b.adapter().removeAllListeners();
    const client = await fixture.client(b);
    await client.peer.join('room');
    a.io.to('room').emit('news', 1);
    a.io.to(client.id).emit('end');
    assert.deepEqual(await client.until('end'), [['news', 1]]);
    await client.peer.leave('room');
    await client.peer.join('barrier');
    assert.equal(await fixture.subscribers('socket.io#/#room#'), 0);
  });
}

it('a listener that has its socket leave and join again gets a broadcast once', LIMIT, async (t) => {
  const fixture = await createFixture(t);
  const [a, b] = [await fixture.node(), await fixture.node()];
  const clients = [await fixture.client(b), await fixture.client(b)];
  let calls = 0;
  for (const { peer } of clients) {
    peer.join('room');
    peer.onAnyOutgoing(() => {
      if (++calls > 100) throw new Error('endless');
      peer.leave('room');
      peer.join('room');
    });
  }
  // From here, and from the other server.
  for (const { io } of [b, a]) {
    io.to('room').emit('news');
    for (const client of clients) await client.event('news');
  }
  assert.equal(calls, 4);
  b.io.emit('end');
  for (const client of clients) assert.deepEqual(await client.until('end'), []);
});

it('a listener that has another socket leave keeps the broadcast from it', LIMIT, async (t) => {
  const fixture = await createFixture(t);
  const node = await fixture.node();
  const written = [];
  const leave = stub(node, 'second', [], () => written.push('second'));
  t.after(stub(node, 'first', ['room'], () => (written.push('first'), node.adapter().del('second', 'room'))));
  t.after(leave);
  node.adapter().addAll('second', new Set(['room']));
  node.io.to('room').emit('news');
  assert.deepEqual(written, ['first']);
});

describe('lists in the place of sets', LIMIT, () => {
  it('are exceptions and rooms here as on other servers', async (t) => {
    const fixture = await createFixture(t);
    const nodes = [await fixture.node(), await fixture.node()];
    const clients = [];
    for (const node of nodes) {
      for (const rooms of [['a'], ['a', 'b'], []]) {
        const client = await fixture.client(node);
        await client.peer.join(rooms);
        clients.push(client);
      }
    }
    const adapter = nodes[0].adapter();
    const packet = (name) => ({ type: 2, data: [name] });
    adapter.broadcast(packet('one'), { rooms: new Set(['a']), except: ['b'], flags: {} });
    adapter.broadcast(packet('two'), { rooms: ['a', 'b'], except: [], flags: {} });
    adapter.broadcast(packet('three'), { rooms: new Set(), except: ['a'], flags: {} });
    nodes[0].io.emit('end');
    const got = await Promise.all(clients.map((client) => client.until('end')));
    const expected = [[['one'], ['two']], [['two']], [['three']]];
    assert.deepEqual(got, [...expected, ...expected]);
    const ids = (await adapter.fetchSockets({ rooms: ['a'], except: ['b'] })).map(({ id }) => id);
    assert.deepEqual(ids.sort(), [clients[0].id, clients[3].id].sort());
  });
});

it("uWebSockets.js servers: the base class's broadcast that io.attachApp puts there is called", LIMIT, async (t) => {
  const { patchAdapter, restoreAdapter } = require(path.join(path.dirname(require.resolve('socket.io-4')), 'uws.js'));
  const fixture = await createFixture(t);
  const [a, b] = [await fixture.node(), await fixture.node()];
  // uWebSockets.js is not on npm; this is all of it that broadcasts need.
  const topics = [];
  patchAdapter({ publish: (topic, message) => topics.push([topic, message]) });
  t.after(restoreAdapter);
  const socket = {
    id: 'one',
    conn: { id: 'one', transport: { name: 'websocket', socket: { subscribe: (topic) => topics.push(topic) } } },
    client: { writeToEngine: () => assert.fail('it has a topic') },
  };
  b.io.of('/').sockets.set(/** @type {any} */ ('one'), /** @type {any} */ (socket));
  b.adapter().addAll('one', new Set(['room']));
  assert.deepEqual(topics.splice(0), ['/', '/\x1froom']);
  b.io.to('room').emit('news', 1);
  assert.deepEqual(topics.splice(0), [['/\x1froom', '42["news",1]']]);
  for (const emit of [(io) => io.to('room').emit('news', 2), (io) => io.to('room').compress(false).emit('news', 2)]) {
    emit(a.io);
    while (topics.length < 1) await new Promise(setImmediate);
    assert.deepEqual(topics.splice(0), [['/\x1froom', '42["news",2]']]);
  }
  b.adapter().delAll('one');
  b.io.of('/').sockets.delete(/** @type {any} */ ('one'));
});
