'use strict';

/**
 * Servers with adapters from before 7.1, which have no channel of responses of their own, count and answer; and all
 * ages of them, servers of this package and monitors are told apart in one cluster.
 */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { ANSWER, LIMIT, SHORT } = require('../../support/limits');
const { createFixture } = require('../faults/fixture');

/** Whatever waits for what cannot come does not end in time. */
const LONG = { requestsTimeout: 10_000_000 };
const ALL = { rooms: new Set(), except: new Set() };
const OLDER = ['redis-adapter-7.0', 'socket.io-redis-6', 'redis-adapter-7.2'];
const REQUESTS = 'socket.io-request#/#';
const RESPONSES = 'socket.io-response#/#';
const sorted = (items) => [...items].sort();
const ids = (sockets) => sorted([...sockets].map(({ id }) => id));

for (const name of OLDER) {
  describe(name, LIMIT, () => {
    it('counts, and answers all that it can', async (t) => {
      const fixture = await createFixture(t);
      const [a, older] = [await fixture.node({ opts: LONG }), await fixture.older(name)];
      const [here, there] = [await fixture.client(a), await fixture.client(older)];
      there.peer.join('room');
      there.peer.data = { name: 'Uschi' };
      assert.equal(await a.adapter().serverCount(), 2);
      assert.deepEqual(ids(await a.io.fetchSockets()), sorted([here.id, there.id]));
      const [remote] = await a.io.in('room').fetchSockets();
      assert.deepEqual([remote.id, remote.data], [there.id, { name: 'Uschi' }]);
      assert.deepEqual(sorted(await a.adapter().allRooms()), sorted([here.id, there.id, 'room']));
      assert.deepEqual([...(await a.adapter().fetchSocketIds({ rooms: ['room'] }))], [there.id]);
      assert.equal(await a.adapter().countSockets(), 2);
      await a.adapter().remoteJoin(there.id, 'other');
      assert.ok(there.peer.rooms.has('other'));
      a.io.in('room').socketsJoin('more');
      a.io.emit('news', 1);
      assert.deepEqual(await there.event('news'), [1]);
      if (name === 'socket.io-redis-6') return;
      older.io.on('ask', (question, done) => done(question));
      assert.deepEqual(await a.io.serverSideEmitWithAck('ask', 7), [7]);
    });

    it('lives on when a broadcast asks for acknowledgements, which it may not know', async (t) => {
      const fixture = await createFixture(t);
      const [a, older] = [await fixture.node({ opts: LONG }), await fixture.older(name)];
      for (const { socket } of [await fixture.client(a), await fixture.client(older)]) {
        socket.on('question', (/** @type {Function} */ done) => done('answer'));
      }
      const answers = a.io.timeout(name === 'redis-adapter-7.2' ? ANSWER : SHORT).emitWithAck('question');
      if (name === 'redis-adapter-7.2') assert.deepEqual(await answers, ['answer', 'answer']);
      else await assert.rejects(answers, /timed out/);
      assert.equal((await a.io.fetchSockets()).length, 2);
    });

    it('asks, and is answered where it hears', async (t) => {
      const fixture = await createFixture(t);
      const [a, older] = [await fixture.node({ opts: LONG }), await fixture.older(name, { opts: LONG })];
      const [here, there] = [await fixture.client(a), await fixture.client(older)];
      here.peer.join('room');
      a.io.on('ask', (question, done) => done(question));
      for (let i = 0; i < 2; i++) {
        assert.deepEqual(sorted(await older.adapter().allRooms()), sorted([here.id, there.id, 'room']));
        assert.deepEqual(ids(await older.io.fetchSockets()), sorted([here.id, there.id]));
        assert.deepEqual(sorted(await older.io.allSockets()), sorted([here.id, there.id]));
        if (name === 'socket.io-redis-6') continue;
        const answers = await new Promise((resolve) => older.io.serverSideEmit('ask', 7, (...args) => resolve(args)));
        assert.deepEqual(answers, [null, [7]]);
        // Which shows that this one has a channel of its own, and the next answer may go there.
        await a.io.fetchSockets();
      }
    });

    it('that does not answer makes requests reject, and is missed', async (t) => {
      const fixture = await createFixture(t);
      const [a, older] = [await fixture.node({ opts: { requestsTimeout: 1000 } }), await fixture.older(name)];
      assert.equal(await a.adapter().serverCount(), 2);
      older.freeze();
      const error = await a.io.fetchSockets().then(assert.fail, (reason) => reason);
      assert.deepEqual([error.code, error.expected, error.received], ['ERR_REQUEST_TIMEOUT', 1, 0]);
    });
  });
}

describe('all ages in one cluster', LIMIT, () => {
  it('each counts once, and a monitor not at all', async (t) => {
    const fixture = await createFixture(t);
    const natives = [
      await fixture.node({ opts: LONG }),
      await fixture.node({ opts: { ...LONG, subscriptionMode: 'dynamic' } }),
    ];
    const others = [await fixture.official(), await fixture.official()];
    for (const name of OLDER) others.push(await fixture.older(name));
    const clients = await Promise.all([...natives, ...others].map((node) => fixture.client(node)));
    await fixture.spy([REQUESTS, RESPONSES], ['socket.io*']);
    for (const { io, ...node } of natives.map((each) => ({ io: each.io, adapter: each.adapter() }))) {
      assert.equal(await node.adapter.serverCount(), 7);
      assert.deepEqual(ids(await io.fetchSockets()), ids(clients));
      assert.deepEqual(ids(await node.adapter.fetchSockets(ALL)), ids(clients));
      assert.equal(await node.adapter.countSockets(), 7);
      assert.equal((await node.adapter.allRooms()).size, 7);
    }
    await others[0].close();
    assert.equal(await natives[0].adapter().serverCount(), 6);
    assert.equal((await natives[0].io.fetchSockets()).length, 6);
  });
});
