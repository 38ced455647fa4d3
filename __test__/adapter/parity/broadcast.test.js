'use strict';

/** Broadcasts cross from one node to the other, whichever adapter each has. */

const assert = require('node:assert/strict');
const { SENDING, adapterTest, describeAdapterClusters, testUnlessOfficial } = require('../../support/adapter-cluster');

const ROOM = 'Räume/€ "1"#: 🚪 *[a]?\\';

describeAdapterClusters(
  'broadcast',
  SENDING,
  (cluster, [, receiver]) => {
    adapterTest('everybody gets it once', async () => {
      const [a, b] = cluster.nodes;
      const here = await cluster.connect(a);
      const there = await cluster.connect(b);
      a.io.emit('news', 1, 'ä');
      a.io.send('a message');
      a.io.emit('end');
      for (const client of [here, there]) {
        assert.deepEqual(await client.until('end'), [
          ['news', 1, 'ä'],
          ['message', 'a message'],
        ]);
      }
      b.io.emit('last'); // after what has come back to the sender
      for (const client of [here, there]) assert.deepEqual(await client.until('last'), []);
    });

    for (const transport of /** @type {('polling' | 'websocket')[]} */ (['polling', 'websocket'])) {
      adapterTest(`everybody gets it, everywhere and in a room (${transport})`, async () => {
        const [a, b] = cluster.nodes;
        const here = await cluster.connect(a, '/', { transports: [transport] });
        const there = await cluster.connect(b, '/', { transports: [transport] });
        await cluster.join(here, 'room');
        await cluster.join(there, 'room');
        for (let i = 0; i < 20; i++) {
          a.io.emit('all', i);
          a.io.to('room').emit('room', i, Buffer.from([i]));
        }
        a.io.emit('end');
        const expected = Array.from({ length: 20 }, (_, i) => [
          ['all', i],
          ['room', i, Buffer.from([i])],
        ]).flat();
        assert.deepEqual(await here.until('end'), expected);
        assert.deepEqual(await there.until('end'), expected);
      });
    }

    adapterTest('a room hears its own, until they leave', async () => {
      const [a, b] = cluster.nodes;
      const member = await cluster.connect(b);
      const outsider = await cluster.connect(b);
      await cluster.join(member, ROOM);
      await cluster.join(outsider, 'another');
      a.io.to(ROOM).emit('news', 1);
      a.io.in([ROOM]).emit('news', 2);
      a.io.to('nobody').emit('news', 3);
      a.io.emit('middle');
      assert.deepEqual(await member.until('middle'), [
        ['news', 1],
        ['news', 2],
      ]);
      member.peer.leave(ROOM);
      await cluster.settled();
      a.io.to(ROOM).emit('news', 4);
      a.io.emit('end');
      assert.deepEqual(await member.until('end'), []);
      assert.deepEqual(await outsider.until('end'), [['middle']]);
      member.peer.join(ROOM);
      await cluster.settled();
      a.io.to(ROOM).emit('again');
      a.io.emit('end');
      assert.deepEqual(await member.until('end'), [['again']]);
    });

    adapterTest('several rooms: whoever is in one, and once whoever is in more', async () => {
      const [a, b] = cluster.nodes;
      const both = await cluster.connect(b);
      const one = await cluster.connect(b);
      const none = await cluster.connect(b);
      await cluster.join(both, 'r1', 'r2');
      await cluster.join(one, 'r2');
      a.io.to('r1').to('r2').emit('news', 1);
      a.io.to(['r1', 'r2', 'r3']).emit('news', 2);
      a.io.to(['r1', 'r3']).emit('news', 3);
      a.io.emit('end');
      assert.deepEqual(await both.until('end'), [
        ['news', 1],
        ['news', 2],
        ['news', 3],
      ]);
      assert.deepEqual(await one.until('end'), [
        ['news', 1],
        ['news', 2],
      ]);
      assert.deepEqual(await none.until('end'), []);
    });

    adapterTest('except rooms', async () => {
      const [a, b] = cluster.nodes;
      const left = await cluster.connect(b);
      const right = await cluster.connect(b);
      await cluster.join(left, 'all', 'left');
      await cluster.join(right, 'all', 'right');
      a.io.except('left').emit('news', 1);
      a.io.to('all').except('right').emit('news', 2);
      a.io.to(['all', 'left']).except(['left', 'right']).emit('news', 3);
      a.io.except(right.id).emit('news', 4);
      a.io.except('nobody').emit('end');
      assert.deepEqual(await left.until('end'), [
        ['news', 2],
        ['news', 4],
      ]);
      assert.deepEqual(await right.until('end'), [['news', 1]]);
    });

    adapterTest('socket.broadcast and socket.to leave the socket out', async () => {
      const [a, b] = cluster.nodes;
      const speaker = await cluster.connect(a);
      const here = await cluster.connect(a);
      const there = await cluster.connect(b);
      const outsider = await cluster.connect(b);
      for (const client of [speaker, here, there]) await cluster.join(client, 'room');
      speaker.peer.broadcast.emit('others', 1);
      speaker.peer.to('room').emit('room', 2);
      speaker.peer.to(['room', 'empty']).emit('room', 3);
      speaker.peer.to('room').except(here.id).emit('room', 4);
      a.io.emit('end');
      assert.deepEqual(await speaker.until('end'), []);
      assert.deepEqual(await here.until('end'), [
        ['others', 1],
        ['room', 2],
        ['room', 3],
      ]);
      assert.deepEqual(await there.until('end'), [
        ['others', 1],
        ['room', 2],
        ['room', 3],
        ['room', 4],
      ]);
      assert.deepEqual(await outsider.until('end'), [['others', 1]]);
    });

    adapterTest('a room may be named as long as an id, or by one', async () => {
      const [a, b] = cluster.nodes;
      const member = await cluster.connect(b);
      const other = await cluster.connect(b);
      const rooms = ['x'.repeat(20), 'ü'.repeat(10), 'ü'.repeat(20), '1234567890123456789#', '*'.repeat(20)];
      await cluster.join(member, ...rooms, other.id);
      for (const room of rooms) a.io.to(room).emit('news', room);
      a.io.to(member.id).emit('news', 'by id');
      a.io.in(other.id).emit('news', 'by another id');
      a.io.to([member.id, other.id]).emit('news', 'by both');
      a.io.to('idididididididididid').emit('news', 'by an id that nobody has');
      a.io.emit('end');
      const expected = [...rooms, 'by id', 'by another id', 'by both'].map((room) => ['news', room]);
      assert.deepEqual(await member.until('end'), expected);
      assert.deepEqual(await other.until('end'), expected.slice(-2));
    });

    testUnlessOfficial(receiver)('once socket.join() is done, the room hears what others send', async () => {
      const [a, b] = cluster.nodes;
      const there = await cluster.connect(b);
      const expected = [];
      for (let i = 0; i < 20; i++) {
        await there.peer.join([`room ${i}`, i]);
        a.io.to(`room ${i}`).emit('news', i);
        a.io.to(i).emit('news', `number ${i}`);
        expected.push(['news', i], ['news', `number ${i}`]);
      }
      await cluster.settled();
      for (let i = 0; i < 20; i++) {
        there.peer.leave(i);
        await there.peer.join(i);
        a.io.to(i).emit('news', `again ${i}`);
        expected.push(['news', `again ${i}`]);
      }
      a.io.emit('end');
      assert.deepEqual(await there.until('end'), expected);
    });

    adapterTest('a room that one leaves as another joins', async () => {
      const [a, b] = cluster.nodes;
      const [one, two] = [await cluster.connect(b), await cluster.connect(b)];
      await cluster.join(one, 'room');
      for (let i = 0; i < 10; i++) {
        const [leaver, joiner] = i % 2 === 0 ? [one, two] : [two, one];
        leaver.peer.leave('room');
        await joiner.peer.join('room');
        a.io.to('room').emit('news', i);
        assert.deepEqual(await joiner.event('news'), [i]);
      }
      a.io.emit('end');
      for (const client of [one, two]) assert.deepEqual(await client.until('end'), []);
    });

    adapterTest('numeric rooms: 1 is found by its name, and is still not "1"', async () => {
      const [a, b] = cluster.nodes;
      const number = await cluster.connect(b);
      const string = await cluster.connect(b);
      await cluster.join(number, 1, -0.5);
      await cluster.join(string, '1', '-0.5');
      a.io.to(1).emit('number', 1);
      a.io.to('1').emit('string', 1);
      a.io.to(-0.5).emit('number', -0.5);
      a.io.to([1, 2]).emit('number', 2);
      a.io.except(1).emit('string', 2);
      a.io.except('1').emit('number', 3);
      a.io.emit('end');
      assert.deepEqual(await number.until('end'), [
        ['number', 1],
        ['number', -0.5],
        ['number', 2],
        ['number', 3],
      ]);
      assert.deepEqual(await string.until('end'), [
        ['string', 1],
        ['string', 2],
      ]);
    });

    adapterTest('a numeric room that only numbers hold, a string room that only strings hold', async () => {
      const [a, b] = cluster.nodes;
      const number = await cluster.connect(b);
      await cluster.join(number, 7);
      a.io.to('7').emit('string');
      a.io.to(7).emit('number');
      a.io.emit('end');
      assert.deepEqual(await number.until('end'), [['number']]);
    });

    adapterTest('local stays local', async () => {
      const [a, b] = cluster.nodes;
      const here = await cluster.connect(a);
      const there = await cluster.connect(b);
      for (const client of [here, there]) await cluster.join(client, 'room');
      a.io.local.emit('near', 1);
      a.io.local.to('room').emit('near', 2);
      here.peer.local.emit('near', 3); // as a broadcast: not to itself
      a.io.emit('end');
      assert.deepEqual(await here.until('end'), [
        ['near', 1],
        ['near', 2],
      ]);
      assert.deepEqual(await there.until('end'), []);
    });

    adapterTest('a namespace hears its own', async () => {
      const [a, b] = cluster.nodes;
      const main = await cluster.connect(b);
      const chat = await cluster.connect(b, '/chat');
      await cluster.join(main, 'room');
      await cluster.join(chat, 'room');
      a.io.of('/chat').emit('news', 'chat');
      a.io.of('/chat').to('room').emit('news', 'chat room');
      a.io.to('room').emit('news', 'main room');
      a.io.of('/chat/deeper').emit('news', 'deeper');
      a.io.emit('end');
      a.io.of('/chat').emit('end');
      assert.deepEqual(await main.until('end'), [['news', 'main room']]);
      assert.deepEqual(await chat.until('end'), [
        ['news', 'chat'],
        ['news', 'chat room'],
      ]);
    });
  },
  { namespaces: ['/chat', '/chat/deeper'] },
);
