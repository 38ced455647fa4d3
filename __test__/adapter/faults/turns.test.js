'use strict';

/**
 * A room that is joined in a turn of the event loop gets what arrived in that turn, as with the official adapter,
 * which looks at messages when the turn is over. Here they are looked at on another thread.
 */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { blockUntil } = require('../../support/block');
const { BlockingPublisher } = require('../../support/blocking-publisher');
const { awaitResponses, broadcast, createFixture, stub } = require('./fixture');
const { LIMIT } = require('../../support/limits');
const { perTurn, work } = require('./work');

/** Broadcasts that one node has, within this very turn of the event loop. */
async function setUp(t, opts) {
  const fixture = await createFixture(t);
  const node = await fixture.node({ opts });
  const publisher = new BlockingPublisher(fixture.redis.port);
  t.after(() => publisher.close());
  /** @param {[channel: string, payload: Buffer | string][]} messages */
  const publish = (...messages) => {
    const { received } = node.adapter().stats();
    publisher.publish(...messages);
    blockUntil('all to have arrived', () => node.adapter().stats().received === received + messages.length);
  };
  /** @param {string} event @param {string[]} rooms @returns {[string, Buffer]} */
  const to = (event, ...rooms) => [
    `socket.io#/#${rooms.length === 1 ? `${rooms[0]}#` : ''}`,
    broadcast([event], { rooms }),
  ];
  return { fixture, node, publish, to };
}

describe('a room that is joined in the turn in which broadcasts to it arrive', LIMIT, () => {
  for (const rooms of [['room'], ['room', 'other']]) {
    for (const when of ['before', 'after']) {
      it(`gets those to ${rooms.join(' and ')} that arrive ${when} it, once and in order`, async (t) => {
        const { fixture, node, publish, to } = await setUp(t);
        const client = await fixture.client(node);
        if (when === 'after') client.peer.join('room');
        publish(to('one', ...rooms));
        publish(to('two', ...rooms));
        if (when === 'before') client.peer.join(rooms);
        await new Promise(setImmediate);
        publish(to('end', 'room'));
        assert.deepEqual(await client.until('end'), [['one'], ['two']]);
      });
    }
  }

  it('gets nothing of an earlier turn', async (t) => {
    const { fixture, node, publish, to } = await setUp(t);
    const client = await fixture.client(node);
    publish(to('early', 'room'));
    // The two at which the event loop comes by what has arrived.
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    client.peer.join('room');
    publish(to('end', 'room'));
    assert.deepEqual(await client.until('end'), []);
    assert.equal(node.adapter().stats().filteredRooms, 1);
  });

  it('gets them in their place among those to the rooms that it was in', async (t) => {
    const { fixture, publish, to, node } = await setUp(t);
    const client = await fixture.client(node);
    client.peer.join('Y');
    await new Promise(setImmediate);
    publish(to('1', 'X'), to('2', 'Y'), to('3', 'X'));
    client.peer.join('X');
    publish(to('end', 'Y'));
    assert.deepEqual(await client.until('end'), [['1'], ['2'], ['3']]);
  });

  it('gets what comes behind the request that had it join, and nothing before', async (t) => {
    const { fixture, publish, to, node } = await setUp(t);
    const client = await fixture.client(node);
    const join = { uid: 'raw', type: 2, opts: { rooms: [client.id], except: [] }, rooms: ['X'] };
    publish(
      to('1', 'X'),
      ['socket.io-request#/#', JSON.stringify(join)],
      to('2', 'X'),
      to('3'),
      to('4', 'X'),
      to('end'),
    );
    assert.deepEqual(await client.until('end'), [['2'], ['3'], ['4']]);
    assert.equal(node.adapter().stats().filteredRooms, 1);
  });

  it('gets what comes behind the response whose arrival had it join', async (t) => {
    const { fixture, publish, to, node } = await setUp(t);
    // A second server, which answers what asks whether it is one.
    const other = fixture.redisClient();
    await other.subscribe('socket.io-request#/#', 'socket.io-response#/#', 'socket.io-response#/#raw#');
    const client = await fixture.client(node);
    const request = new Promise((resolve) => {
      other.on('message', (channel, text) => {
        if (channel !== 'socket.io-request#/#') return;
        const { type, requestId } = JSON.parse(text);
        if (type === 1) resolve({ requestId });
        else void fixture.publish('socket.io-response#/#', JSON.stringify({ requestId, sockets: [] }));
      });
    });
    const rooms = node
      .adapter()
      .allRooms()
      .then(() => client.peer.join('X'));
    const { requestId } = await request;
    publish(to('1', 'X'), ['socket.io-response#/#', JSON.stringify({ requestId, rooms: [] })], to('2', 'X'), to('end'));
    await rooms;
    assert.deepEqual(await client.until('end'), [['2']]);
  });
});

describe('a turn of the event loop', LIMIT, () => {
  const MANY = 300;
  /** The budget is 5 ms; what is under way when it ends is finished. */
  const MOST = 7;

  const OTHER = {
    encode: JSON.stringify,
    decode: () => {
      work();
      throw new Error('malformed');
    },
  };
  for (const [what, channel] of [
    ['requests', 'socket.io-request#/#'],
    ['responses', 'socket.io-response#/#'],
  ]) {
    it(`ends when its time is up, though all that has arrived is malformed ${what}`, async (t) => {
      const turns = perTurn();
      const decode = () => {
        turns.count();
        OTHER.decode();
      };
      const { node, publish } = await setUp(t, { parser: { ...OTHER, decode } });
      if (what === 'responses') {
        const { received } = node.adapter().stats();
        awaitResponses(node.adapter());
        // Its own request comes back, and would be counted below.
        while (node.adapter().stats().received === received) await new Promise(setImmediate);
      }
      publish(...Array.from({ length: MANY }, () => /** @type {[string, string]} */ ([channel, 'x'])));
      while (node.adapter().stats().malformed < MANY) await new Promise(setImmediate);
      const counts = turns.stop();
      assert.equal(
        counts.reduce((sum, count) => sum + count),
        MANY,
      );
      assert.ok(Math.max(...counts) <= MOST, `${Math.max(...counts)} in one turn`);
    });
  }

  it('ends when its time is up, though sockets take long to write to', async (t) => {
    const turns = perTurn();
    const { node, publish, to } = await setUp(t);
    let written = 0;
    t.after(
      stub(node, 'stub', ['room'], () => {
        turns.count();
        work();
        written++;
      }),
    );
    publish(...Array.from({ length: MANY }, () => to('news', 'room')));
    while (written < MANY) await new Promise(setImmediate);
    const counts = turns.stop();
    assert.ok(Math.max(...counts) <= MOST, `${Math.max(...counts)} in one turn`);
  });
});
