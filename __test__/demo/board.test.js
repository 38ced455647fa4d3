'use strict';

/** The demo without a browser: what its figures are made from, and whether something has to be compiled. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { Board, countsOf } = require('../../demo/board.js');
const { LIMIT } = require('../support/limits.js');
const { announcement, isUpToDate } = require('../../demo/build.js');

const NONE = { published: 0, received: 0, delivered: 0, native: 0, filtered: 0, lost: 0 };

/** @param {object} [what] @returns {any} */
const report = (what) => ({
  index: 1,
  pid: 11,
  generation: 1,
  engine: 'native',
  at: 1000,
  counts: NONE,
  mainThread: 0,
  ticks: 0,
  sockets: 100,
  delay: 1,
  ...what,
});

test('what was received is the sum of what became of it', LIMIT, () => {
  const stats = {
    published: 3,
    received: 20,
    delivered: 4,
    deliveredNatively: 9,
    filteredOwn: 1,
    filteredRooms: 2,
    filteredNamespaces: 3,
    filteredResponses: 1,
    overflowed: 1,
    malformed: 0,
  };
  assert.deepEqual(countsOf(/** @type {any} */ (stats)), {
    published: 3,
    received: 20,
    delivered: 4,
    native: 8, // one of the nine went to both
    filtered: 7,
    lost: 1,
  });
});

test('the totals are those of the workers that live', LIMIT, () => {
  const board = new Board();
  board.report(report({ counts: { ...NONE, published: 5 } }));
  board.report(report({ index: 2, pid: 12, counts: { ...NONE, published: 7 } }));
  assert.equal(board.snapshot().totals.published, 12);
  board.starting(2);
  assert.equal(board.snapshot().totals.published, 5);
  assert.deepEqual(board.snapshot().workers[1], { index: 2, starting: true });
});

test('what a message costs is told where there is a flood, and of each engine', LIMIT, () => {
  const board = new Board();
  board.report(report());
  board.report(report({ index: 3, pid: 13, engine: 'javascript' }));
  assert.equal(board.snapshot().cost.native.microseconds, null);
  // One worker is asked for 20 messages, and each of them goes to 100 clients of every worker.
  board.report(report({ at: 2000, ticks: 20, mainThread: 20 * 100 * 3000, delay: 2 }));
  board.report(report({ index: 3, pid: 13, engine: 'javascript', at: 2000, mainThread: 20 * 100 * 9000, delay: 5 }));
  assert.deepEqual(board.snapshot().cost, {
    native: { microseconds: 3, delay: 2 },
    javascript: { microseconds: 9, delay: 5 },
  });
  // A client that comes costs something else.
  board.report(report({ at: 3000, ticks: 40, sockets: 101 }));
  assert.equal(board.snapshot().cost.native.microseconds, null);
});

test('gaps are numbered, and the last ones kept', LIMIT, () => {
  const board = new Board();
  for (let i = 0; i < 30; i++) board.gap({ index: 1 });
  const numbers = board.snapshot().gaps.map(({ number }) => number);
  assert.deepEqual(numbers, [19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30]);
});

test('something is compiled where a source is newer than the native part, or where there is none', LIMIT, (t) => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'demo-build-'));
  t.after(() => fs.rmSync(root, { recursive: true }));
  const write = (/** @type {string} */ name, /** @type {number} */ seconds) => {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), '');
    fs.utimesSync(path.join(root, name), seconds, seconds);
  };
  write('src/deep/a.rs', 1000);
  fs.utimesSync(path.join(root, 'src/deep'), 1000, 1000);
  assert.equal(isUpToDate(root), false, 'nothing is built');
  write('lib/native/x.other-machine.node', 2000);
  assert.equal(isUpToDate(root), false, 'it is built for another machine');
  write(`lib/native/x.${process.platform}-${process.arch}-gnu.node`, 2000);
  assert.equal(isUpToDate(root), true);
  write('Cargo.toml', 3000);
  assert.equal(isUpToDate(root), false, 'Cargo.toml is newer');
  write('Cargo.toml', 1000);
  write('src/deep/b.rs', 3000);
  assert.equal(isUpToDate(root), false, 'a source is newer');
});

test('it is said how long compiling takes', LIMIT, () => {
  assert.match(announcement(2), /^Compiling once: about \d minutes on 2 cores$/);
  assert.match(announcement(1), /^Compiling once: about \d minutes on 1 core$/);
});
