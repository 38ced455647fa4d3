'use strict';

const vm = require('node:vm');

/** The values at every edge that is known, from which the generator builds larger ones. */

/** Each integer with its neighbours, and both signs. */
const POWERS = [5, 7, 8, 15, 16, 31, 32, 53, 63, 64, 65].map((exponent) => 2 ** exponent);
const NUMBERS = [
  0, -0, 1, -1, 2, 10, 42, 99, 100, 255, 1000, 0.1, -0.1, 0.5, 1.5, 1e-6, 1e-7, 1.25e-9, 5e-324, 2.2250738585072014e-308,
  1e20, 1e21, -1e21, 1.5e21, 1e22, 123456789012345680000, 1e100, 1e300, -1e300, Number.MAX_VALUE, -Number.MAX_VALUE,
  NaN, Infinity, -Infinity, Math.PI, 0.30000000000000004, 4294967295.5, -2147483648.5, 999999999999999, 1e15, 1e16,
  Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 1234567890123456800, -1234567890123456800,
  ...POWERS.flatMap((power) => [power - 2, power - 1, power, power + 1, power + 2].flatMap((n) => [n, -n])),
  ...POWERS.slice(7).flatMap((power) => [power * (1 - 2 ** -53), power * (1 + 2 ** -52), power * 1.5, power * 3].flatMap((n) => [n, -n])),
];

const DATES = [
  0, 1, -1, 999, 1000, -999, -1000, -1001, 1795496767000, 1795496767089, 951782400000, 951868799999, -62135596800000,
  -62167219200000, -62167219200001, 253402300799999, 253402300800000, 8.64e15, -8.64e15, 8.64e15 - 1, 1 - 8.64e15,
  (2 ** 32 - 1) * 1000, 2 ** 32 * 1000, (2 ** 34 - 1) * 1000, (2 ** 34 - 1) * 1000 + 999, 2 ** 34 * 1000,
  2 ** 34 * 1000 + 1,
  -(2 ** 32) * 1000, -(2 ** 32) * 1000 - 1, 1.7, Date.UTC(1969, 11, 31, 23, 59, 59, 999), Date.UTC(1900, 1, 28),
].map((time) => new Date(time));

const CONTROLS = String.fromCharCode(...Array.from({ length: 32 }, (_, i) => i), 127, 128, 159);
const HIGH = '\ud83d';
const LOW = '\ude00';
/**
 * Halves of surrogate pairs. notepack.io writes a string of up to 32 units and 32 bytes itself, and makes
 * a pair of any half with what follows it; a longer one Node writes, with U+FFFD for the half.
 *
 * Left out: a half in a string of up to 32 units of which notepack.io counts more than 32 bytes. It then
 * reserves room for a pair and has Node write less, so that what is left of the string is memory that
 * nobody has initialized. Left out for the same reason: a half in a key of more than 32 bytes, which comes
 * out one way or the other depending on what notepack.io has in its cache of keys.
 */
const HALVES = [
  HIGH, LOW, LOW + HIGH, HIGH + HIGH, `${HIGH}a`, `a${HIGH}`, `${LOW}a`, `a${LOW}`, `a${HIGH}b`, `${HIGH}é`, `${HIGH}€`,
  `${HIGH}${HIGH}${LOW}`, `${LOW}${HIGH}${LOW}`, `${HIGH}${LOW}${LOW}`, `${HIGH}"`, `${HIGH}\\`, `${HIGH}\n`,
  `${LOW}\u0000`,
  `ends ${HIGH}`, `😀${HIGH}`, `${'x'.repeat(27)}${HIGH}`, `${'x'.repeat(28)}${LOW}`, `${'x'.repeat(27)}${LOW}y`,
  ...[HIGH, LOW, LOW + HIGH].flatMap((half) => [
    `${'x'.repeat(40)}${half}`, `${half}${'x'.repeat(40)}`, `${'é'.repeat(20)}${half}${'é'.repeat(20)}`, `${'x'.repeat(300)}${half}y`,
  ]),
  `\ud800${'a'.repeat(33)}\udfff`, '\udbff\udfff\udbff', '\udc00\udc00\udc00', '\ud800\ud800\ud800',
];
const STRINGS = [
  '', 'a', 'text', '0', 'null', 'true', '"', '\\', '/', '"\\"', '\\u0041', '\\ud83d', '\u2028', '\u2029', '\ufeff',
  '\ufffd', '\uffff',
  CONTROLS, ...CONTROLS, 'é', 'ü ß', '€', '日本語', '😀', '👩‍👩‍👧‍👦',
  'e\u0301', '\u{10ffff}', '\ud7ff\ue000', '{"a":1}',
  '42["x"]', '</script>',
  ...[15, 16, 31, 32, 33, 255, 256, 257, 65535, 65536].map((length) => 'x'.repeat(length)),
  ...[7, 8, 15, 16, 17, 32, 127, 128].map((length) => 'é'.repeat(length)), '€'.repeat(10), '€'.repeat(11), '😀'.repeat(8),
  `${'x'.repeat(30)}é`, `${'x'.repeat(31)}é`, '"'.repeat(40), `${'x'.repeat(70)}\n`, `${'é\n'.repeat(33000)}`, ...HALVES,
];
/** The long ones of these come only where each value comes once. */
const SHORT_STRINGS = STRINGS.filter(({ length }) => length < 1000);

const bytesOf = (/** @type {number} */ length) => Uint8Array.from({ length }, (_, i) => (i * 37 + 255) & 255);
const LONG_BINARY = [256, 65535, 65536].map((length) => Buffer.from(bytesOf(length)));
const BINARY = [
  Buffer.alloc(0), Buffer.from([0]), Buffer.from('text'), Buffer.from(bytesOf(255)), Buffer.from(bytesOf(32)),
  Buffer.from(bytesOf(33)),
  Buffer.from(bytesOf(20)).subarray(3, 9), new Uint8Array(0), bytesOf(5), bytesOf(9).subarray(2, 4),
  new Uint8ClampedArray([0, 300, 7]),
  new Int8Array([0, 1, -1, 127, -128]), new Uint16Array([1, 255, 256, 257, 65535]), new Int16Array([-1, -256, 511]),
  new Uint32Array([1, 2 ** 32 - 1, 258]), new Int32Array([-1, 65793]), new Float32Array([1.5, -1.5, 300]),
  new Float64Array([0, 1.9, -1.9, 256.5, 1e300, NaN, Infinity]), new Float64Array(0), new DataView(bytesOf(6).buffer),
  new DataView(bytesOf(12).buffer, 2, 3), new ArrayBuffer(0), bytesOf(7).buffer,
  new Uint8Array(new SharedArrayBuffer(3)), vm.runInNewContext('new Uint8Array([1, 2])'),
];

class Point {
  #hidden = 1;
  constructor(x) { this.x = x; }
  get hidden() { return this.#hidden; }
}
class Labelled extends Point {
  constructor(x, label) { super(x); this.label = label; }
  toJSON() { return this.label; }
}
const jsonIs = (result) => ({ extra: 1, toJSON: () => result });
const withProperties = (target, properties) => Object.defineProperties(target, properties);

/** Whatever is no plain value: those that the official adapter's clients get as JSON.stringify has them. */
const ODDITIES = [
  jsonIs('text'), jsonIs(''), jsonIs(7), jsonIs(-0), jsonIs(null), jsonIs(true), jsonIs(NaN), jsonIs({}), jsonIs([]),
  jsonIs({ a: [1, { b: null }] }),
  jsonIs([1, undefined, 'x']), jsonIs({ u: undefined, n: null }), jsonIs(Buffer.from('by toJSON')),
  jsonIs(new Uint8Array([1, 2])),
  jsonIs(new ArrayBuffer(2)), jsonIs({ deep: [Buffer.from('deep')] }), jsonIs([Buffer.from('in a list'), 1]),
  jsonIs({ at: new Date(5) }),
  { toJSON: 'no function' }, { toJSON: null, a: 1 }, { toJSON: { toJSON: 1 } }, new Labelled(1, 'label'),
  new Labelled(1, { of: [new Point(2)] }),
  new Labelled(2, Buffer.from('label')), new Point(1), new Point(new Point(undefined)), new Map([[1, 2]]), new Set([1]),
  new WeakMap(), /x/g,
  new Error('no'), new URL('http://localhost/x?y#z'), new URLSearchParams('a=1'), Promise.resolve(1),
  new SharedArrayBuffer(4), Math,
  // eslint-disable-next-line no-sparse-arrays
  [, 1, , 2, ,], new Array(3), Object.assign([1, 2], { extra: 3 }), Object.create(null), Object.create({ inherited: 1 }),
  Object.assign(Object.create(null), { bare: 1 }), Object.assign(Object.create({ inherited: 1 }), { own: 2 }),
  withProperties({}, { hidden: { value: 1 }, shown: { value: 2, enumerable: true }, got: { get: () => 3, enumerable: true } }),
  { [Symbol('key')]: 1, a: 2 }, { [Symbol.iterator]: null }, { f() {}, g: () => 1, h: class {}, rest: 1 },
  { u: undefined }, { a: undefined, b: 1, c: undefined },
  JSON.parse('{"__proto__":{"a":1},"b":2}'), JSON.parse('{"__proto__":null}'), JSON.parse('{"a":1,"__proto__":[1]}'),
  JSON.parse('{"a":{"__proto__":"text"},"c":3}'),
  JSON.parse('{"constructor":1,"hasOwnProperty":2,"toString":3,"valueOf":4,"length":5,"prototype":6}'),
  { 10: 'b', 9: 'a', x: 1, 1: 'c', '01': 'd', '-1': 'e', 1.5: 'f', 4294967294: 'g', 4294967295: 'h', 4294967296: 'i', '0': 'j' },
  { '': 'empty key' }, { '': { '': {} } },
  { ' ': 1, '"': 2, '\\': 3, '\n': 4, '\u2028': 5, 'é': 6, '😀': 7, [HIGH]: 8, [`${LOW}x`]: 9, [`${HIGH}a`]: 10 },
  { ['k'.repeat(31)]: 1, ['k'.repeat(32)]: 2, ['k'.repeat(33)]: 3, ['k'.repeat(255)]: 4, ['k'.repeat(256)]: 5 },
  { ['é'.repeat(16)]: 6, ['é'.repeat(40)]: 7 },
  { _placeholder: true, num: 0 }, { _placeholder: true, num: 1 }, { _placeholder: true, num: 2, more: 1 },
  { num: 0, _placeholder: true }, { _placeholder: true },
  { _placeholder: false, num: 0 }, { _placeholder: true, num: '0' }, { _placeholder: true, num: -1 },
  { _placeholder: true, num: 99 }, { _placeholder: 1, num: 0 },
  '{"_placeholder":true,"num":0}', [{ _placeholder: true, num: 0 }, { _placeholder: true, num: 0 }],
  { type: 2, data: ['x'], nsp: '/chat', id: 7 }, { rooms: ['a'], except: [], flags: { local: true } },
  Object.freeze({ frozen: 1 }), process.versions,
  new Proxy({ a: [1] }, {}), new Proxy([1, 2], {}),
  vm.runInNewContext('[{ at: new Date(5), bytes: new Uint8Array(2).buffer }]'),
  (function args() { return arguments; })(1, 'two', undefined),
];

/** Arrays and objects of every length that MessagePack writes in another way; only where each value comes once. */
const LONG = [
  ...[15, 16, 17, 65535, 65536].map((length) => Array.from({ length }, (_, i) => i & 127)),
  ...[15, 16, 31, 32, 33, 300].map((length) => Object.fromEntries(Array.from({ length }, (_, i) => [`k${i}`, i]))),
  Object.fromEntries(Array.from({ length: 65535 }, (_, i) => [i, 0])),
  Object.fromEntries(Array.from({ length: 65536 }, (_, i) => [i, 0])),
  Array.from({ length: 300 }, (_, i) => Buffer.from([i & 255, 1])), Array.from({ length: 20 }, () => LONG_BINARY[0]),
  JSON.parse(`${'[{"deep":'.repeat(200)}1${'}]'.repeat(200)}`),
];
const SIMPLE = [null, undefined, true, false];

/** The values of which each comes by itself, in an array, in an object, and with binary. */
const EDGES = [...SIMPLE, ...NUMBERS, ...DATES, ...SHORT_STRINGS, ...BINARY, ...ODDITIES];
/** The values that are too large for that. */
const LARGE = [...STRINGS.filter((text) => !SHORT_STRINGS.includes(text)), ...LONG_BINARY, ...LONG];

const KEYS = [
  'a', 'b', 'c', 'd', 'id', 'name', 'type', 'data', 'nsp', 'num', '_placeholder', '', '0', '1', '2', '10', '01',
  '4294967295', '-1', '1.5', 'ключ', '😀',
  '"', '\n', '__proto__x', 'constructor', 'toString', 'length', 'k'.repeat(16), 'k'.repeat(17), 'k'.repeat(40), HIGH,
  `${LOW}!`,
];
const EVENTS = [
  'news', '', ' ', 'message', 'ä"\\', '🚪', '1', 'constructor', '__proto__', 'x'.repeat(40), `${HIGH}e`,
  0, 7, -1, 1.5, 2 ** 53,
];

module.exports = { BINARY, DATES, EDGES, EVENTS, KEYS, LARGE, NUMBERS, ODDITIES, SHORT_STRINGS, SIMPLE };
