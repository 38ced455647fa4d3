'use strict';

/**
 * For `node -r`: has the examples find the newest clients of Redis by their names, as in an application. In this
 * checkout `redis` is what 0.9 depends on, and the others have other names.
 */

const Module = require('node:module');
const path = require('node:path');

const EXAMPLES = path.join(__dirname, '..', '..', 'examples') + path.sep;
const NEWEST = new Map([
  ['redis', 'redis-6'],
  ['ioredis', 'ioredis-6'],
]);

const original = /** @type {any} */ (Module)._resolveFilename;

/** @param {{ filename: string } | undefined} parent what requires something */
function isExample(parent) {
  return parent?.filename.startsWith(EXAMPLES) ?? false;
}

/**
 * @param {string} name what is required
 * @param {{ filename: string } | undefined} parent where
 * @param {...any} rest
 */
function resolve(name, parent, ...rest) {
  return original((isExample(parent) && NEWEST.get(name)) || name, parent, ...rest);
}

/** @type {any} */ (Module)._resolveFilename = resolve;

module.exports = { isExample, resolve };
