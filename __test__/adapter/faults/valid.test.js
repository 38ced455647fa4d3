'use strict';

/** Which requests and responses are valid: those that the official adapter makes sense of, within limits. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const notepack = require('notepack.io');
const { createFixture, range } = require('./fixture');
const { Inbox } = require('../../support/client-inbox');
const { LIMIT } = require('../../support/limits');

const text = (/** @type {any} */ request) => Buffer.from(JSON.stringify(request));
const PEER = { uid: 'peer', requestId: 'request' };

/** Shapes that no server of today sends and that mean something to the official adapter. */
const ODD = {
  'opts as an empty list': text({ ...PEER, type: 5, opts: [] }),
  'opts as a list': text({ ...PEER, type: 5, opts: ['x'] }),
  'rooms of opts as text': text({ ...PEER, type: 5, opts: { rooms: 'ab' } }),
  'rooms of opts as bytes': notepack.encode({ ...PEER, type: 5, opts: { rooms: Buffer.from([7]), except: null } }),
  'rooms of opts with what is no name': text({ ...PEER, type: 5, opts: { rooms: ['a', {}, [], null] } }),
  'opts without rooms, flags null': text({ ...PEER, type: 5, opts: { except: ['a'], flags: null } }),
  'bytes as keys': Buffer.concat([
    Buffer.from([0x83, 0xc4, 4]),
    Buffer.from('type'),
    Buffer.from([0, 0xc4, 9]),
    Buffer.from('requestId'),
    notepack.encode('request'),
    Buffer.from([0xc4, 5]),
    Buffer.from('rooms'),
    notepack.encode(['a']),
  ]),
  'rooms as text': text({ ...PEER, type: 0, rooms: 'ab' }),
  'no rooms': text({ ...PEER, type: 0 }),
  'no uid': text({ requestId: 'request', type: 1 }),
  'a number as the id': text({ requestId: 7, type: 0, rooms: ['a'] }),
  'no id': text({ type: 0, rooms: ['a'] }),
  'a join of one socket without opts': text({ ...PEER, type: 2, opts: null, sid: 'first', room: 'new' }),
  'a join of one socket to several rooms': text({ ...PEER, type: 2, sid: 'first', room: ['new', 'newer'] }),
  'a leave of one socket': text({ ...PEER, type: 3, sid: 'first', room: 'a' }),
  'a join to a room that is text': text({ uid: 'peer', type: 2, opts: { rooms: ['b'] }, rooms: 'new' }),
  'a join to the room null': text({ uid: 'peer', type: 2, opts: { rooms: ['b'] }, rooms: [null, true, 5] }),
  'a disconnect with a close that is a number': text({ uid: 'peer', type: 4, opts: { rooms: ['b'] }, close: 1 }),
  'a type that is not known': text({ ...PEER, type: 99 }),
};

/** Sockets without connections, the first in `a` and 7, the second in `b`. */
function attach({ io }, disconnected) {
  const nsp = io.of('/');
  for (const [id, rooms] of Object.entries({ first: ['a', 7], second: ['b'] })) {
    const socket = {
      id,
      handshake: {},
      data: {},
      get rooms() {
        return nsp.adapter.socketRooms(id);
      },
      join: (/** @type {any} */ rooms) => nsp.adapter.addAll(id, new Set([rooms].flat())),
      leave: (/** @type {any} */ room) => nsp.adapter.del(id, room),
      disconnect: (/** @type {any} */ close) => disconnected.push([id, Boolean(close)]),
      client: { writeToEngine() {} },
    };
    nsp.sockets.set(id, socket);
    nsp.adapter.addAll(id, new Set([id, ...rooms]));
  }
}

/** What a server does at a request: what it answers, and what becomes of its sockets. */
async function outcomeAt(fixture, kind, request) {
  const key = `${kind}-${process.hrtime.bigint()}`;
  const node = kind === 'official' ? await fixture.official({ opts: { key } }) : await fixture.node({ opts: { key } });
  /** @type {any[]} */
  const disconnected = [];
  attach(node, disconnected);
  const answers = await fixture.spy([`${key}-response#/#`]);
  await fixture.publish(`${key}-request#/#`, request);
  // The official adapter answers those of this type a little later than others.
  await fixture.publish(
    `${key}-request#/#`,
    text({ uid: 'peer', requestId: 'end', type: 5, opts: { rooms: ['none'] } }),
  );
  const all = (await answers.through(({ message }) => String(message).includes('"end"'))).slice(0, -1);
  const rooms = [...node.adapter().sids].map(([id, rooms]) => [id, ...rooms]);
  // Ours say whose they are.
  const said = all.map(({ message }) => ({ ...JSON.parse(message.toString()), uid: undefined }));
  return { said, rooms, disconnected };
}

describe('odd requests mean what they mean to the official adapter', LIMIT, () => {
  for (const [title, request] of Object.entries(ODD)) {
    it(title, async (t) => {
      const fixture = await createFixture(t);
      assert.deepEqual(await outcomeAt(fixture, 'native', request), await outcomeAt(fixture, 'official', request));
    });
  }
});

/** An array nested so many levels deep. @returns {any[]} */
function nested(depth) {
  /** @type {any[]} */
  let value = [];
  for (let i = 1; i < depth; i++) value = [value];
  return value;
}

describe('depth', LIMIT, () => {
  it('512 levels in an argument cross both ways, and no more', async (t) => {
    const fixture = await createFixture(t);
    const [a, b] = [await fixture.node(), await fixture.node()];
    const client = await fixture.client(b);
    client.answers('ask', (value) => value);
    b.io.on('ask', (value, done) => done(value));
    const most = nested(512);
    assert.deepEqual(await a.io.timeout(20_000).emitWithAck('ask', most), [most]);
    assert.deepEqual(await a.io.serverSideEmitWithAck('ask', most), [most]);
    client.peer.data.deep = nested(511);
    assert.deepEqual((await a.io.fetchSockets())[0].data.deep, nested(511));
    const more = nested(513);
    assert.throws(() => a.io.serverSideEmit('ask', more), { code: 'ERR_ENCODE' });
    assert.throws(() => a.io.timeout(1000).emit('ask', more, () => {}), { code: 'ERR_ENCODE' });
  });

  it('what is nested deeper is malformed', async (t) => {
    const fixture = await createFixture(t);
    const node = await fixture.node();
    const heard = new Inbox();
    node.io.on('ask', (value) => heard.push(value));
    const requests = [512, 513, 512].map((depth) => ({ uid: 'peer', type: 6, data: ['ask', nested(depth)] }));
    for (const request of requests) await fixture.publish('socket.io-request#/#', text(request));
    for (const depth of [512, 512]) assert.deepEqual(await heard.take(() => true), nested(depth));
    assert.equal(node.adapter().stats().malformed, 1);
  });
});

describe('attachments that JavaScript decodes', LIMIT, () => {
  it('are limited too', async (t) => {
    const fixture = await createFixture(t);
    const parser = { encode: notepack.encode, decode: (/** @type {Buffer} */ bytes) => notepack.decode(bytes) };
    const node = await fixture.node({ opts: { parser, limits: { attachments: 3 } } });
    const client = await fixture.client(node);
    const packet = (/** @type {number} */ parts) => ({ type: 2, data: ['n', ...Array(parts).fill(Buffer.of(1))] });
    for (const parts of [3, 4]) {
      const opts = { rooms: [], except: [] };
      await fixture.publish('socket.io#/#', notepack.encode(['peer', packet(parts), opts]));
      const request = { uid: 'peer', requestId: 'x', type: 7, packet: packet(parts), opts };
      await fixture.publish('socket.io-request#/#', notepack.encode(request));
    }
    node.io.emit('end');
    await client.until('end');
    await fixture.publish('socket.io#/#', notepack.encode(['peer', { type: 2, data: ['last'] }, { rooms: [] }]));
    await client.until('last');
    assert.equal(node.adapter().stats().malformed, 2);
  });
});

describe('events of serverSideEmit', LIMIT, () => {
  it('that are reserved never come from Redis', async (t) => {
    const fixture = await createFixture(t);
    const node = await fixture.node();
    const heard = new Inbox();
    const listened = ['connect', 'connection', 'new_namespace', 'error', 'end'];
    for (const name of listened) node.io.on(name, () => heard.push(name));
    const reserved = [...listened.slice(0, -1), 'newListener', 'removeListener'];
    for (const name of [...reserved, null, {}, { toString: null }, [], 'end'])
      await fixture.publish('socket.io-request#/#', text({ uid: 'peer', type: 6, data: [name, null] }));
    assert.deepEqual(await heard.through((name) => name === 'end'), ['end']);
    assert.equal(node.adapter().stats().malformed, reserved.length + 4);
  });

  it('what a listener throws is thrown as it is, with the name of the event', async (t) => {
    const fixture = await createFixture(t);
    const node = await fixture.node();
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    t.after(() => others.forEach((other) => process.on('uncaughtException', other)));
    const uncaught = new Inbox();
    const keep = (/** @type {unknown} */ error) => uncaught.push(error);
    process.on('uncaughtException', keep);
    t.after(() => process.removeListener('uncaughtException', keep));
    for (const thrown of [new Error('of the application'), Object.freeze(new Error('frozen')), 'text', undefined]) {
      node.io.once('news', () => {
        throw thrown;
      });
      await fixture.publish('socket.io-request#/#', text({ uid: 'peer', type: 6, data: ['news'] }));
      const error = await uncaught.take(() => true);
      assert.equal(error, thrown);
      if (thrown instanceof Error && !Object.isFrozen(thrown))
        assert.match(require('node:util').inspect(error), /serverSideEvent: 'news'/);
    }
  });
});

it('arguments that do not fit on the stack are malformed', LIMIT, async (t) => {
  const fixture = await createFixture(t);
  const node = await fixture.node();
  const client = await fixture.client(node);
  client.peer.onAnyOutgoing(() => {});
  const heard = new Inbox();
  node.io.on('many', (...args) => heard.push(args.length));
  for (const count of [9999, 90_000]) {
    const data = ['many', ...range(1, count)];
    await fixture.publish('socket.io-request#/#', text({ uid: 'peer', type: 6, data }));
    await fixture.publish('socket.io#/#', notepack.encode(['peer', { type: 2, data, nsp: '/' }, { rooms: [] }]));
  }
  await fixture.publish('socket.io#/#', notepack.encode(['peer', { type: 2, data: ['end'], nsp: '/' }, { rooms: [] }]));
  assert.equal((await client.until('end')).length, 1);
  assert.equal(await heard.take(() => true), 9999);
  assert.equal(node.adapter().stats().malformed, 2);
});
