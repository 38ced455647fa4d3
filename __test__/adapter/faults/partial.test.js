'use strict';

/** Requests in a cluster in which somebody does not answer. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { createFixture } = require('./fixture');
const { LIMIT, SHORT } = require('../../support/limits');

const ALL = { rooms: new Set(), except: new Set() };
/** A server that died and left its connection behind, as Redis sees it. */
const DEAD = ['socket.io-request#/#', 'socket.io-response#/#', 'socket.io-response#/#deaduid#'];

/** The same, of this package. */
const NATIVE_DEAD = [...DEAD, 'socket.io-native#/#', 'socket.io-native#/#1#'];

/** One that asks, one that answers and one that does not. */
async function setUp(t, opts) {
  const fixture = await createFixture(t);
  const a = await fixture.node({ opts: { requestsTimeout: SHORT, ...opts } });
  const b = await fixture.node();
  const [here, there] = [await fixture.client(a), await fixture.client(b)];
  here.peer.join(['room', 'a']);
  there.peer.join(['room', 'b']);
  b.io.on('ask', (done) => done('b'));
  return { fixture, a, b, here, there };
}

const ids = (sockets) => [...sockets].map(({ id }) => id).sort();
const sorted = (items) => [...items].sort();
const message = (name) => `timeout reached while waiting for ${name} response`;
/** What of an answer is missing when the dead one does not answer. */
const PARTIAL = { expected: 2, received: 1, missing: ['deaduid'] };

// They mostly wait, so they wait together.
describe('a dead peer', { concurrency: true, ...LIMIT }, () => {
  it('makes requests reject officially, with what has arrived and who is missing', async (t) => {
    const { fixture, a, here, there } = await setUp(t);
    await fixture.spy(DEAD);
    const [fetched, inRoom, rooms, found, counted, asked] = await Promise.all(
      [
        a.io.fetchSockets(),
        a.io.in('b').fetchSockets(),
        a.adapter().allRooms(),
        a.adapter().fetchSocketIds(),
        a.adapter().countSockets(),
        a.io.serverSideEmitWithAck('ask'),
      ].map((promise) => promise.then(assert.fail, (error) => error)),
    );
    for (const { code, expected, received, missing } of [fetched, inRoom, rooms, found, counted, asked]) {
      assert.deepEqual({ code, expected, received, missing }, { code: 'ERR_REQUEST_TIMEOUT', ...PARTIAL });
    }
    const all = sorted([here.id, there.id]);
    assert.deepEqual([fetched.message, ids(fetched.responses)], [message('fetchSockets'), all]);
    assert.deepEqual(ids(inRoom.responses), [there.id]);
    assert.deepEqual(
      [rooms.message, sorted(rooms.responses)],
      [message('allRooms'), sorted([...all, 'room', 'a', 'b'])],
    );
    assert.deepEqual([found.message, sorted(found.responses)], [message('fetchSocketIds'), all]);
    assert.deepEqual([asked.message, asked.responses], ['timeout reached: only 1 responses received out of 2', ['b']]);
    const [error, responses] = await new Promise((resolve) => {
      a.io.serverSideEmit('ask', (...args) => resolve(args));
    });
    assert.equal(error.code, 'ERR_REQUEST_TIMEOUT');
    assert.deepEqual([error.message, responses], ['timeout reached: only 1 responses received out of 2', ['b']]);
    assert.deepEqual(a.eventLog().all('error'), []);
  });

  it('makes countSockets reject in its own name, whoever else is there', async (t) => {
    const { fixture, a } = await setUp(t);
    await fixture.spy(DEAD);
    const told = [];
    a.adapter().on('partial', ({ request }) => told.push(request));
    const [error, count] = await Promise.all([
      a
        .adapter()
        .countSockets()
        .then(assert.fail, (reason) => reason),
      a.adapter().countSockets({ partial: true }),
    ]);
    assert.deepEqual([error.message, error.responses], [message('countSockets'), 2]);
    assert.deepEqual([count, told], [2, ['countSockets']]);
  });

  it('of ours makes the requests among ours reject too', async (t) => {
    const { fixture, a, here, there } = await setUp(t);
    await fixture.spy(NATIVE_DEAD);
    const [counted, found] = await Promise.all(
      [a.adapter().countSockets(), a.adapter().fetchSocketIds({ rooms: ['room'] })].map((promise) =>
        promise.then(assert.fail, (error) => error),
      ),
    );
    const { code, message: text, missing, responses } = counted;
    assert.deepEqual(
      [code, text, missing, responses],
      ['ERR_REQUEST_TIMEOUT', message('countSockets'), ['deaduid'], 2],
    );
    assert.deepEqual(
      [found.message, sorted(found.responses)],
      [message('fetchSocketIds'), sorted([here.id, there.id])],
    );
  });

  it('gives what has arrived when a request says partial', async (t) => {
    const { fixture, a, here, there } = await setUp(t);
    const spy = await fixture.spy(NATIVE_DEAD);
    const told = [];
    a.adapter().on('partial', (details) => told.push(details));
    const adapter = a.adapter();
    const [sockets, some, found, count, error] = await Promise.all([
      adapter.fetchSockets({ ...ALL, partial: true }),
      adapter.fetchSockets({ rooms: new Set(['room']), except: new Set(['a']), partial: true }),
      adapter.fetchSocketIds({ except: ['b'], partial: true }),
      adapter.countSockets({ partial: true }),
      adapter.fetchSockets({ ...ALL, partial: false }).then(assert.fail, (reason) => reason),
    ]);
    assert.deepEqual([ids(sockets), sockets.partial], [sorted([here.id, there.id]), PARTIAL]);
    assert.deepEqual([ids(some), some.partial], [[there.id], PARTIAL]);
    assert.deepEqual([sorted(found), found.partial], [[here.id], PARTIAL]);
    assert.equal(count, 2);
    assert.equal(error.code, 'ERR_REQUEST_TIMEOUT');
    const requests = told.map(({ request }) => request);
    assert.deepEqual(sorted(requests), ['countSockets', 'fetchSocketIds', 'fetchSockets', 'fetchSockets']);
    assert.deepEqual(
      told,
      requests.map((request) => ({ request, ...PARTIAL })),
    );
    await spy.leave();
    const whole = await adapter.fetchSockets({ ...ALL, partial: true });
    assert.deepEqual([ids(whole), whole.partial], [sorted([here.id, there.id]), undefined]);
    assert.equal(told.length, 4);
  });

  it('gives what has arrived when the option says partial', async (t) => {
    const { fixture, a, here, there } = await setUp(t, { partial: true });
    await fixture.spy(DEAD);
    const told = [];
    a.adapter().on('partial', ({ request }) => told.push(request));
    const adapter = a.adapter();
    const [byServer, sockets, rooms, found, count, error, asked] = await Promise.all([
      a.io.fetchSockets(),
      adapter.fetchSockets(ALL),
      adapter.allRooms(),
      adapter.fetchSocketIds({ except: new Set(['a']) }),
      adapter.countSockets({ rooms: ['b'] }),
      adapter.fetchSockets({ ...ALL, partial: false }).then(assert.fail, (reason) => reason),
      a.io.serverSideEmitWithAck('ask').then(assert.fail, (reason) => reason),
    ]);
    assert.deepEqual(ids(byServer), sorted([here.id, there.id]));
    assert.deepEqual([ids(sockets), sockets.partial], [sorted([here.id, there.id]), PARTIAL]);
    assert.deepEqual([sorted(rooms), rooms.partial], [sorted([here.id, there.id, 'room', 'a', 'b']), PARTIAL]);
    assert.deepEqual([sorted(found), found.partial], [[there.id], PARTIAL]);
    assert.equal(count, 1);
    assert.equal(error.code, 'ERR_REQUEST_TIMEOUT');
    assert.deepEqual(asked.responses, ['b'], 'acknowledgements are not partial');
    for (const request of ['fetchSockets', 'allRooms', 'fetchSocketIds']) assert.ok(told.includes(request), request);
  });

  it('may be an official server', async (t) => {
    const { fixture, a, here, there } = await setUp(t);
    const frozen = await fixture.official();
    const working = await fixture.official();
    const far = await fixture.client(working);
    frozen.freeze();
    const error = await a.io.fetchSockets().then(assert.fail, (reason) => reason);
    assert.deepEqual(
      [error.message, error.code, error.expected, error.received],
      [message('fetchSockets'), 'ERR_REQUEST_TIMEOUT', 3, 2],
    );
    assert.deepEqual(ids(error.responses), sorted([here.id, there.id, far.id]));
    // Official servers do not say who they are.
    assert.deepEqual(sorted(error.missing), sorted([frozen.adapter().uid, working.adapter().uid]));
    const found = await a.adapter().fetchSocketIds({ partial: true });
    assert.deepEqual([sorted(found), found.partial.received], [sorted([here.id, there.id, far.id]), 2]);
    assert.equal(await a.adapter().countSockets({ rooms: ['room'], partial: true }), 2);
  });

  it('is not waited for once it has left, and an answer too late does no harm', async (t) => {
    const { fixture, a, b, here, there } = await setUp(t);
    const spy = await fixture.spy(DEAD);
    const asked = a.io.fetchSockets().then(assert.fail, (reason) => reason);
    const { message: request } = await spy.take(({ channel }) => channel === DEAD[0]);
    const { requestId } = JSON.parse(request.toString());
    const error = await asked;
    await fixture.publish(
      'socket.io-response#/#',
      JSON.stringify({ requestId, sockets: [{ id: 'late' }], uid: 'deaduid' }),
    );
    await spy.leave();
    assert.deepEqual(ids(await a.io.fetchSockets()), sorted([here.id, there.id]));
    assert.deepEqual(ids(error.responses), sorted([here.id, there.id]));
    assert.equal(await b.adapter().serverCount(), 2);
  });
});
