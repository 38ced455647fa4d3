'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');

const { account, nameOf, recovery } = require('../../bench/faults/account');
const { LIMIT } = require('../support/limits');

/** Node a sends 4 broadcasts, 100 ms apart from 1000 on; `numbers` of them come to b, each 5 ms later. */
function journals(numbers, { ofA = [], ofB = [] } = {}) {
  const times = [1000, 1100, 1200, 1300];
  const received = { numbers, sent: numbers.map((n) => times[n]), at: numbers.map((n) => times[n] + 5) };
  return {
    a: { sent: { broadcast: times }, received: {}, gaps: ofA },
    b: { sent: {}, received: { broadcast: { a: received } }, gaps: ofB },
  };
}

function gap(connection, from, to, { lost = 0, backplane = 'adapter' } = {}) {
  return { backplane, connection, from, to, lost, at: to };
}

/** @param {any} journals @param {Record<string, number>} expected @param {Set<string>} [stored] */
function assertAccount(journals, expected, stored) {
  const none = { told: 0, silent: 0, disordered: 0, duplicates: 0, withheld: 0 };
  const all = { sent: 4, expected: 4, delivered: 4, ...none, ...expected };
  const { examples, ...sums } = account(journals, { stored });
  assert.deepEqual(sums, all);
  assert.equal(examples.length, all.disordered + all.duplicates + Math.max(all.silent, all.withheld));
}

describe('the account of faults', LIMIT, () => {
  it('counts what came', () => assertAccount(journals([0, 1, 2, 3]), {}));

  it('counts what came twice, or behind a later one', () => {
    assertAccount(journals([0, 1, 1, 2, 3]), { duplicates: 1 });
    assertAccount(journals([0, 2, 1, 3]), { disordered: 1 });
  });

  it('counts what did not come though a stream has it, whatever was told', () => {
    const stored = new Set([1, 2].map((number) => nameOf('broadcast', 'a', number, 1000 + 100 * number)));
    assertAccount(journals([0, 1, 2]), { delivered: 3, silent: 1 }, stored);
    assertAccount(journals([0, 2, 3]), { delivered: 3, silent: 1, withheld: 1 }, stored);
    const ofA = [gap('pub', 1050, 1150, { lost: 1 })];
    assertAccount(journals([0, 2, 3], { ofA }), { delivered: 3, told: 1 });
    assertAccount(journals([0, 2, 3], { ofA }), { delivered: 3, told: 1, withheld: 1 }, stored);
    assertAccount(journals([0, 2, 3]), { delivered: 3, silent: 1 }, new Set([nameOf('broadcast', 'a', 1, 999)]));
  });

  it('takes for silent what no gap is about', () => {
    assertAccount(journals([0, 1, 3]), { delivered: 3, silent: 1 });
    for (const ofB of [
      gap('sub', 1000, 1150),
      gap('sub', 1310, 1400),
      gap('pub', 1000, 1400),
      gap('sub', 1000, 1400, { backplane: 'store' }),
    ])
      assertAccount(journals([0, 1, 3], { ofB: [ofB] }), { delivered: 3, silent: 1 });
  });

  it('takes for told what the receiver has a gap for', () => {
    assertAccount(journals([0, 3], { ofB: [gap('sub', 1050, 1250)] }), { delivered: 2, told: 2 });
  });

  it('knows that a message may leave a while after it was sent, but before the next one', () => {
    const told = { delivered: 3, told: 1 };
    assertAccount(journals([0, 1, 3], { ofB: [gap('sub', 1250, 1400)] }), told);
  });

  it('takes for told what the sender has counted, and no more', () => {
    assertAccount(journals([0, 3], { ofA: [gap('pub', 1050, 1250, { lost: 2 })] }), { delivered: 2, told: 2 });
    assertAccount(journals([0, 3], { ofA: [gap('pub', 1050, 1250, { lost: 1 })] }), {
      delivered: 2,
      told: 1,
      silent: 1,
    });
  });

  it('knows that a message may wait in a queue until the sender is connected', () => {
    const ofA = [gap('pub', 1150, 1600)];
    assertAccount(journals([0, 1, 3], { ofA, ofB: [gap('sub', 1500, 1700)] }), { delivered: 3, told: 1 });
  });

  it('says when all was well again', () => {
    assert.equal(recovery(journals([0, 1, 2, 3]), 1050, Infinity), 55);
    assert.equal(recovery(journals([0, 1, 3]), 1050, Infinity), 255);
    assert.equal(recovery(journals([0, 1, 2]), 1050, Infinity), Infinity);
  });

  it('does not blame an outage for what the next one has lost', () => {
    assert.equal(recovery(journals([0, 1]), 950, 1350), 55);
    assert.equal(recovery(journals([0]), 1050, 1350), Infinity);
  });
});
