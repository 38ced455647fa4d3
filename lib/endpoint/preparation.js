'use strict';

const net = require('node:net');

const { optionError } = require('../errors');
const { kindOf } = require('./values');
const { isObject } = require('../values');

/** @typedef {import('.').Preparation} Preparation */
/** @typedef {{ type: string, credentials: () => Promise<{ username?: string, password?: string }> }} Provider */

const STREAMING =
  'credentials that arrive by themselves are not supported; ' +
  "pass { type: 'async-credentials-provider', credentials }, which is asked before each connection.";

/**
 * Reads a `credentialsProvider` as redis 5 and 6 have it.
 *
 * @param {string} option the option's name, for errors
 * @param {unknown} value
 * @returns {Provider | null}
 */
function readProvider(option, value) {
  if (value === undefined || value === null) return null;
  if (isObject(value) && value.type === 'streaming-credentials-provider') throw optionError(option, STREAMING);
  const isProvider = isObject(value) && typeof value.credentials === 'function';
  if (!isProvider || value.type !== 'async-credentials-provider') {
    throw optionError(
      option,
      "pass { type: 'async-credentials-provider', credentials }, a function that returns them.",
    );
  }
  return /** @type {Provider} */ (value);
}

/**
 * Reads a `lookup`, a function like Node's `dns.lookup`.
 *
 * @param {string} option
 * @param {unknown} value
 * @returns {Function | null}
 */
function readLookup(option, value) {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'function') throw optionError(option, `pass a function like dns.lookup, not ${kindOf(value)}.`);
  return value;
}

/**
 * What is asked before each connection.
 *
 * @param {Provider | null} provider
 * @param {Function | null} lookup
 * @param {string} host what `lookup` is asked for
 * @returns {Preparation | null} null when there is nothing to ask
 */
function preparationOf(provider, lookup, host) {
  // An address needs no look-up, and Node makes none.
  const resolve = net.isIP(host) ? null : lookup;
  if (provider === null && resolve === null) return null;
  return {
    id: idOf(provider, resolve),
    async ask() {
      /** @type {{ username?: string, password?: string }} */
      let credentials = {};
      let addresses = [];
      try {
        if (provider !== null) credentials = await provider.credentials();
      } catch (cause) {
        return failed('credentialsProvider', cause);
      }
      try {
        if (resolve !== null) addresses = await look(resolve, host);
      } catch (cause) {
        return failed('lookup', cause);
      }
      return { error: null, username: text(credentials?.username), password: text(credentials?.password), addresses };
    },
  };
}

const NONE = {};
/** @type {WeakMap<object, WeakMap<object, number>>} */
const ids = new WeakMap();
let lastId = 0;

/** The same for the same functions: connections that differ in nothing are shared. */
function idOf(/** @type {object | null} */ provider, /** @type {object | null} */ lookup) {
  const inner = ids.get(provider ?? NONE) ?? new WeakMap();
  ids.set(provider ?? NONE, inner);
  const id = inner.get(lookup ?? NONE) ?? ++lastId;
  inner.set(lookup ?? NONE, id);
  return id;
}

/**
 * @param {Function} lookup
 * @param {string} host
 * @returns {Promise<string[]>}
 */
function look(lookup, host) {
  return new Promise((resolve, reject) => {
    lookup(host, { all: true, hints: 0 }, (/** @type {unknown} */ error, /** @type {any} */ found) => {
      if (error) return reject(error);
      const addresses = (Array.isArray(found) ? found : [found]).map((one) => one?.address ?? one);
      return addresses.length > 0 ? resolve(addresses.map(String)) : reject(new Error('it has found no address'));
    });
  });
}

/**
 * @param {string} option
 * @param {unknown} cause what the application has thrown
 */
function failed(option, cause) {
  const reason = cause instanceof Error ? cause.message : 'what was thrown is no error';
  return { error: `${option} has failed: ${reason}`, username: null, password: null, addresses: [] };
}

/** @param {unknown} value */
function text(value) {
  return typeof value === 'string' && value !== '' ? value : null;
}

module.exports = { preparationOf, readLookup, readProvider };
