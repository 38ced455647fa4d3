'use strict';

/** Who is in a room when a broadcast comes, and what comes before what. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { it } = require('node:test');
const { createFixture, range } = require('../faults/fixture');
const { until } = require('../../support/load');
const { LIMIT } = require('../../support/limits');
const { VERSIONS, connect, connectBare, countMembers, flood, nativeNode, numbersOf } = require('./servers');

for (const version of VERSIONS) {
  it(`${version}: who has joined hears what comes after, and who has left does not`, LIMIT, async (t) => {
    const fixture = await createFixture(t);
    const here = await nativeNode(fixture, version);
    const elsewhere = await fixture.node();
    const client = await connect(fixture, here);
    const { peer } = client;
    elsewhere.io.on('go', (/** @type {string} */ room, /** @type {any[]} */ ...event) => {
      elsewhere.io.to(room).emit(.../** @type {[string]} */ (event));
    });
    for (let i = 0; i < 50; i++) {
      peer.join(`room ${i}`);
      peer.join(`room ${i}`);
      peer.leave(`other ${i}`);
      here.io.serverSideEmit('go', `room ${i}`, 'n', i);
      here.io.local.to(`room ${i}`).emit('l', i);
    }
    here.io.serverSideEmit('go', peer.id, 'end');
    const heard = await client.until('end');
    for (const event of ['n', 'l']) assert.deepEqual(numbersOf(heard, event), range(0, 49));
    for (let i = 0; i < 50; i++) {
      peer.leave(`room ${i}`);
      here.io.to(`room ${i}`).emit('left');
      here.io.serverSideEmit('go', `room ${i}`, 'left', i);
    }
    here.io.serverSideEmit('go', peer.id, 'end');
    assert.deepEqual(await client.until('end'), []);
    // From the namespace's broadcasts too, until it joins again.
    peer.leaveAll();
    here.io.emit('left');
    peer.join('again');
    here.io.emit('end');
    assert.deepEqual(await client.until('end'), []);
  });
}

it('what another server has sockets join and leave counts for its next broadcast', LIMIT, async (t) => {
  const fixture = await createFixture(t);
  const here = await nativeNode(fixture);
  const elsewhere = await fixture.node();
  const clients = [await connect(fixture, here), await connect(fixture, here)];
  for (let i = 0; i < 100; i++) {
    const room = `room ${i % 10}`;
    elsewhere.io.in(clients[0].id).socketsJoin(room);
    elsewhere.io.to(room).emit('n', i);
    elsewhere.io.in(room).socketsLeave(room);
    elsewhere.io.to(room).emit('left', i);
  }
  elsewhere.io.emit('end');
  assert.deepEqual(numbersOf(await clients[0].until('end'), 'n'), range(0, 99));
  assert.deepEqual(await clients[1].until('end'), []);
});

it('what a server answers to an event stands between the broadcasts around that event', LIMIT, async (t) => {
  const fixture = await createFixture(t);
  const here = await nativeNode(fixture);
  const elsewhere = await fixture.node();
  const client = await connect(fixture, here);
  here.io.on('ask', (/** @type {number} */ number) => {
    if (number % 2 === 0) client.peer.emit('n', number);
    else here.io.local.emit('n', number);
  });
  for (let i = 0; i < 300; i += 3) {
    elsewhere.io.emit('n', i);
    elsewhere.io.serverSideEmit('ask', i + 1);
    elsewhere.io.emit('n', i + 2);
  }
  elsewhere.io.emit('end');
  assert.deepEqual(numbersOf(await client.until('end'), 'n'), range(0, 299));
});

it('who is disconnected has heard what was emitted before', LIMIT, async (t) => {
  const fixture = await createFixture(t);
  const here = await nativeNode(fixture);
  const elsewhere = await fixture.node();
  for (const io of [here.io, elsewhere.io]) {
    const client = await connect(fixture, here);
    /** @type {any[]} */
    const heard = [];
    client.socket.onAny((/** @type {any[]} */ ...args) => heard.push(args));
    const gone = once(client.socket, 'disconnect');
    for (let i = 0; i < 100; i++) io.emit('n', i);
    io.disconnectSockets(io === here.io);
    await gone;
    assert.deepEqual(numbersOf(heard, 'n'), range(0, 99));
  }
});

it('a client hears that it is connected before anything else', LIMIT, async (t) => {
  const fixture = await createFixture(t);
  const here = await nativeNode(fixture);
  const elsewhere = await fixture.node();
  await connect(fixture, here);
  let left = 200;
  let over = false;
  const flooded = flood(elsewhere.io, () => over);
  while (left-- > 0) {
    const client = await connectBare(fixture, here);
    client.send('40');
    const [, first] = await client.through((packet) => /^4[25]/.test(packet));
    assert.match(String(first), /^40\{"sid"/);
    client.webSocket.terminate();
  }
  over = true;
  await flooded;
});

it('rooms of every name, each its own', LIMIT, async (t) => {
  const fixture = await createFixture(t);
  const here = await nativeNode(fixture);
  const elsewhere = await fixture.node();
  const names = [1, '1', '', '\0', '\x001', -1.5, '-1.5', 'ünï "\\', Symbol('room')];
  const clients = [];
  for (const name of names) {
    const client = await connect(fixture, here);
    client.peer.join(name);
    clients.push(client);
  }
  for (const [i, name] of names.entries()) here.io.to(name).emit('n', i);
  for (const [i, name] of names.entries()) if (i < 8) elsewhere.io.to(name).emit('n', i);
  here.io.to(names[0]).to(names[3]).except(names[1]).except(names[8]).emit('n', 100);
  here.io.to(names[0]).to(names[1]).except(names[0]).emit('n', 101);
  here.io.emit('end');
  elsewhere.io.emit('last');
  for (const [i, client] of clients.entries()) {
    const numbers = numbersOf(await client.untilAll('end', 'last'), 'n').sort((a, b) => a - b);
    const more = i === 0 || i === 3 ? [100] : i === 1 ? [101] : [];
    assert.deepEqual(numbers, [...(i < 8 ? [i, i] : [i]), ...more], String(names[i]));
  }
});

it('a namespace of its own for each socket of a connection, with its own observers', LIMIT, async (t) => {
  const fixture = await createFixture(t);
  const here = await nativeNode(fixture);
  const elsewhere = await fixture.node();
  for (const { io } of [here, elsewhere]) io.of('/chat');
  const main = await connect(fixture, here);
  const chat = await connect(fixture, here, { nsp: '/chat', manager: main.manager });
  await until('both servers to hear', async () => (await fixture.subscribers('socket.io-request#/chat#')) === 2);
  /** @type {any[]} */
  const seen = [];
  chat.peer.onAnyOutgoing((/** @type {any[]} */ ...args) => seen.push(args));
  for (let i = 0; i < 100; i++) elsewhere.io.of(i % 2 === 0 ? '/' : '/chat').emit('n', i);
  for (const nsp of ['/', '/chat']) elsewhere.io.of(nsp).emit('end');
  const even = range(0, 49).map((i) => 2 * i);
  assert.deepEqual(numbersOf(await main.until('end'), 'n'), even);
  const odd = even.map((i) => i + 1);
  assert.deepEqual(numbersOf(await chat.until('end'), 'n'), odd);
  assert.deepEqual(numbersOf(seen, 'n'), odd);
});

it('who goes in the middle of anything is forgotten', LIMIT, async (t) => {
  const fixture = await createFixture(t);
  const counts = countMembers((step) => fixture.after(step));
  const here = await nativeNode(fixture);
  const elsewhere = await fixture.node();
  let over = false;
  const flooded = flood(elsewhere.io, () => over);
  here.io.use((socket, next) => {
    socket.join('early');
    next(socket.handshake.auth.refused ? new Error('refused') : undefined);
  });
  const leave = [
    (/** @type {any} */ client) => client.socket.disconnect(),
    (/** @type {any} */ client) => client.manager.engine.transport.ws?.terminate?.() ?? client.manager._close(),
    (/** @type {any} */ client) => client.peer.disconnect(true),
    (/** @type {any} */ { peer }) => {
      peer.onAnyOutgoing(() => peer.disconnect(true));
    },
    (/** @type {any} */ { peer }) => {
      peer.onAnyOutgoing(() => {});
      peer.offAnyOutgoing();
      peer.conn.once('packetCreate', () => {});
      peer.conn.close();
    },
    (/** @type {any} */ { peer }) => {
      peer.conn.once('upgrade', () => peer.disconnect(true));
      if (peer.conn.transport.name === 'websocket') peer.disconnect(true);
    },
  ];
  for (let i = 0; i < 60; i++) {
    const transports = i % 3 === 0 ? ['polling', 'websocket'] : ['websocket'];
    const client = await connect(fixture, here, { transports });
    client.peer.join(['a', 'b']);
    leave[i % leave.length](client);
    await client.gone();
  }
  const refused = connect(fixture, here, { auth: { refused: true } });
  await assert.rejects(refused, /refused/);
  over = true;
  await flooded;
  await until('all to be gone', () => here.adapter().sids.size === 0);
  assert.equal(counts.added, counts.removed);
  assert(counts.added >= 50, `${counts.added} sockets`);
  // Who comes now gets what is new.
  const client = await connect(fixture, here);
  elsewhere.io.emit('new', 1);
  assert.deepEqual(await client.event('new'), [1]);
});
