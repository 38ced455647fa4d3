'use strict';

/** Rooms that are no strings, as a client may send them, and what else of others becomes text. */

const assert = require('node:assert/strict');
const { inspect } = require('node:util');
const { describe, it } = require('node:test');
const notepack = require('notepack.io');
const { createFixture } = require('./fixture');
const { LIMIT, PATIENCE } = require('../../support/limits');

const MODES = ['pattern', 'dynamic', 'dynamic-private'];
/** What cannot be text: its `toString` is no function. */
const MUTE = { toString: 1 };
const MUTER = { toString: null, valueOf: null };
/** What a client can send. */
const SENT = [
  MUTE,
  MUTER,
  { a: MUTE },
  [MUTE],
  [[MUTE], MUTE],
  {},
  [],
  true,
  null,
  7.5,
  '',
  '__proto__',
  Buffer.from('b'),
];
/** What only the application can pass. */
const PASSED = [
  Symbol('room'),
  Object.create(null),
  10n,
  () => {},
  new Date(5),
  new Map(),
  NaN,
  undefined,
  true,
  null,
  MUTE,
  Buffer.from('b'),
  Object.assign(Object.create(null), {
    toJSON() {
      throw new Error('no');
    },
  }),
  Proxy.revocable({}, {}).proxy,
];
/** What the common handlers of an application do with a room. */
const HANDLERS = {
  join: (io, socket, room) => socket.join(room),
  leave: (io, socket, room) => socket.leave(room),
  to: (io, socket, room) => io.to(room).emit('news'),
  'to two': (io, socket, room) => io.to(room).to('room').emit('news'),
  'socket.to': (io, socket, room) => socket.to(room).emit('news'),
  except: (io, socket, room) => io.to('nobody').except(room).emit('news'),
  'emit with acknowledgements': (io, socket, room) =>
    io
      .in(room)
      .timeout(1)
      .emit('news', () => {}),
  socketsJoin: (io, socket, room) => io.in(socket.id).socketsJoin(room),
  'in and socketsJoin': (io, socket, room) => io.in(room).socketsJoin('another'),
  fetchSockets: (io, socket, room) => io.in(room).fetchSockets(),
  allRooms: (io) => io.of('/').adapter.allRooms(),
  socketsLeave: (io, socket, room) => io.in(socket.id).socketsLeave(room),
  'in and socketsLeave': (io, socket, room) => io.in(room).socketsLeave('another'),
  disconnectSockets: (io, socket, room) => io.in('nobody').except(room).disconnectSockets(),
};
/** The official adapter names a channel after the room that a broadcast is for, and ends its server with it. */
const FATAL = ['to', 'socket.to'];

/** A server with the handlers of `HANDLERS`, all of which answer. */
async function serve(node) {
  node.io.on('connection', (socket) => {
    for (const [name, handler] of Object.entries(HANDLERS)) {
      socket.on(name, async (room, done) => {
        await handler(node.io, socket, room);
        done();
      });
    }
  });
}

/** Broadcasts cross in both directions, and every server knows all sockets. */
async function assertWell(nodes, clients) {
  for (const [i, node] of nodes.entries()) {
    await Promise.all(clients.map(({ peer }) => peer.join(`room ${i}`)));
    node.io.emit('all', i);
    for (const client of clients) assert.deepEqual(await client.event('all'), [i]);
    const sockets = await node.io.in(`room ${i}`).fetchSockets();
    assert.deepEqual(sockets.map(({ id }) => id).sort(), clients.map(({ id }) => id).sort());
  }
}

/** Errors of our adapters that stay in its events. */
const told = (nodes) => nodes.flatMap((node) => node.eventLog()?.all('error') ?? []).map(({ code }) => code);

describe('rooms that a client sends', LIMIT, () => {
  /** @type {[string, (fixture: any) => Promise<any>][]} */
  const kinds = [
    ['official', (fixture) => fixture.official()],
    ...MODES.map((subscriptionMode) => [subscriptionMode, (fixture) => fixture.node({ opts: { subscriptionMode } })]),
  ];
  for (const [kind, open] of kinds) {
    for (const name of Object.keys(HANDLERS).filter((each) => kind !== 'official' || !FATAL.includes(each))) {
      it(`${name} (${kind})`, async (t) => {
        const fixture = await createFixture(t);
        const nodes = [await open(fixture), await fixture.official()];
        for (const node of nodes) serve(node);
        const clients = [await fixture.client(nodes[0]), await fixture.client(nodes[1])];
        for (const room of SENT) {
          await clients[0].socket.timeout(PATIENCE).emitWithAck('join', room);
          await clients[0].socket.timeout(PATIENCE).emitWithAck(name, room);
        }
        await assertWell(nodes, clients);
        if (kind !== 'official') assert.deepEqual(told(nodes.slice(0, 1)), []);
      });
    }
  }
});

describe('rooms that are neither strings nor numbers', LIMIT, () => {
  for (const subscriptionMode of ['official', ...MODES]) {
    it(`are there for the sockets of this server (${subscriptionMode})`, async (t) => {
      const fixture = await createFixture(t);
      const node =
        subscriptionMode === 'official' ? await fixture.official() : await fixture.node({ opts: { subscriptionMode } });
      const [client, other] = [await fixture.client(node), await fixture.client(node)];
      // Redis answers in order: the channels of both sockets are there when this one is.
      await other.peer.join('barrier');
      const before = await fixture.channels();
      for (const room of PASSED) {
        if (typeof room === 'number') continue;
        const joined = client.peer.join(room);
        if (subscriptionMode !== 'official') assert.equal(joined, undefined, 'nothing to wait for');
        assert.ok(client.peer.rooms.has(room));
        node.io.local.to(room).emit('near', 1);
        assert.deepEqual(await client.event('near'), [1]);
        node.io.local.except(room).emit('others');
        assert.deepEqual(
          (await node.io.local.in(room).fetchSockets()).map(({ id }) => id),
          [client.id],
        );
      }
      assert.deepEqual(await fixture.channels(), before);
      for (const room of PASSED) client.peer.leave(room);
      node.io.emit('end');
      assert.deepEqual(await client.until('end'), []);
      assert.equal((await other.until('end')).length, PASSED.length - 1);
      assert.deepEqual([...client.peer.rooms], [client.id]);
    });

    if (subscriptionMode === 'official') continue;

    it(`do not cross, and disturb nothing (${subscriptionMode})`, async (t) => {
      const fixture = await createFixture(t);
      const nodes = [
        await fixture.node({ opts: { subscriptionMode } }),
        await fixture.node({ opts: { subscriptionMode } }),
      ];
      const clients = [await fixture.client(nodes[0]), await fixture.client(nodes[1])];
      const [{ io }] = nodes;
      for (const room of PASSED) {
        const name = typeof room === 'object' && room !== null ? 'an object' : inspect(room);
        for (const { peer } of clients) await peer.join(room);
        io.to(room).emit('one', name);
        io.to(room).to('nobody').emit('two', name);
        io.to('nobody').except(room).emit('three', name);
        io.in(room).socketsJoin('joined');
        io.in(clients[0].id).socketsJoin(room);
        io.in(clients[0].id).socketsLeave('nobody');
        io.in(room).except(clients[0].id).socketsLeave(room);
        const ids = (await io.in(room).fetchSockets()).map(({ id }) => id);
        assert.ok(ids.includes(clients[0].id), name);
        assert.ok((await nodes[0].adapter().allRooms()).has(clients[1].id), name);
        assert.ok((await nodes[1].adapter().countSockets({ rooms: [room] })) >= 1, name);
      }
      io.emit('end');
      const near = await clients[0].until('end');
      assert.equal(near.length, 2 * PASSED.length);
      // NaN is a number, and is NaN everywhere.
      const far = (await clients[1].until('end')).filter(([, name]) => name !== 'NaN');
      assert.deepEqual(
        far.filter(([event]) => event === 'one'),
        [],
      );
      await assertWell(nodes, clients);
      assert.deepEqual(told(nodes), []);
    });
  }
});

describe('a broadcast for the room undefined', LIMIT, () => {
  for (const kind of ['official', 'native']) {
    it(`is not one for everybody (${kind})`, async (t) => {
      const fixture = await createFixture(t);
      const sender = kind === 'official' ? await fixture.official() : await fixture.node();
      const client = await fixture.client(await fixture.official());
      sender.io.to(undefined).emit('news');
      sender.io.emit('end');
      assert.deepEqual(await client.until('end'), []);
    });
  }
});

/** More levels than a stack has. */
const DEEP = 200_000;
const deep = '['.repeat(DEEP) + ']'.repeat(DEEP);
/** Requests whose fields would be repeated as text. */
const REQUESTS = [
  ...[1, 5, 0, 'count', 'ids', 7].flatMap((type) => [
    { type, requestId: 'x', uid: MUTE, opts: {}, rooms: [], packet: { type: 2, data: ['news'] } },
    { type, requestId: MUTE, uid: 'x', opts: {}, rooms: [], packet: { type: 2, data: ['news'] } },
  ]),
  { type: 2, sid: 'a', uid: MUTE, room: MUTE },
  { type: 2, uid: 'x', opts: { rooms: [], except: [] }, rooms: [MUTE, [MUTE]] },
  { type: 3, uid: 'x', opts: { rooms: [], except: [] }, rooms: [MUTE] },
  { type: 6, uid: 'x', data: [MUTE] },
  { type: 6, uid: 'x', requestId: MUTE, data: ['event'] },
  { type: 6, uid: 'x', requestId: 'x', data: [MUTE, 1] },
  ...[
    { type: MUTE, data: ['news'] },
    { type: 2, id: MUTE, data: ['news'] },
    { type: 5, attachments: MUTE, data: ['news'] },
  ].map((packet) => ({ type: 7, uid: 'x', requestId: 'x', packet, opts: { rooms: [], except: [], flags: null } })),
];

describe('what peers send', LIMIT, () => {
  for (const opts of [{}, { publishOnSpecificResponseChannel: true }, { parser: notepack }]) {
    it(`is never text unchecked (${inspect(opts, { depth: 0 })})`, async (t) => {
      const fixture = await createFixture(t);
      const nodes = [await fixture.node({ opts }), await fixture.node({ opts })];
      const clients = [await fixture.client(nodes[0]), await fixture.client(nodes[1])];
      const publisher = fixture.redisClient();
      for (const request of REQUESTS) {
        for (const channel of ['socket.io-request#/#', 'socket.io-native#/#']) {
          await publisher.publish(channel, JSON.stringify(request));
          await publisher.publish(channel, notepack.encode(request));
        }
      }
      await publisher.publish('socket.io-request#/#', `{"type":1,"uid":"x","requestId":${deep}}`);
      for (const packet of [
        { type: MUTE, data: [1], nsp: '/' },
        { type: 2, id: MUTE, data: ['lost'], nsp: '/' },
      ]) {
        for (const flags of [{}, null]) {
          await publisher.publish(
            'socket.io#/#',
            notepack.encode(['uid', packet, { rooms: ['nobody'], except: [MUTE], flags }]),
          );
          await publisher.publish('socket.io#/#', notepack.encode(['uid', packet, { rooms: [MUTE], flags }]));
          await publisher.publish('socket.io#/#', notepack.encode(['uid', packet, { rooms: [], flags }]));
        }
      }
      await assertWell(nodes, clients);
    });
  }

  it('the number of clients that a server says it has asked is a number', async (t) => {
    const fixture = await createFixture(t);
    const [node, mute] = [await fixture.node(), await fixture.official()];
    mute.freeze();
    const asked = await fixture.spy(['socket.io-request#/#']);
    const answers = node.io.timeout(500).emitWithAck('ask');
    const { requestId } = JSON.parse((await asked.take(() => true)).message);
    await fixture.publish('socket.io-response#/#', JSON.stringify({ type: 8, requestId, clientCount: MUTER }));
    await assert.rejects(answers, /timed out/);
  });
});

it('an acknowledgement that cannot be encoded is an error, and ends no server', LIMIT, async (t) => {
  const fixture = await createFixture(t);
  const [asking, node] = [await fixture.node(), await fixture.node()];
  const [client, near] = [await fixture.client(node), await fixture.client(asking)];
  near.answers('ask', () => 'near');
  const { encoder } = client.manager;
  const encode = encoder.encode.bind(encoder);
  encoder.encode = (packet) => (packet.type === 3 ? [`3${packet.id}[${deep}]`] : encode(packet));
  client.answers('ask', () => 'deep');
  const told = node.eventLog().next('error');
  await assert.rejects(asking.io.timeout(1000).emitWithAck('ask'), /timed out/);
  assert.equal((await told).code, 'ERR_ENCODE');
  await assertWell([asking, node], [client, near]);
});

it('sockets whose handshake cannot be JSON are told without what cannot', LIMIT, async (t) => {
  const fixture = await createFixture(t);
  const [node, asking] = [await fixture.node(), await fixture.node()];
  const client = await fixture.client(node);
  client.peer.handshake.own = { big: 1n };
  await client.peer.join(Symbol('room'));
  await client.peer.join(10n);
  const [{ id, rooms, data, handshake }] = await asking.io.fetchSockets();
  assert.deepEqual(
    { id, rooms: [...rooms], data, own: handshake.own, url: handshake.url },
    { id: client.id, rooms: [client.id], data: {}, own: undefined, url: client.peer.handshake.url },
  );
});

it('an error that cannot be text is ERR_ENCODE too', LIMIT, async (t) => {
  const fixture = await createFixture(t);
  const node = await fixture.node();
  for (const thrown of [MUTE, Object.assign(new Error(), { message: MUTE }), Symbol('x'), undefined]) {
    const value = {
      toJSON() {
        throw thrown;
      },
    };
    assert.throws(() => node.io.emit('news', value), { code: 'ERR_ENCODE' });
  }
});
