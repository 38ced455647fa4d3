'use strict';

/** What an Emitter publishes on the classic wire: channels and bytes are those of `@socket.io/redis-emitter` 5. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const original = require('@socket.io/redis-emitter');
const msgpack = require('@msgpack/msgpack');
const { Emitter } = require('../..');
const { createFixture } = require('../adapter/faults/fixture');
const { addresses, edges, generated } = require('../adapter/differential/generator');
const { LIMIT } = require('../support/limits');

const parser = { encode: (/** @type {any} */ value) => Buffer.from(msgpack.encode(value)) };

/** What an application may call. @type {Record<string, (emitter: any) => void>} */
const CALLS = {
  'to all': (emitter) => emitter.emit('news', 1, 'two', { three: [3, null, true, -0.5] }),
  'no arguments': (emitter) => emitter.emit('news'),
  'a room': (emitter) => emitter.to('room').emit('news'),
  'a room with a number': (emitter) => emitter.to(7).emit('news'),
  'the empty room': (emitter) => emitter.to('').emit('news'),
  'the same room twice': (emitter) => emitter.to('room').in('room').emit('news'),
  'several rooms': (emitter) => emitter.to('a').in(['b', 'c']).to(['a']).emit('news'),
  'no room in the end': (emitter) => emitter.to([]).emit('news'),
  exceptions: (emitter) => emitter.except('a').except(['b', 'c']).emit('news'),
  'a room with exceptions': (emitter) => emitter.to('ä😀').except('b').emit('news'),
  'a room with a NUL': (emitter) => emitter.to('a\0b').emit('news', '\0'),
  'a namespace with a NUL': (emitter) => emitter.of('/a\0b').to('room').emit('news'),
  'more than is handed over together': (emitter) => emitter.to('room').emit('news', 'x'.repeat(100_000)),
  volatile: (emitter) => emitter.volatile.emit('news'),
  compress: (emitter) => emitter.compress(false).volatile.compress(true).to('a').emit('news'),
  binary: (emitter) => emitter.emit('news', Buffer.from('part'), { deep: [Uint8Array.of(1, 2), new ArrayBuffer(3)] }),
  'dates and what JSON leaves out': (emitter) =>
    emitter.emit('news', new Date(1795496767089), undefined, NaN, { a: undefined, b: () => 1 }, Object.create(null)),
  toJSON: (emitter) => emitter.emit('news', { toJSON: () => ({ made: true }) }, new URL('http://localhost/')),
  classes: (emitter) =>
    emitter.emit(
      'news',
      new (class Point {
        x = 1;
      })(),
      new Map([[1, 2]]),
      new String('boxed'),
      new Array(2),
    ),
  'an event with a number': (emitter) => emitter.emit(5, 1),
  'a namespace': (emitter) => emitter.of('/chat').to('room').emit('news', 1),
  'a namespace without its slash': (emitter) => emitter.of('chat').emit('news', 1),
  'a namespace with a comma': (emitter) => emitter.of('/a,b?c=["d"]').emit('news', 1, 'x'),
  'a namespace of a namespace': (emitter) => emitter.of('/a').of('/b').emit('news'),
  socketsJoin: (emitter) => emitter.socketsJoin('room'),
  'socketsJoin of some': (emitter) => emitter.in('a').except('b').socketsJoin(['c', 'd']),
  socketsLeave: (emitter) => emitter.socketsLeave(['a', 'b']),
  'socketsLeave of some': (emitter) => emitter.of('/chat').in(['a', 7]).socketsLeave('b'),
  disconnectSockets: (emitter) => emitter.disconnectSockets(),
  'disconnectSockets of some': (emitter) => emitter.in('a').except('b').disconnectSockets(true),
  serverSideEmit: (emitter) => emitter.serverSideEmit('news', 1, { text: 'ä' }, null, undefined),
  'serverSideEmit in a namespace': (emitter) => emitter.of('/chat').serverSideEmit('news'),
};

/** What is refused, and by which words. @type {Record<string, [(emitter: any) => void, RegExp]>} */
const REFUSED = {
  'serverSideEmit with an acknowledgement': [
    (emitter) => emitter.serverSideEmit('news', () => {}),
    /^Error: Acknowledgements are not supported$/,
  ],
  ...Object.fromEntries(
    ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'].map((name) => [
      `the event ${name}`,
      [(/** @type {any} */ emitter) => emitter.to('room').emit(name), new RegExp(`^Error: "${name}" is a reserved`)],
    ]),
  ),
};

/** The differential tests' cases as calls. @param {ReturnType<typeof generated>} cases */
function calls(cases) {
  return cases.map(({ nsp, to, except, compress, event, args }) => (/** @type {any} */ emitter) => {
    let operator = emitter.of(nsp);
    if (to) operator = operator.to(to);
    if (except) operator = operator.except(except);
    if (compress !== undefined) operator = operator.compress(compress);
    operator.emit(event, ...args);
  });
}

/**
 * What each call publishes with each of two emitters.
 * @param {import('node:test').TestContext} t
 * @param {((emitter: any) => void)[]} list
 * @param {{ marks?: boolean, rest?: [any, any?] }} [how] whether something else is between two calls; options and namespace
 */
async function published(t, list, { marks = true, rest = [undefined] } = {}) {
  const fixture = await createFixture(t);
  const spy = await fixture.spy([], ['*']);
  const ours = new Emitter(fixture.redis.url, ...rest);
  const theirs = new original.Emitter(fixture.redisClient(), ...rest);
  const results = [];
  for (const emitter of [theirs, ours]) {
    for (const [i, call] of list.entries()) {
      let failed = false;
      try {
        call(emitter);
      } catch {
        failed = true;
      }
      if (marks) emitter.of('/mark').serverSideEmit(failed ? 'thrown' : 'called', i);
    }
    emitter.of('/mark').serverSideEmit('end');
    const { key = 'socket.io' } = rest[0] ?? {};
    const isEnd = (/** @type {any} */ { channel, message }) =>
      channel === `${key}-request#/mark#` && message.includes('"end"');
    results.push(await spy.through(isEnd));
  }
  await ours.close();
  return results;
}

/** @param {any[]} messages */
function readable(messages) {
  return messages.map(({ channel, message }) => [channel, message.toString('latin1')]);
}

describe('what an Emitter publishes on the classic wire', { concurrency: false, ...LIMIT }, () => {
  for (const [title, rest] of /** @type {[string, any[]][]} */ ([
    ['by default', []],
    ['with a key', [{ key: 'my app' }]],
    ['with a parser', [{ parser }]],
    ['in a namespace', [undefined, '/chat']],
    ['in a namespace without its slash', [undefined, 'chat']],
  ])) {
    it(`is what the original publishes, ${title}`, async (t) => {
      const [expected, actual] = await published(t, Object.values(CALLS), { rest: /** @type {[any, any?]} */ (rest) });
      assert.ok(expected.length > Object.keys(CALLS).length * 1.5, 'next to nothing was published');
      assert.deepEqual(readable(actual), readable(expected));
    });
  }

  it('is so for every known edge', async (t) => {
    const [expected, actual] = await published(t, calls([...edges(), ...addresses()]));
    for (const [i, message] of readable(expected).entries()) assert.deepEqual(readable([actual[i]])[0], message);
    assert.equal(actual.length, expected.length);
  });

  it('is so for 3000 generated calls', async (t) => {
    const [expected, actual] = await published(t, calls(generated(11, 3000)));
    for (const [i, message] of readable(expected).entries()) assert.deepEqual(readable([actual[i]])[0], message);
    assert.equal(actual.length, expected.length);
  });

  it('is in the order of the calls, with nothing between them', async (t) => {
    const list = [...Object.values(CALLS), ...calls(generated(12, 2000)), ...Object.values(CALLS)];
    const [expected, actual] = await published(t, list, { marks: false });
    for (const [i, message] of readable(expected).entries()) assert.deepEqual(readable([actual[i]])[0], message);
    assert.equal(actual.length, expected.length);
  });

  for (const [title, [call, message]] of Object.entries(REFUSED)) {
    it(`refuses ${title}, in the words of the original`, async (t) => {
      const fixture = await createFixture(t);
      const ours = new Emitter(fixture.redis.url);
      for (const emitter of [new original.Emitter(fixture.redisClient()), ours]) {
        assert.throws(() => call(emitter), message);
      }
      await ours.close();
      assert.equal(ours.stats().published, 0);
    });
  }

  it('cannot be made of a cycle, a BigInt or what is nested too deep: ERR_ENCODE', async (t) => {
    const { redis } = await createFixture(t);
    const emitter = new Emitter(redis.url);
    const cycle = /** @type {any} */ ({});
    cycle.cycle = cycle;
    const deep = Array.from({ length: 600 }).reduce((/** @type {any} */ inner) => [inner], 1);
    for (const value of [cycle, deep]) {
      assert.throws(() => emitter.emit('news', value), { code: 'ERR_ENCODE' });
      assert.throws(() => emitter.serverSideEmit('news', value), { code: 'ERR_ENCODE' });
    }
    assert.throws(() => emitter.serverSideEmit('news', 1n), { code: 'ERR_ENCODE' });
    await emitter.close();
    assert.equal(emitter.stats().published, 0);
  });
});
