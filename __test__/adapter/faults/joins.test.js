'use strict';

/** Rooms that have channels of their own: when they are subscribed to, and when no longer. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { setImmediate: turn } = require('node:timers/promises');
const { createFixture, range } = require('./fixture');
const { LIMIT } = require('../../support/limits');

const MODES = ['dynamic', 'dynamic-private'];
/** As long as a socket's id. */
const LONG = 'exactly-20-bytes-abc';
const channelOf = (room) => `socket.io#/#${room}#`;
const own = (mode, room) => mode === 'dynamic-private' || Buffer.byteLength(String(room)) !== 20;

/** The rooms that Redis knows of. */
async function subscribed(fixture) {
  return (await fixture.channels('socket.io#/#?*')).map((channel) => channel.slice('socket.io#/#'.length, -1)).sort();
}

/** Joins one more room, which Redis confirms after all that has been asked of it up to now. */
async function barrier(socket, name) {
  // What happens in one turn is asked together, and what is left after what is joined.
  await turn();
  await socket.join(name);
}

for (const subscriptionMode of MODES) {
  describe(subscriptionMode, LIMIT, () => {
    /** @param {import('node:test').TestContext} t @param {Record<string, any>} [opts] */
    async function setUp(t, opts) {
      const fixture = await createFixture(t);
      const node = await fixture.node({ opts: { subscriptionMode, ...opts } });
      const client = await fixture.client(node);
      return { fixture, node, client, socket: client.peer };
    }
    const held = (...rooms) => [...new Set(rooms.map(String))].filter((room) => own(subscriptionMode, room)).sort();

    it('join() resolves when Redis has confirmed it, and not before', async (t) => {
      const { fixture, socket, client } = await setUp(t, { requestsTimeout: 60_000 });
      for (const room of ['room', 7, 'ä"\\*?', 'x'.repeat(2000), ...range(1, 50).map((number) => `r${number}`)]) {
        await socket.join(room);
        assert.equal(await fixture.subscribers(channelOf(room)), 1);
      }
      await socket.join(LONG);
      assert.equal(await fixture.subscribers(channelOf(LONG)), own(subscriptionMode, LONG) ? 1 : 0);
      await socket.join(['three', 'at', 'once']);
      assert.deepEqual(
        await Promise.all(['three', 'at', 'once'].map((room) => fixture.subscribers(channelOf(room)))),
        [1, 1, 1],
      );
      assert.equal(await fixture.subscribers(channelOf(client.id)), own(subscriptionMode, client.id) ? 1 : 0);
      fixture.redis.pause();
      const joined = [];
      const joins = ['late', 'later'].map((room) => Promise.resolve(socket.join(room)).then(() => joined.push(room)));
      for (let i = 0; i < 50; i++) await turn();
      assert.deepEqual(joined, []);
      fixture.redis.resume();
      await Promise.all(joins);
      assert.deepEqual(
        await Promise.all(['late', 'later'].map((room) => fixture.subscribers(channelOf(room)))),
        [1, 1],
      );
    });

    it('a second socket waits for what the first one has begun, and for nothing after', async (t) => {
      const { fixture, node, socket } = await setUp(t, { requestsTimeout: 60_000 });
      const { peer } = await fixture.client(node);
      fixture.redis.pause();
      const joined = [];
      const first = Promise.resolve(socket.join('room')).then(() => joined.push('first'));
      for (let i = 0; i < 5; i++) await turn();
      const second = Promise.resolve(peer.join('room')).then(() => joined.push('second'));
      for (let i = 0; i < 50; i++) await turn();
      assert.deepEqual(joined, []);
      fixture.redis.resume();
      await Promise.all([first, second]);
      assert.equal(await fixture.subscribers(channelOf('room')), 1);
      fixture.redis.pause();
      // A room that is subscribed to needs nothing of Redis.
      await socket.join('room');
      assert.equal(peer.join('room'), undefined);
      fixture.redis.resume();
    });

    /** @type {[string, () => Promise<unknown> | undefined][]} */
    const pauses = [
      ['at once', () => undefined],
      ['in the next microtask', () => Promise.resolve()],
      ['later', () => turn()],
    ];
    for (const [when, pause] of pauses) {
      it(`a room that is left and joined again ${when}, while Redis is asked for it, is waited for`, async (t) => {
        const { fixture, socket } = await setUp(t, { requestsTimeout: 60_000 });
        fixture.redis.pause();
        let joined = false;
        const first = Promise.resolve(socket.join('room'));
        for (let i = 0; i < 5; i++) await turn();
        socket.leave('room');
        const between = pause();
        if (between) await between;
        const second = Promise.resolve(socket.join('room')).then(() => {
          joined = true;
        });
        for (let i = 0; i < 50; i++) await turn();
        assert.equal(joined, false, 'nothing is subscribed to yet');
        fixture.redis.resume();
        await Promise.all([first, second]);
        assert.equal(await fixture.subscribers(channelOf('room')), 1);
      });
    }

    it('in an outage join() resolves after requestsTimeout, and the room is there after it', async (t) => {
      const { fixture, node, socket } = await setUp(t, { requestsTimeout: 150 });
      const gone = node.eventLog().next('disconnect', 'sub');
      await fixture.redis.kill();
      await gone;
      const before = performance.now();
      await socket.join('room');
      assert.ok(performance.now() - before >= 149);
      await Promise.all(range(1, 100).map((number) => socket.join(`r${number}`)));
      const back = node.eventLog().next('connect', 'sub');
      await fixture.redis.restart();
      await back;
      assert.deepEqual(
        await subscribed(fixture),
        held('room', socket.id, ...range(1, 100).map((number) => `r${number}`)),
      );
    });

    it('the last who leaves takes the subscription along', async (t) => {
      const { fixture, node, socket } = await setUp(t);
      const { peer } = await fixture.client(node);
      await Promise.all([socket.join(['both', 'one', 1, LONG]), peer.join(['both', '1'])]);
      assert.deepEqual(await subscribed(fixture), held('both', 'one', 1, LONG, socket.id, peer.id));
      socket.leave('both');
      socket.leave('one');
      socket.leave(1);
      await barrier(socket, 'barrier');
      assert.deepEqual(await subscribed(fixture), held('barrier', 'both', 1, LONG, socket.id, peer.id));
      peer.leave('both');
      peer.leave('1');
      socket.leave(LONG);
      await barrier(socket, 'barrier too');
      assert.deepEqual(await subscribed(fixture), held('barrier', 'barrier too', socket.id, peer.id));
      socket.disconnect();
      await barrier(peer, 'last barrier');
      assert.deepEqual(await subscribed(fixture), held('last barrier', peer.id));
    });

    it('1,000 joins and leaves in one tick, three times', async (t) => {
      const { fixture, node, socket } = await setUp(t);
      const { peer } = await fixture.client(node);
      let seed = 1;
      const random = (below) => {
        seed = (seed * 48_271) % 2_147_483_647;
        return seed % below;
      };
      for (let round = 0; round < 3; round++) {
        for (let i = 0; i < 1000; i++) {
          const room = random(3) === 0 ? random(20) : `r${random(100)}`;
          const who = random(2) === 0 ? socket : peer;
          if (random(2) === 0) who.join(room);
          else who.leave(room);
        }
        await barrier(socket, `barrier${round}`);
        assert.deepEqual(await subscribed(fixture), held(...node.adapter().rooms.keys()));
      }
    });

    it('Redis sends nothing that nobody here is to get', async (t) => {
      const { fixture, node, client, socket } = await setUp(t);
      const sender = await fixture.official();
      await socket.join('held');
      const before = node.adapter().stats().received;
      for (let i = 0; i < 1000; i++) sender.io.to(i % 2 === 0 ? 'other' : `r${i}`).emit('news', i);
      sender.io.to('held').emit('end');
      assert.deepEqual(await client.until('end'), []);
      assert.equal(node.adapter().stats().received, before + 1);
      for (let i = 0; i < 100; i++) sender.io.to('a-socket-of-another-'.slice(0, 18) + (10 + (i % 90))).emit('news', i);
      sender.io.emit('end');
      assert.deepEqual(await client.until('end'), []);
      // Those are the price of one pattern for all ids.
      assert.equal(node.adapter().stats().received, before + (subscriptionMode === 'dynamic' ? 102 : 2));
      const filtered = subscriptionMode === 'dynamic' ? 100 : 0;
      // They are counted when the event loop has taken a turn, in which nobody has joined.
      while (node.adapter().stats().filteredRooms < filtered) await turn();
      assert.equal(node.adapter().stats().filteredRooms, filtered);
    });
  });
}
