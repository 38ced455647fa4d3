'use strict';

const { LIKE_AN_ID, LONG_NAMES, NAMESPACES, ODD } = require('./four-servers');
const { Random } = require('./random');
const { BINARY, DATES, EDGES, EVENTS, KEYS, LARGE, NUMBERS, ODDITIES, SHORT_STRINGS, SIMPLE } = require('./values');

/** @typedef {import('./four-servers').Case} Case */

const MAX_DEPTH = 5;
/** What `to` gets. Some of these rooms are nobody's; see the rooms of the clients. @type {any[][]} */
const ROOMS = [
  [],
  ['a'],
  ['b'],
  ['c'],
  ['a', 'c'],
  ['b', 'c', 'nobody'],
  ['nobody'],
  ['nobody', 'none'],
  [7],
  ['7'],
  ['8'],
  [8],
  ['9'],
  [9],
  [7, 'c'],
  ['7', 'c'],
  [7, '8', 9],
  [1.5],
  [1.5, -1],
  [-1],
  [''],
  ['', 'nobody'],
  [ODD],
  [ODD, 'c'],
  [LIKE_AN_ID],
  [LIKE_AN_ID, 'c'],
  ['null'],
  ['a#'],
  ['#'],
  ['a', 'a'],
  ['\ud83d'],
  ['\ud83d', 'c'],
  ['ü', 'c'],
  [2 ** 53, 'c'],
  [1e21, 2 ** 64, -(2 ** 40), 0.1, 'c'],
  [0],
  [-0, 'c'],
  ...LONG_NAMES.map((name) => [name]),
  [...LONG_NAMES, 'c'],
  [`\ud83d${'x'.repeat(40)}`, 'c'],
  Array.from({ length: 300 }, (_, i) => `room ${i}`).concat('c'),
];
const EXCEPT = [
  ['a'],
  ['c'],
  ['b'],
  ['nobody'],
  [7],
  ['7'],
  ['', ODD],
  ['nobody', 'c'],
  ['9'],
  [9],
  ['\ud83d'],
  [-1],
  [LIKE_AN_ID],
  [0],
  LONG_NAMES,
];

/** @param {Random} random */
function leaf(random) {
  const kind = random.below(20);
  if (kind < 2) return random.pick(SIMPLE);
  if (kind < 6) return random.pick(NUMBERS);
  if (kind < 8) return number(random);
  if (kind < 12) return random.pick(SHORT_STRINGS);
  if (kind < 14) return text(random);
  if (kind < 15) return random.pick(DATES);
  if (kind < 16) return new Date(Math.round((random.next() - 0.5) * 10 ** (10 + random.below(7))));
  if (kind < 17) return random.pick(BINARY);
  return random.pick(ODDITIES);
}

/** A number of any size, whole or not. @param {Random} random */
function number(random) {
  const size = (random.next() - 0.5) * 2 ** random.below(70);
  return random.chance(0.7) ? Math.trunc(size) : size;
}

/** Text without halves of surrogate pairs: for those see `HALVES`. @param {Random} random */
function text(random) {
  const length = random.chance(0.8) ? random.below(40) : random.below(300);
  return random
    .list(length, () => {
      if (random.chance(0.7)) return String.fromCharCode(32 + random.below(95));
      const wide = String.fromCodePoint(0x4e00 + random.below(999));
      return random.pick(['\n', '\u0001', 'é', '€', '😀', '\u2028', '"', '\\', '\u{1f680}', wide]);
    })
    .join('');
}

/** @param {Random} random @param {number} depth of what it is in @returns {any} */
function value(random, depth = 0) {
  if (depth >= MAX_DEPTH || random.chance(0.55)) return leaf(random);
  const length = random.chance(0.9) ? random.below(5) : random.below(36);
  if (random.chance(0.5)) return random.list(length, () => value(random, depth + 1));
  const long = length > 8;
  return Object.fromEntries(random.list(length, (i) => [long ? `k${i}` : random.pick(KEYS), value(random, depth + 1)]));
}

/** To whom something is sent. @param {Random} random */
function address(random) {
  const compress = random.pick([undefined, undefined, true, false]);
  const local = random.chance(0.02);
  const except = random.chance(0.2) ? random.pick(EXCEPT) : undefined;
  return { nsp: random.pick(NAMESPACES), to: random.pick(ROOMS), except, compress, local };
}

/**
 * Generated cases.
 * @param {number} seed
 * @param {number} count
 * @returns {Case[]}
 */
function generated(seed, count) {
  const random = new Random(seed);
  return random.list(count, () => {
    const args = random.list(random.below(5), () => value(random));
    return { ...address(random), event: random.pick(EVENTS), args };
  });
}

/**
 * Cases that hold each edge: by itself, in an array, in an object, and between binary parts.
 * @returns {Case[]}
 */
function edges() {
  const around = (/** @type {any[]} */ ...args) => ({ nsp: '/', event: 'edge', args });
  return [
    ...EDGES.flatMap((edge) => [
      around(edge),
      around([edge, 1], { a: edge, b: [{ c: edge }] }),
      around(Buffer.from('before'), edge, { in: [edge] }, Buffer.from('after')),
    ]),
    ...LARGE.map((edge) => around(edge, 'end')),
  ];
}

/**
 * Cases for each kind of address, name and flag, with text and with binary.
 * @returns {Case[]}
 */
function addresses() {
  return NAMESPACES.flatMap((nsp) => [
    ...ROOMS.map((to) => ({ nsp, to, event: 'rooms', args: [to.length] })),
    ...ROOMS.map((to) => ({ nsp, to, event: 'rooms', args: [Buffer.from('binary')] })),
    ...EXCEPT.map((except) => ({ nsp, except, event: 'all but', args: [] })),
    ...EXCEPT.map((except) => ({ nsp, to: ['b'], except, event: 'but', args: ['x'] })),
    ...EVENTS.map((event) => ({ nsp, event, args: ['event'] })),
    { nsp, event: 'local', local: true, args: [1] },
    { nsp, event: 'local', local: true, to: ['a'], args: [Buffer.from('x')] },
    ...[true, false].map((compress) => ({ nsp, event: 'compress', compress, args: [Buffer.from('x')] })),
  ]);
}

module.exports = { addresses, edges, generated };
