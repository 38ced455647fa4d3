'use strict';

/** What is long and legal is done in slices: other work has its turns, and what comes behind it waits. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const notepack = require('notepack.io');
const { createFixture, range } = require('./fixture');
const { Inbox } = require('../../support/client-inbox');
const { LIMIT } = require('../../support/limits');
const { Random } = require('../differential/random');

const REQUESTS = 'socket.io-request#/#';
const ALL = { rooms: [], except: [] };
/** Far fewer turns than it takes, and far more than one message has that is handled at once. */
const TURNS = 5;

/** Counts the turns of the event loop. */
function turnsOf(t) {
  let [turns, isOver] = [0, false];
  const turn = () => {
    turns++;
    if (!isOver) setImmediate(turn);
  };
  turn();
  t.after(() => (isOver = true));
  return () => turns;
}

/** Sockets that are in the namespace, without connections. @returns {any[]} */
function attach({ io }, count, got = new Inbox()) {
  const nsp = io.of('/');
  return range(1, count).map((number) => {
    const id = `socket-${number}`;
    const socket = {
      id,
      handshake: { headers: { host: 'localhost' }, query: {}, auth: { token: 'x'.repeat(200) } },
      data: { number },
      get rooms() {
        return nsp.adapter.socketRooms(id) ?? new Set();
      },
      join: (/** @type {any} */ rooms) => nsp.adapter.addAll(id, new Set([rooms].flat())),
      leave: (/** @type {any} */ room) => nsp.adapter.del(id, room),
      disconnect() {
        nsp.sockets.delete(id);
        nsp.adapter.delAll(id);
      },
      notifyOutgoingListeners() {},
      client: { writeToEngine: (/** @type {any[]} */ [text]) => got.push([id, text]) },
    };
    nsp.sockets.set(id, socket);
    nsp.adapter.addAll(id, new Set([id]));
    return socket;
  });
}

/** Calls back with the turns that there are between the first and the last call of what is done in slices. */
function spread(turns, target, method) {
  const real = target[method].bind(target);
  const seen = { first: 0, last: 0, calls: 0 };
  target[method] = (...args) => {
    seen.first ||= turns();
    seen.last = turns();
    seen.calls++;
    return real(...args);
  };
  return seen;
}

describe('requests', LIMIT, () => {
  it('joins of many sockets: what comes behind them waits, and other work does not', async (t) => {
    const fixture = await createFixture(t);
    const node = await fixture.node();
    const got = new Inbox();
    attach(node, 20_000, got);
    const turns = turnsOf(t);
    const joins = spread(turns, node.adapter(), 'addAll');
    await fixture.publish(REQUESTS, JSON.stringify({ uid: 'peer', type: 2, opts: ALL, rooms: ['a', 'b'] }));
    await fixture.publish(
      'socket.io#/#',
      notepack.encode(['peer', { type: 2, data: ['n'], nsp: '/' }, { rooms: ['a'], except: [], flags: {} }]),
    );
    await fixture.publish(REQUESTS, JSON.stringify({ uid: 'peer', type: 3, opts: ALL, rooms: ['a', 'b'] }));
    const reached = await got.through(([id]) => id === 'socket-20000');
    assert.equal(reached.length, 20_000, 'all that have joined get the broadcast');
    assert.ok(joins.last - joins.first > TURNS, `${joins.calls} joins in ${joins.last - joins.first} turns`);
  });

  it('joins of many rooms by one socket', async (t) => {
    const fixture = await createFixture(t);
    const node = await fixture.node({ opts: { limits: { rooms: 100_000, values: 200_000 } } });
    attach(node, 1);
    const turns = turnsOf(t);
    const joins = spread(turns, node.adapter(), 'addAll');
    const rooms = range(1, 100_000);
    const heard = new Promise((resolve) => node.io.on('end', resolve));
    await fixture.publish(REQUESTS, JSON.stringify({ uid: 'peer', type: 2, opts: ALL, rooms }));
    await fixture.publish(REQUESTS, JSON.stringify({ uid: 'peer', type: 6, data: ['end', node.adapter().rooms.size] }));
    await heard;
    assert.equal(node.adapter().rooms.size, 100_001);
    assert.ok(joins.last - joins.first > TURNS, `${joins.calls} joins in ${joins.last - joins.first} turns`);
  });

  it('a socket that leaves between two slices is not in rooms afterwards', async (t) => {
    const fixture = await createFixture(t);
    const node = await fixture.node();
    const sockets = attach(node, 20_000);
    const last = sockets.at(-1);
    const { addAll } = node.adapter();
    node.adapter().addAll = (id, rooms) => {
      last.disconnect();
      return addAll.call(node.adapter(), id, rooms);
    };
    const heard = new Promise((resolve) => node.io.on('end', resolve));
    await fixture.publish(REQUESTS, JSON.stringify({ uid: 'peer', type: 2, opts: ALL, rooms: ['a'] }));
    await fixture.publish(REQUESTS, JSON.stringify({ uid: 'peer', type: 6, data: ['end'] }));
    await heard;
    assert.equal(node.adapter().rooms.get('a').size, 19_999);
    assert.equal(node.adapter().sids.has(last.id), false);
  });

  it('a namespace that closes meanwhile is asked for no more', async (t) => {
    const fixture = await createFixture(t);
    const node = await fixture.node();
    const sockets = attach(node, 20_000);
    let left = 0;
    for (const socket of sockets) {
      socket.disconnect = () => {
        if (++left === 10) void node.adapter().close();
      };
    }
    const closed = node.eventLog().next('close');
    await fixture.publish(REQUESTS, JSON.stringify({ uid: 'peer', type: 4, opts: ALL, close: true }));
    await closed;
    assert.equal(left, 10);
  });
});

describe('broadcasts', LIMIT, () => {
  for (const { name, sockets, data, opts } of [
    { name: 'to many sockets', sockets: 2000, data: ['long'] },
    { name: 'with a parser of its own', sockets: 2000, data: ['long'], opts: { parser: notepack } },
    { name: 'with many attachments', sockets: 100, data: ['long', ...range(1, 20).map(() => Buffer.of(1))] },
  ]) {
    it(`${name} are written in slices, and what comes behind waits`, async (t) => {
      const fixture = await createFixture(t);
      const node = await fixture.node({ opts });
      const got = new Inbox();
      const turns = turnsOf(t);
      const seen = new Set();
      for (const { id, client } of attach(node, sockets, got)) {
        client.writeToEngine = ([text]) => {
          got.push([id, text]);
          seen.add(turns());
          // As a WebSocket does, it takes a while.
          for (const start = performance.now(); performance.now() - start < 100 / sockets;);
        };
      }
      for (const args of [data, ['end']]) {
        const filter = { rooms: [], except: ['socket-1'], flags: {} };
        await fixture.publish('socket.io#/#', notepack.encode(['peer', { type: 2, data: args, nsp: '/' }, filter]));
      }
      const texts = await got.through(([id, text]) => id === `socket-${sockets}` && text.includes('"end"'));
      assert.equal(texts.length, 2 * (sockets - 1));
      assert.ok(texts.slice(0, sockets - 1).every(([, text]) => text.includes('"long"')));
      assert.ok(seen.size > TURNS, `${seen.size} turns`);
    });
  }
});

describe('fetchSockets of many sockets', LIMIT, () => {
  it('is answered and read in slices', async (t) => {
    const fixture = await createFixture(t);
    const node = await fixture.node();
    // The answer is longer than that.
    const asking = await fixture.node({ opts: { limits: { bytes: 1_000_000 } } });
    attach(node, 20_000);
    const turns = turnsOf(t);
    const before = turns();
    const sockets = await asking.io.fetchSockets();
    assert.equal(sockets.length, 20_000);
    const [{ id, handshake, rooms, data }] = sockets;
    const { auth } = handshake;
    assert.deepEqual([id, [...rooms], data, String(auth.token).length], ['socket-1', ['socket-1'], { number: 1 }, 200]);
    assert.ok(turns() - before > 2 * TURNS, `${turns() - before} turns`);
    assert.equal(await asking.adapter().countSockets(), 20_000);
    assert.equal((await asking.adapter().fetchSocketIds()).size, 20_000);
    assert.equal((await asking.adapter().allRooms()).size, 20_000);
  });
});

describe('long JSON', LIMIT, () => {
  const { parseInSlices } = require('../../../lib/adapter/wire/json');
  const most = { values: 100_000, bytes: 8 * 1024 * 1024 };
  const wanted = () => true;

  /** What comes of it, and in how many slices. */
  function read(text, limits = most, isWanted = wanted) {
    const steps = parseInSlices(Buffer.from(text), limits, ['rooms', 'sockets'], isWanted);
    for (let slices = 1; ; slices++) {
      const { done, value } = steps.next();
      if (done) return { slices, value };
    }
  }

  const random = new Random(4);
  const text = () =>
    String.fromCodePoint(...random.list(random.below(9), () => random.pick([34, 92, 44, 91, 125, 233, 128_512])));
  const value = (depth = 0) => {
    const kind = random.below(depth > 3 ? 3 : 5);
    if (kind < 3) return [text(), random.below(1000), null][kind];
    const inner = random.list(random.below(5), () => value(depth + 1));
    return kind === 3 ? inner : Object.fromEntries(inner.map((one) => [text(), one]));
  };

  for (const seed of range(1, 20)) {
    it(`is what JSON.parse makes of it, and takes slices (${seed})`, () => {
      const message = Object.fromEntries(
        ['requestId', 'sockets', 'data', 'rooms', 'others'].map((name) => [name, value()]),
      );
      message[random.pick(['sockets', 'rooms'])] = random.list(20_000, () => value());
      const json = JSON.stringify(message, null, random.below(2));
      const { slices, value: read_ } = read(json);
      assert.deepEqual(read_, JSON.parse(json));
      assert.ok(slices > Buffer.byteLength(json) / 65_536, `${slices} slices`);
    });
  }

  it('is not parsed where it is not valid, or holds too much', () => {
    const items = '"x",'.repeat(50_000);
    for (const wrong of [
      `{"rooms":[${items}]}`,
      `{"rooms":[${items}"x"}`,
      `{"rooms":[${items}"x"]`,
      `{"rooms":[${items}"x"]]`,
      `{"rooms":[${items}"x"],}`,
      `{"rooms":[${items}x]}`,
      `{"others":[${'0,'.repeat(100_001)}0]}`,
      `{"rooms":[[${'0,'.repeat(100_001)}0]]}`,
      `{"rooms":[0],"x":"${'x'.repeat(9_000_000)}"}`,
      `{"rooms":["${'x'.repeat(9_000_000)}"]}`,
      `{"x":"${'\\"'.repeat(50_000)}`,
    ])
      assert.throws(() => read(wrong), wrong.slice(0, 50));
    assert.throws(() => read(`{"rooms":[${'0,'.repeat(50_000)}0]}`, { ...most, values: 400 }), /too many/);
  });

  it('has its lists parsed only where it is wanted', () => {
    const json = JSON.stringify({ requestId: 'x', rooms: range(1, 50_000) });
    const seen = [];
    assert.equal(read(json, most, ({ requestId }) => void seen.push(requestId)).value, undefined);
    assert.deepEqual(seen, ['x']);
  });
});

describe('the limit of values', LIMIT, () => {
  const list = (/** @type {number} */ count) => ['n', Array(count - 3).fill(0)];
  for (const [title, opts, most] of /** @type {[string, any, number][]} */ ([
    ['as given', { limits: { values: 50 } }, 50],
    ['by default', {}, 100_000],
  ])) {
    it(`${title}: a request that has more is malformed`, async (t) => {
      const fixture = await createFixture(t);
      const node = await fixture.node({ opts });
      const heard = new Inbox();
      node.io.on('n', (values) => heard.push(values.length));
      node.io.on('end', () => heard.push('end'));
      for (const count of [most, most + 1]) {
        const request = { uid: 'peer', type: 6, data: list(count) };
        await fixture.publish(REQUESTS, JSON.stringify(request));
      }
      await fixture.publish(REQUESTS, JSON.stringify({ uid: 'peer', type: 6, data: ['end'] }));
      assert.deepEqual(await heard.through((value) => value === 'end'), [most - 3, 'end']);
      assert.equal(node.adapter().stats().malformed, 1);
    });
  }
});
