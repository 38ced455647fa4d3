'use strict';

const net = require('node:net');

const { optionError } = require('../errors');
const { kindOf } = require('./values');
const { clearTimeout, setTimeout } = require('../timers');
const { isGiven, isObject } = require('../values');

/** @typedef {import('.').Preparation} Preparation */
/**
 * What is asked for credentials: under which option it was passed, and as what.
 * @typedef {{ option: string, given: object, ask: () => unknown }} Provider
 */

const STREAMING =
  'credentials that arrive by themselves are not supported; ' +
  "pass { type: 'async-credentials-provider', credentials }, which is asked before each connection.";

/**
 * Reads what is asked for credentials: a function as `credentials`, or a `credentialsProvider` as redis 5 and 6
 * have it.
 *
 * @param {string} name the name of the options, for errors
 * @param {Record<string, any>} options
 * @returns {Provider | null}
 */
function readProvider(name, { credentials, credentialsProvider }) {
  const provider = readObject(`${name}.credentialsProvider`, credentialsProvider);
  if (!isGiven(credentials)) return provider;
  if (provider !== null) throw optionError(`${name}.credentials`, 'it cannot be combined with credentialsProvider.');
  if (typeof credentials !== 'function') {
    throw optionError(
      `${name}.credentials`,
      `pass a function that returns { username, password }, not ${kindOf(credentials)}.`,
    );
  }
  return { option: 'credentials', given: credentials, ask: () => credentials() };
}

/**
 * @param {string} option
 * @param {unknown} value
 * @returns {Provider | null}
 */
function readObject(option, value) {
  if (!isGiven(value)) return null;
  if (isObject(value) && value.type === 'streaming-credentials-provider') throw optionError(option, STREAMING);
  if (!isObject(value) || typeof value.credentials !== 'function' || value.type !== 'async-credentials-provider') {
    throw optionError(
      option,
      "pass { type: 'async-credentials-provider', credentials }, a function that returns them.",
    );
  }
  return { option: 'credentialsProvider', given: value, ask: () => value.credentials() };
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
 * @param {string} host what `lookup` is asked for, where the question names no other
 * @param {number} [patience] in ms
 * @returns {Preparation | null} null when there is nothing to ask
 */
function preparationOf(provider, lookup, host, patience = PATIENCE) {
  // An address needs no look-up, and Node makes none.
  const resolve = net.isIP(host) ? null : lookup;
  if (provider === null && resolve === null) return null;
  return {
    id: idOf(provider?.given ?? null, resolve),
    async ask(asked = host) {
      try {
        const entering = provider === null ? NOBODY : await credentialsOf(provider, patience);
        const found = resolve === null || net.isIP(asked) ? [] : await addressesOf(resolve, asked, patience);
        return { error: null, ...entering, addresses: found };
      } catch (error) {
        return { error: /** @type {Error} */ (error).message, ...NOBODY, addresses: [] };
      }
    },
  };
}

/** How long the application may take, in ms. A token may be fetched over the network, more than once. */
const PATIENCE = 10_000;

const NOBODY = { username: null, password: null };

/**
 * @param {Provider} provider
 * @param {number} patience
 */
async function credentialsOf({ option, ask }, patience) {
  const answer = await within(option, patience, async () => ask());
  if (!isObject(answer))
    throw new Error(`${option} has answered with ${kindOf(answer)}, and not { username, password }`);
  return {
    username: text(`${option} has answered with a username that`, answer.username),
    password: text(`${option} has answered with a password that`, answer.password),
  };
}

/**
 * @param {Function} lookup
 * @param {string} host
 * @param {number} patience
 */
async function addressesOf(lookup, host, patience) {
  const found = await within('lookup', patience, () => look(lookup, host));
  // Some functions leave the host to others, which then is not resolved yet.
  return found.includes(host) ? [] : found;
}

/**
 * What the application answers, which may be nothing.
 *
 * @template T
 * @param {string} option
 * @param {number} patience in ms
 * @param {() => Promise<T>} ask
 * @returns {Promise<T>}
 */
function within(option, patience, ask) {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(`${option} has not answered within ${patience / 1000} s`));
    const timer = setTimeout(late, patience).unref();
    const fail = (/** @type {unknown} */ cause) =>
      reject(new Error(`${option} has failed: ${reasonOf(cause)}`, { cause }));
    ask()
      .then(resolve, fail)
      .finally(() => clearTimeout(timer));
  });
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

/** @param {unknown} cause what the application has thrown */
function reasonOf(cause) {
  return cause instanceof Error ? cause.message : 'what was thrown is no error';
}

/**
 * @param {string} what
 * @param {unknown} value
 */
function text(what, value) {
  if (!isGiven(value) || value === '') return null;
  if (typeof value === 'string') return value;
  throw new Error(`${what} is ${kindOf(value)}, and no string`);
}

module.exports = { preparationOf, readLookup, readProvider };
