'use strict';

/** What differs from the official adapter on purpose, and what should not but still does. */

const assert = require('node:assert/strict');
const { after, afterEach, before, describe, it } = require('node:test');
const { inspect } = require('node:util');
const { differences } = require('./compare');
const { DEVIATIONS } = require('./deviations');
const { DEAF, FourServers } = require('./four-servers');
const { nested } = require('./unencodable');
const { LIMIT } = require('../../support/limits');

describe('official and native: not the same frames', LIMIT, () => {
  const cluster = new FourServers();
  before(() => cluster.start());
  after(() => cluster.stop());
  afterEach(() => {
    cluster.forgetProblems();
  });

  /** Sends a case both ways. @param {Partial<import('./four-servers').Case>} what */
  async function both(what) {
    const whole = { nsp: '/', event: 'deviation', args: [], ...what };
    return { official: await cluster.emitAlone('official', whole), native: await cluster.emitAlone('native', whole) };
  }

  for (const { name, args, official, native } of DEVIATIONS) {
    it(name, async () => {
      const outcome = await both({ args });
      const [theirs, ours] = [
        [official, official],
        [native, native],
      ];
      assert.deepEqual(outcome.official, { local: ours, official: theirs, native: theirs });
      assert.deepEqual(outcome.native, { local: ours, official: ours, native: ours });
      assert.deepEqual(cluster.problems, []);
    });
  }

  // The official adapter subscribes to the name of a namespace as to a pattern, and `[a]` matches `a` alone.
  it('a namespace whose name as a pattern does not match itself: official servers are deaf, ours hear it', async () => {
    const outcome = await both({ nsp: DEAF, args: [1] });
    const heard = [[`text 42${DEAF},["deviation",1]`], [`text 42${DEAF},["deviation",1]`]];
    const expected = { local: heard, official: [[], []], native: heard };
    assert.deepEqual(outcome, { official: expected, native: expected });
  });

  // So that nobody can have us use up memory or stack. The sender is told.
  it("an event without a name, at which real clients disconnect: nobody's but the sender's own clients get it of ours", async () => {
    for (const event of [undefined, null, { a: 1 }]) {
      const { official, native } = await both({ event: /** @type {any} */ (event) });
      assert.deepEqual(
        [official.native, native.native],
        [
          [[], []],
          [[], []],
        ],
      );
      assert.deepEqual(native.official, native.local);
    }
  });

  it('512 levels in an argument: everybody gets it', async () => {
    for (const args of [[nested(512)], [1, { a: nested(511) }]]) {
      const outcome = await both({ args });
      const whole = [`text 42${JSON.stringify(['deviation', ...args])}`];
      const all = { local: [whole, whole], official: [whole, whole], native: [whole, whole] };
      assert.deepEqual(outcome, { official: all, native: all });
    }
    assert.deepEqual(cluster.problems, []);
  });

  it("513 levels: only the sender's own clients get it of ours, and only official receivers of others", async () => {
    const args = [nested(513)];
    const outcome = await both({ args });
    const whole = [`text 42${JSON.stringify(['deviation', ...args])}`];
    const [all, none] = [
      [whole, whole],
      [[], []],
    ];
    assert.deepEqual(outcome.official, { local: all, official: all, native: none });
    assert.deepEqual(outcome.native, { local: all, official: none, native: none });
    assert.ok(cluster.problems.includes('ERR_ENCODE'));
    assert.ok(cluster.problems.includes('ERR_MALFORMED_MESSAGE'));
  });
});

/**
 * Rooms and exceptions that no socket can be in, which are an easy slip (`except(undefined)`) and no reason to lose
 * a broadcast; and binary that Socket.IO's own text has no place for.
 * @type {(Partial<import('./four-servers').Case> & { name: string })[]}
 */
const SLIPS = [
  ...[undefined, null, true, NaN, { a: 1 }, ['a'], new Date(5), Buffer.from('a')].flatMap((room) => [
    { name: `except ${inspect(room)}`, except: [room] },
    { name: `except ${inspect(room)} and rooms`, except: ['nobody', room, 'c'] },
    { name: `to ${inspect(room)} and a room`, to: ['a', room] },
  ]),
  {
    name: 'binary below a key __proto__',
    args: [JSON.parse('{"__proto__":{"b":1}}', (key, v) => (key === 'b' ? Buffer.from('b') : v))],
  },
];

describe('official and native: the same frames after a slip', LIMIT, () => {
  const cluster = new FourServers();
  before(() => cluster.start());
  after(() => cluster.stop());

  for (const { name, ...what } of SLIPS) {
    it(name, async () => {
      const whole = { nsp: '/', event: 'slip', args: ['x'], ...what };
      const official = await cluster.emitAlone('official', whole);
      assert.deepEqual(differences(official, await cluster.emitAlone('native', whole)), []);
    });
  }
});
