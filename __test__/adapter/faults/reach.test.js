'use strict';

/** What official servers and emitters publish reaches a server once, however it has subscribed. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { Emitter } = require('@socket.io/redis-emitter');
const { createFixture } = require('./fixture');
const { LIMIT } = require('../../support/limits');

/** As long as a socket's id, in bytes and in characters, and in bytes alone. */
const LONG = ['exactly-20-bytes-abc', 'fast-zwanzig-Zeichö'];

/** Who sends: each has `to`, `except` and `emit`. */
const SENDERS = {
  'an official server': async (fixture) => (await fixture.official({ namespaces: ['/chat'] })).io,
  'an emitter': async (fixture) => new Emitter(fixture.redisClient()),
  'a server of ours': async (fixture) => (await fixture.node({ namespaces: ['/chat'] })).io,
};

for (const subscriptionMode of ['pattern', 'dynamic', 'dynamic-private']) {
  describe(subscriptionMode, LIMIT, () => {
    for (const [title, open] of Object.entries(SENDERS)) {
      it(`each broadcast of ${title} arrives exactly once`, async (t) => {
        assert.deepEqual(
          LONG.map((room) => Buffer.byteLength(room)),
          [20, 20],
        );
        const fixture = await createFixture(t);
        const node = await fixture.node({ namespaces: ['/chat'], opts: { subscriptionMode } });
        const io = await open(fixture);
        const [one, two] = [await fixture.client(node), await fixture.client(node)];
        const chatting = await fixture.client(node, '/chat');
        // As on joining: a room of a socket's own id is confirmed as any other.
        await Promise.all([one.peer.join(['room', 7, ...LONG, 'first']), two.peer.join(['room', 'second', '8'])]);
        await Promise.all([one.peer.join(one.id), chatting.peer.join('room')]);
        io.emit('news', 'all');
        io.to('room').emit('news', 'room');
        io.to(one.id).emit('news', 'one');
        io.to(two.id).emit('news', 'two');
        io.to('first').to('second').emit('news', 'first and second');
        io.to(['room', 'first', one.id, 'nobody']).emit('news', 'several');
        io.to(7).emit('news', 'seven');
        io.to('7').emit('news', 'seven as text');
        io.to('8').emit('news', 'eight as text');
        for (const room of LONG) io.to(room).emit('news', room);
        io.to('room').except('first').emit('news', 'but the first');
        io.except(two.id).emit('news', 'but two');
        io.to('nobody').emit('news', 'nobody');
        io.to('room').emit('news', Buffer.from('binary'));
        io.of('/chat').to('room').emit('news', 'chat');
        io.of('/chat').emit('end');
        io.emit('end');
        const [first, second, chat] = await Promise.all([one, two, chatting].map((client) => client.until('end')));
        const news = (items) => items.map(([, what]) => what);
        assert.deepEqual(news(first), [
          'all',
          'room',
          'one',
          'first and second',
          'several',
          'seven',
          ...LONG,
          'but two',
          Buffer.from('binary'),
        ]);
        assert.deepEqual(news(second), [
          'all',
          'room',
          'two',
          'first and second',
          'several',
          'eight as text',
          'but the first',
          Buffer.from('binary'),
        ]);
        assert.deepEqual(news(chat), ['chat']);
      });
    }
  });
}
