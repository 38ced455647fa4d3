'use strict';

/**
 * All that is known to arrive otherwise than from the official adapter, on purpose.
 *
 * The official adapter's clients do not all get the same: those of the sender get what JSON.stringify makes
 * of the arguments, those of other servers what JSON.stringify makes of what notepack.io kept of them. Ours
 * encodes once, so all clients get what the sender's own get. The two differ for the values below, and in
 * each case it is notepack.io that loses what was meant. With binary anywhere in the arguments socket.io-parser
 * takes them apart by rules of its own first, which is why some of these differ only without binary.
 *
 * @typedef {object} Deviation
 * @property {string} name
 * @property {any[]} args
 * @property {string[]} official the frames that clients of other servers get of an official sender
 * @property {string[]} native those that all clients get of ours; the official sender's own clients get them too
 */

/** @param {string} json the arguments as JSON */
const text = (json) => [`text 42["deviation",${json}]`];
/** The same with the two bytes `hi` as the last argument. @param {string} json */
const withBinary = (json) => [`text 451-["deviation",${json},{"_placeholder":true,"num":0}]`, 'binary 6869'];
const HI = Buffer.from('hi');

const json = (/** @type {any} */ result) => ({ toJSON: () => result });
const withToJSON = (/** @type {object} */ target) => Object.assign(target, json('own'));
const EPOCH = '"1970-01-01T00:00:00.000Z"';
const FIVE = '"1970-01-01T00:00:00.005Z"';

/** notepack.io makes timestamps of dates before it looks for `toJSON`, and of an invalid one that of 1970. */
const DATES = [
  { name: 'an invalid date', args: [new Date(NaN)], official: text(EPOCH), native: text('null') },
  {
    name: 'an invalid date, inside',
    args: [{ a: [new Date(NaN)] }],
    official: text(`{"a":[${EPOCH}]}`),
    native: text('{"a":[null]}'),
  },
  {
    name: 'an invalid date beside binary',
    args: [new Date(NaN), HI],
    official: withBinary(EPOCH),
    native: withBinary('null'),
  },
  {
    name: 'a date with a toJSON of its own',
    args: [withToJSON(new Date(5))],
    official: text(FIVE),
    native: text('"own"'),
  },
  {
    name: 'the same beside binary',
    args: [withToJSON(new Date(5)), HI],
    official: withBinary(FIVE),
    native: withBinary('"own"'),
  },
];

/** notepack.io takes primitives in objects for objects. Beside binary socket.io-parser does so too. */
const BOXED = [
  { name: 'a boxed number', args: [new Number(5)], official: text('{}'), native: text('5') },
  {
    name: 'a boxed boolean',
    args: [{ a: new Boolean(false) }],
    official: text('{"a":{}}'),
    native: text('{"a":false}'),
  },
  { name: 'a boxed string', args: [new String('ab')], official: text('{"0":"a","1":"b"}'), native: text('"ab"') },
];

/**
 * notepack.io calls `toJSON` without a key, does not look into a property before it decides that it is one,
 * takes the result for a value of its own, and knows no arrays and functions with that method.
 */
const TO_JSON = [
  {
    name: 'toJSON gives undefined for a property',
    args: [{ a: json(undefined) }],
    official: text('{"a":null}'),
    native: text('{}'),
  },
  {
    name: 'the same beside binary',
    args: [{ a: json(undefined) }, HI],
    official: withBinary('{"a":null}'),
    native: withBinary('{}'),
  },
  { name: 'toJSON gives a date', args: [json(new Date(5))], official: text(FIVE), native: text('{}') },
  {
    name: 'toJSON gives another with toJSON',
    args: [json({ a: 1, ...json('inner') })],
    official: text('"inner"'),
    native: text('{"a":1}'),
  },
  {
    name: 'toJSON gives one that gives binary',
    args: [json(json(HI))],
    official: ['text 451-["deviation",{"_placeholder":true,"num":0}]', 'binary 6869'],
    native: text('{}'),
  },
  {
    name: 'toJSON makes use of the key',
    args: [{ k: { toJSON: (/** @type {any} */ key) => `key ${key}` } }],
    official: text('{"k":"key undefined"}'),
    native: text('{"k":"key k"}'),
  },
  { name: 'an array with toJSON', args: [withToJSON([1])], official: text('[1]'), native: text('"own"') },
  {
    name: 'a function with toJSON',
    args: [{ f: withToJSON(() => {}) }],
    official: text('{}'),
    native: text('{"f":"own"}'),
  },
  {
    name: 'the same beside binary',
    args: [{ f: withToJSON(() => {}) }, HI],
    official: withBinary('{}'),
    native: withBinary('{"f":"own"}'),
  },
];

/** @type {Deviation[]} */
const DEVIATIONS = [...DATES, ...BOXED, ...TO_JSON];

module.exports = { DEVIATIONS };
