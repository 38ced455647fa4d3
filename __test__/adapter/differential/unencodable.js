'use strict';

/**
 * What the official adapter's `emit` throws at. Ours may do the same, but with `ERR_ENCODE`; or, where the
 * arguments do have a JSON text, deliver that.
 * @typedef {object} Unencodable
 * @property {string} name
 * @property {any[]} args
 */

/** @param {(o: any) => void} change */
function made(change) {
  const object = { a: 1 };
  change(object);
  return object;
}

const ITSELF = made((o) => {
  o.self = o;
});
/** @type {any[]} */
const LIST = [1];
LIST.push({ in: LIST });
const BINARY = Buffer.from('binary');

/** @type {Unencodable[]} */
const UNENCODABLE = [
  { name: 'a BigInt', args: [1n] },
  { name: 'a BigInt, inside', args: [{ a: [{ b: 2n ** 70n }] }] },
  { name: 'a BigInt beside binary', args: [BINARY, { big: 1n }] },
  { name: 'a boxed BigInt', args: [Object(1n)] },
  { name: 'a symbol', args: [Symbol('x')] },
  { name: 'a symbol in an array', args: [[1, Symbol('x'), 2]] },
  { name: 'a symbol in an object', args: [{ s: Symbol('x'), a: 1 }] },
  { name: 'a symbol beside binary', args: [BINARY, { s: Symbol('x'), a: [Symbol('y')] }] },
  { name: 'a function that is not the last argument', args: [() => {}, 'last'] },
  { name: 'a function in an array', args: [[1, () => {}, class {}]] },
  { name: 'a function in an array beside binary', args: [[BINARY, () => {}], 'last'] },
  { name: 'an object in itself', args: [ITSELF] },
  { name: 'an array in itself', args: [LIST] },
  { name: 'a cycle beside binary', args: [BINARY, ITSELF] },
  {
    name: 'toJSON gives itself',
    args: [
      made((o) => {
        o.toJSON = () => o;
      }),
    ],
  },
  { name: 'toJSON gives a function', args: [{ a: { toJSON: () => () => {} } }] },
  { name: 'toJSON gives a function in an array', args: [[{ toJSON: () => () => {} }]] },
  {
    name: 'toJSON throws',
    args: [
      {
        toJSON() {
          throw new Error('no');
        },
      },
    ],
  },
  {
    name: 'toJSON throws what is no error',
    args: [
      {
        toJSON() {
          throw undefined;
        },
      },
    ],
  },
  {
    name: 'toJSON throws beside binary',
    args: [
      BINARY,
      {
        a: {
          toJSON() {
            throw new Error('no');
          },
        },
      },
    ],
  },
  {
    name: 'a getter throws',
    args: [
      {
        get a() {
          throw new Error('no');
        },
      },
    ],
  },
  { name: 'a revoked proxy', args: [revoked()] },
  { name: 'BigInts as binary', args: [new BigInt64Array([1n])] },
  { name: 'BigInts as binary, beside other binary', args: [BINARY, { big: new BigUint64Array([1n, 2n]) }] },
  { name: 'what only claims to be a Buffer', args: [Object.create(Buffer.prototype)] },
  { name: 'far too deep', args: [nested(100_000)] },
  { name: 'far too deep beside binary', args: [BINARY, nested(100_000)] },
];

function revoked() {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** @param {number} depth */
function nested(depth) {
  /** @type {any} */
  let value = 'bottom';
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

module.exports = { UNENCODABLE, nested };
