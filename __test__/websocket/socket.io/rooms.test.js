'use strict';

/** Broadcasts, and what is done with many sockets at once. */

const assert = require('node:assert/strict');
const { it } = require('node:test');
const { collect, describeEach, heardBy, next } = require('./fixture');

const FORWARD = [['woot', 1, { a: 2 }, null]];
const BYTES = Buffer.from([0, 1, 254, 255]);

describeEach('Socket.IO broadcasts', (start) => {
  /** Four sockets: 0 in a and b, 1 in a, 2 in b, 3 in none. */
  async function four(t, options) {
    const fixture = await start(t, options);
    const pairs = await fixture.pairs(4);
    const sockets = pairs.map(({ socket }) => socket);
    const clients = pairs.map(({ client }) => client);
    await Promise.all([sockets[0].join(['a', 'b']), sockets[1].join('a'), sockets[2].join('b')]);
    return { io: fixture.io, fixture, sockets, clients };
  }

  /** What may be lost is lost where anything else waits: resolves when the CONNECT packets have left. */
  async function written({ sockets }) {
    while (!sockets.every(({ conn }) => conn.transport.writable)) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Who of the four hears, by the way of the broadcast. @type {Record<string, [(it: any) => any, number[]]>} */
  const WAYS = {
    'to all': [({ io }) => io, [0, 1, 2, 3]],
    'to all of a namespace': [({ io }) => io.of('/'), [0, 1, 2, 3]],
    'to a room': [({ io }) => io.to('a'), [0, 1]],
    'in a room': [({ io }) => io.in('b'), [0, 2]],
    'to two rooms, once each': [({ io }) => io.to('a').to('b'), [0, 1, 2]],
    'to a list of rooms': [({ io }) => io.to(['a', 'b']), [0, 1, 2]],
    'to no one': [({ io }) => io.to('nowhere'), []],
    'to a socket': [({ io, sockets }) => io.to(sockets[3].id), [3]],
    'except a room': [({ io }) => io.except('a'), [2, 3]],
    'except two rooms': [({ io }) => io.except(['a', 'b']), [3]],
    'to a room except another': [({ io }) => io.to('a').except('b'), [1]],
    'except a socket': [({ io, sockets }) => io.except(sockets[0].id), [1, 2, 3]],
    'here alone': [({ io }) => io.local, [0, 1, 2, 3]],
    'here alone, to a room': [({ io }) => io.local.to('a'), [0, 1]],
    'of a socket, to all others': [({ sockets }) => sockets[0].broadcast, [1, 2, 3]],
    'of a socket, to a room': [({ sockets }) => sockets[0].to('a'), [1]],
    'of a socket, to a room it is not in': [({ sockets }) => sockets[3].to('a'), [0, 1]],
    'of a socket, except a room': [({ sockets }) => sockets[3].except('a'), [2]],
    'that may be compressed': [({ io }) => io.compress(true), [0, 1, 2, 3]],
    'that may not be compressed': [({ io }) => io.to('a').compress(false), [0, 1]],
    'that may be lost, to those that take it': [({ io }) => io.volatile.to('a'), [0, 1]],
  };

  for (const [way, [broadcaster, hearers]] of Object.entries(WAYS)) {
    it(`come ${way}`, async (t) => {
      const all = await four(t);
      await written(all);
      const heard = await heardBy(all.io, all.clients, () => broadcaster(all).emit('woot', 1, { a: 2 }, null));
      const expected = all.clients.map((_, i) => (hearers.includes(i) ? FORWARD : []));
      assert.deepEqual(heard, expected);
    });

    it(`come ${way}, with bytes`, async (t) => {
      const all = await four(t);
      await written(all);
      const args = [BYTES, { deep: [BYTES, 'x'] }];
      const heard = await heardBy(all.io, all.clients, () => broadcaster(all).emit('bytes', ...args));
      const expected = all.clients.map((_, i) => (hearers.includes(i) ? [['bytes', ...args]] : []));
      assert.deepEqual(heard, expected);
    });
  }

  it('keep their order among themselves, and with what is for one', async (t) => {
    const { io, clients, sockets } = await four(t);
    const heard = await heardBy(io, clients, () => {
      for (let i = 0; i < 300; i++) {
        if (i % 3 === 0) io.emit('all', i);
        else if (i % 3 === 1) io.to('a').emit('room', i, i % 2 ? BYTES : 'text');
        else sockets[i % 4].emit('one', i);
      }
    });
    for (const [member, events] of heard.entries()) {
      const numbers = Array.from({ length: 300 }, (_, i) => i);
      const own = numbers.filter(
        (i) => i % 3 === 0 || (i % 3 === 1 && member < 2) || (i % 3 === 2 && i % 4 === member),
      );
      assert.deepEqual(
        events.map(([, i]) => i),
        own,
      );
    }
  });

  it('follow joins and leaves at once', async (t) => {
    const { io, clients, sockets } = await four(t);
    const heard = await heardBy(io, clients, () => {
      for (let i = 0; i < 100; i++) {
        sockets[3].join('c');
        io.to('c').emit('in', i);
        sockets[3].leave('c');
        io.to('c').emit('out', i);
      }
    });
    const expected = Array.from({ length: 100 }, (_, i) => ['in', i]);
    assert.deepEqual(heard, [[], [], [], expected]);
  });

  it('reach clients of every transport', async (t) => {
    const { io, fixture, clients } = await four(t);
    const polling = await fixture.pair('/', { transports: ['polling'] });
    const upgrading = await fixture.pair('/', { transports: ['polling', 'websocket'] });
    await Promise.all([polling, upgrading].map(({ socket }) => socket.join('a')));
    const all = [...clients, polling.client, upgrading.client];
    const heard = await heardBy(io, all, async () => {
      const { engine } = upgrading.client.io;
      for (let i = 0, behind = 0; behind < 20; i++, behind += engine.transport.name === 'websocket' ? 1 : 0) {
        io.to('a').emit('n', i, BYTES);
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    const [first, second, , , ...others] = heard;
    const numbers = first.map(([, i]) => i);
    assert.deepEqual(
      numbers,
      numbers.map((_, i) => i),
    );
    assert.deepEqual([second, ...others], [first, first, first]);
    assert.deepEqual(heard[3], []);
  });

  it('are heard by `onAnyOutgoing`, which begins and ends', async (t) => {
    const { io, clients, sockets } = await four(t);
    const seen = [];
    const listener = (...args) => seen.push(args);
    const heard = await heardBy(io, clients, () => {
      io.emit('a', 1);
      sockets[0].onAnyOutgoing(listener);
      io.emit('b', 2);
      io.to('a').emit('c', 3);
      io.to('nowhere').emit('d', 4);
      sockets[0].offAnyOutgoing(listener);
      io.emit('e', 5);
    });
    assert.deepEqual(seen, [
      ['b', 2],
      ['c', 3],
    ]);
    const inAll = [
      ['a', 1],
      ['b', 2],
      ['e', 5],
    ];
    const inA = [
      ['a', 1],
      ['b', 2],
      ['c', 3],
      ['e', 5],
    ];
    assert.deepEqual(heard, [inA, inA, inAll, inAll]);
  });

  it('are acknowledged', async (t) => {
    const { io, clients } = await four(t);
    for (const [i, client] of clients.entries()) client.on('ask', (data, answer) => answer([i, data]));
    const answers = await io.timeout(60_000).to('a').emitWithAck('ask', BYTES);
    answers.sort(([a], [b]) => a - b);
    assert.deepEqual(answers, [
      [0, BYTES],
      [1, BYTES],
    ]);
  });

  it('are acknowledged by some', async (t) => {
    const { io, clients } = await four(t);
    clients[0].on('ask', (answer) => answer('yes'));
    const [error, answers] = await new Promise((resolve) => {
      io.timeout(300)
        .to('a')
        .emit('ask', (...args) => resolve(args));
    });
    assert.equal(error.message, 'operation has timed out');
    assert.deepEqual(answers, ['yes']);
  });

  it('know their sockets', async (t) => {
    const { io, sockets } = await four(t);
    sockets[0].data.name = 'zero';
    const ids = async (target) => new Set((await target.fetchSockets()).map(({ id }) => id));
    const of = (...members) => new Set(members.map((i) => sockets[i].id));
    assert.deepEqual(await ids(io), of(0, 1, 2, 3));
    assert.deepEqual(await ids(io.in('a')), of(0, 1));
    assert.deepEqual(await ids(io.except('a')), of(2, 3));
    assert.deepEqual(await ids(io.local.in('a').except('b')), of(1));
    const [first] = await io.in(sockets[0].id).fetchSockets();
    assert.deepEqual([first.data, first.rooms], [{ name: 'zero' }, new Set([sockets[0].id, 'a', 'b'])]);
    assert.equal(first.handshake.address, '127.0.0.1');
  });

  it('reach whom others made join, and not whom they made leave', async (t) => {
    const { io, clients } = await four(t);
    const heard = await heardBy(io, clients, async () => {
      io.in('a').socketsJoin(['c', 'd']);
      io.to('c').emit('joined');
      io.in('b').socketsLeave('c');
      io.to('c').emit('left');
      io.to('d').emit('still');
    });
    assert.deepEqual(heard, [[['joined'], ['still']], [['joined'], ['left'], ['still']], [], []]);
  });

  it('come before a disconnection', async (t) => {
    const { io, clients } = await four(t);
    const last = clients.slice(0, 2).map((client) => collect(client, 'last', () => 'last'));
    const gone = clients.slice(0, 2).map((client) => next(client, 'disconnect'));
    io.to('a').emit('last');
    io.in('a').disconnectSockets(true);
    assert.deepEqual(
      (await Promise.all(gone)).map(([reason]) => reason),
      ['io server disconnect', 'io server disconnect'],
    );
    assert.deepEqual(
      last.map(({ items }) => items),
      [['last'], ['last']],
    );
    const ids = (await io.fetchSockets()).map(({ id }) => id);
    assert.deepEqual(new Set(ids), new Set([clients[2].id, clients[3].id]));
  });

  it('stay within a namespace, on one connection', async (t) => {
    const fixture = await start(t);
    const manager = fixture.manager();
    const pairs = [];
    for (const nsp of ['/', '/a', '/b']) {
      fixture.io.of(nsp);
      pairs.push(await fixture.pair(nsp, { manager }));
    }
    const heard = ['/', '/a', '/b'].map((_, i) => collect(pairs[i].client, 'to', (nsp) => nsp));
    for (let i = 0; i < 50; i++) {
      for (const nsp of ['/', '/a', '/b']) fixture.io.of(nsp).emit('to', nsp);
    }
    for (const [i, nsp] of ['/', '/a', '/b'].entries()) {
      assert.deepEqual(await heard[i].atLeast(50), Array(50).fill(nsp));
    }
  });
});
