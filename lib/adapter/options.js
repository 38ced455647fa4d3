'use strict';

const { Overflow, SubscriptionMode } = require('../backplane/binding');
const { MAX_TIMEOUT, oneOf, readLimits, readQueues, readWholeNumber } = require('../backplane/options');
const { isEndpointOption, OPTION_NAMES } = require('../endpoint/options');
const { nearestName, optionError, unknownOption } = require('../errors');
const { isGiven, isObject, isPlainObject } = require('../values');

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

const KNOWN = [...ADAPTER, ...BACKPLANE];

/**
 * Whether a value is meant as the options of an adapter, even if one is misspelt, and not as an endpoint.
 * @param {unknown} value
 */
function isOptions(value) {
  if (!isGiven(value)) return true;
  return isPlainObject(value) && Object.keys(value).every((name) => KNOWN.includes(name) || isSlip(name));
}

/** Whether a name is that of no option, and not near to one of endpoints. @param {string} name */
function isSlip(name) {
  if (KNOWN.includes(name) || isEndpointOption(name)) return false;
  const nearest = nearestName(name, [...KNOWN, ...OPTION_NAMES]);
  return nearest === undefined || KNOWN.includes(nearest);
}

/**
 * Refuses an endpoint with options of the adapter in it. Some have a name that endpoints know too: these are
 * the adapter's when they are objects.
 * @param {string} place `pubClient` or `subClient`
 * @param {unknown} value what was passed there
 * @throws {TypeError} `ERR_INVALID_OPTION`
 */
function refuseOptions(place, value) {
  if (!isPlainObject(value)) return;
  const names = Object.keys(value);
  const ours = names.filter((name) => KNOWN.includes(name) && (!isEndpointOption(name) || isObject(value[name])));
  const slip = names.find((name) => isSlip(name) && (ours.length > 0 || nearestName(name, KNOWN) !== undefined));
  if (slip !== undefined) throw unknownOption(slip, KNOWN);
  if (ours[0] === undefined) return;
  throw optionError(
    `${place}.${ours[0]}`,
    `it is an option of the adapter; these come behind the endpoints: createAdapter(endpoint, { ${ours.join(', ')} }).`,
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
  throw unknownOption(name, withBackplane ? KNOWN : ADAPTER);
}

function readParser(parser) {
  if (parser === undefined || parser === null) return undefined;
  if (typeof parser.encode === 'function' && typeof parser.decode === 'function') return parser;
  throw optionError('parser', 'it must be an object with encode and decode.');
}

module.exports = { isOptions, readAdapterOptions, refuseOptions };
