'use strict';

const { Overflow, SubscriptionMode } = require('../backplane/binding');
const { MAX_TIMEOUT, oneOf, readLimits, readQueues, readWholeNumber } = require('../backplane/options');
const { optionError } = require('../errors');
const { isPlainObject } = require('../values');

/** Those of `@socket.io/redis-adapter`, and ours. */
const ADAPTER = [
  'key',
  'requestsTimeout',
  'publishOnSpecificResponseChannel',
  'parser',
  'subscriptionMode',
  'partial',
  'limits',
];
/** Those of the connections. */
const BACKPLANE = ['offlineQueue', 'mailbox', 'overflow', 'commandTimeout'];

/**
 * Whether a value can be meant as the options of an adapter, and not as an endpoint.
 * @param {unknown} value
 */
function isOptions(value) {
  if (value === undefined || value === null) return true;
  return (
    isPlainObject(value) &&
    Object.keys(/** @type {object} */ (value)).every((name) => [...ADAPTER, ...BACKPLANE].includes(name))
  );
}

/**
 * Checks the options of an adapter.
 * @param {Record<string, any>} options
 * @param {boolean} withBackplane whether those of the connections may be among them
 * @throws {TypeError} `ERR_INVALID_OPTION`, which names the option
 */
function readAdapterOptions(options, withBackplane) {
  if (options === null || typeof options !== 'object') throw optionError('opts', 'it must be an object.');
  for (const name of Object.keys(options)) checkName(name, withBackplane);
  const { key, requestsTimeout, publishOnSpecificResponseChannel, parser, subscriptionMode, partial, limits } = options;
  if (key !== undefined && typeof key !== 'string') throw optionError('key', 'it must be a string.');
  return {
    // As the official adapter does, an empty one and 0 ms are the default.
    key: key || 'socket.io',
    requestsTimeout: readWholeNumber('requestsTimeout', requestsTimeout || 5000, MAX_TIMEOUT),
    publishOnSpecificResponseChannel: Boolean(publishOnSpecificResponseChannel),
    parser: readParser(parser),
    mode: oneOf('subscriptionMode', subscriptionMode ?? SubscriptionMode.Pattern, Object.values(SubscriptionMode)),
    partial: Boolean(partial),
    limits: readLimits(limits),
    backplane: readQueues(options, Overflow.DropOldest),
  };
}

function checkName(name, withBackplane) {
  if (ADAPTER.includes(name) || (withBackplane && BACKPLANE.includes(name))) return;
  if (BACKPLANE.includes(name)) throw optionError(name, 'the store has it: give it to new RedisStore.');
  throw optionError(name, `it is not known; the options are ${[...ADAPTER, ...BACKPLANE].join(', ')}.`);
}

function readParser(parser) {
  if (parser === undefined || parser === null) return undefined;
  if (typeof parser.encode === 'function' && typeof parser.decode === 'function') return parser;
  throw optionError('parser', 'it must be an object with encode and decode.');
}

module.exports = { isOptions, readAdapterOptions };
