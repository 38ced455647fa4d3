'use strict';

const { Overflow, SubscriptionMode } = require('../backplane/binding');
const { MAX_TIMEOUT, oneOf, readHeartbeat, readLimits, readQueues, readWholeNumber } = require('../backplane/options');
const { isEndpointOption, OPTION_NAMES } = require('../endpoint/options');
const { nearestName, optionError, unknownOption } = require('../errors');
const { isGiven, isObject, isPlainObject } = require('../values');
const classic = require('./wire/classic');
const sharded = require('./wire/sharded');

/** Those of `createAdapter` of `@socket.io/redis-adapter`, and ours. */
const ADAPTER = [
  'key',
  'requestsTimeout',
  'publishOnSpecificResponseChannel',
  'parser',
  'subscriptionMode',
  'partial',
  'limits',
];
/** The same for `createShardedAdapter`. */
const SHARDED = ['channelPrefix', 'subscriptionMode', 'requestsTimeout', 'partial', 'limits'];
/** Those of the connections. */
const BACKPLANE = ['offlineQueue', 'mailbox', 'overflow', 'commandTimeout', 'heartbeat'];

/** @typedef {typeof classic | typeof sharded} Wire */

/** Of each wire, the options of its adapters. @type {Map<Wire, string[]>} */
const OPTIONS = new Map(
  /** @type {[Wire, string[]][]} */ ([
    [classic, ADAPTER],
    [sharded, SHARDED],
  ]),
);
/** What the option `subscriptionMode` of channels of shards is to the native side. */
const SHARDED_MODES = {
  static: SubscriptionMode.Pattern,
  dynamic: SubscriptionMode.Dynamic,
  'dynamic-private': SubscriptionMode.DynamicPrivate,
};

/** The options of an adapter, and of its connections. @param {Wire} wire */
function knownTo(wire) {
  return [.../** @type {string[]} */ (OPTIONS.get(wire)), ...BACKPLANE];
}

/**
 * Whether a value is meant as the options of an adapter, even if one is misspelt, and not as an endpoint.
 * @param {unknown} value
 * @param {Wire} wire
 */
function isOptions(value, wire) {
  if (!isGiven(value)) return true;
  const known = knownTo(wire);
  return isPlainObject(value) && Object.keys(value).every((name) => known.includes(name) || isSlip(name, known));
}

/**
 * Whether a name is that of no option, and not near to one of endpoints.
 * @param {string} name
 * @param {string[]} known
 */
function isSlip(name, known) {
  if (known.includes(name) || isEndpointOption(name)) return false;
  const nearest = nearestName(name, [...known, ...OPTION_NAMES]);
  return nearest === undefined || known.includes(nearest);
}

/**
 * Refuses an endpoint with options of the adapter in it. Some have a name that endpoints know too: these are
 * the adapter's when they are objects.
 * @param {string} place `pubClient` or `subClient`
 * @param {unknown} value what was passed there
 * @param {Wire} wire
 * @throws {TypeError} `ERR_INVALID_OPTION`
 */
function refuseOptions(place, value, wire) {
  if (!isPlainObject(value)) return;
  const known = knownTo(wire);
  const names = Object.keys(value);
  const ours = names.filter((name) => known.includes(name) && (!isEndpointOption(name) || isObject(value[name])));
  const slip = names.find((name) => isSlip(name, known) && (ours.length > 0 || nearestName(name, known) !== undefined));
  if (slip !== undefined) throw unknownOption(slip, known);
  if (ours[0] === undefined) return;
  const factory = wire === sharded ? 'createShardedAdapter' : 'createAdapter';
  throw optionError(
    `${place}.${ours[0]}`,
    `it is an option of the adapter; these come behind the endpoints: ${factory}(endpoint, { ${ours.join(', ')} }).`,
  );
}

/**
 * Checks the options of an adapter.
 * @param {Record<string, any>} options
 * @param {boolean} withBackplane whether those of the connections may be among them
 * @param {Wire} wire
 * @throws {TypeError} `ERR_INVALID_OPTION`, which names the option
 */
function readAdapterOptions(options, withBackplane, wire) {
  if (options === null || typeof options !== 'object') throw optionError('opts', 'it must be an object.');
  for (const name of Object.keys(options)) checkName(name, withBackplane, wire);
  const { requestsTimeout, publishOnSpecificResponseChannel, parser, subscriptionMode, partial, limits } = options;
  return {
    wire,
    key: readPrefix(options, wire),
    // As the official adapter does, 0 ms are the default.
    requestsTimeout: readWholeNumber('requestsTimeout', requestsTimeout || 5000, MAX_TIMEOUT),
    publishOnSpecificResponseChannel: Boolean(publishOnSpecificResponseChannel),
    parser: readParser(parser),
    mode: readMode(subscriptionMode, wire),
    partial: Boolean(partial),
    limits: readLimits(limits),
    heartbeat: readHeartbeat(options.heartbeat),
    backplane: readQueues(options, Overflow.DropOldest),
  };
}

/** What the names of channels begin with. @param {Record<string, any>} options @param {Wire} wire */
function readPrefix({ key, channelPrefix }, wire) {
  const [name, value] = wire === sharded ? ['channelPrefix', channelPrefix] : ['key', key];
  if (value !== undefined && typeof value !== 'string') throw optionError(name, 'it must be a string.');
  // As the official adapters do: of the two, only `createAdapter` takes an empty one for the default.
  return wire === sharded ? (value ?? 'socket.io') : value || 'socket.io';
}

function readMode(mode, wire) {
  if (wire === classic)
    return oneOf('subscriptionMode', mode ?? SubscriptionMode.Pattern, Object.values(SubscriptionMode));
  return SHARDED_MODES[oneOf('subscriptionMode', mode ?? 'dynamic', Object.keys(SHARDED_MODES))];
}

function checkName(name, withBackplane, wire) {
  const adapters = /** @type {string[]} */ (OPTIONS.get(wire));
  if (adapters.includes(name) || (withBackplane && BACKPLANE.includes(name))) return;
  if (BACKPLANE.includes(name)) throw optionError(name, 'the store has it: give it to new RedisStore.');
  throw unknownOption(name, withBackplane ? knownTo(wire) : adapters);
}

function readParser(parser) {
  if (parser === undefined || parser === null) return undefined;
  if (typeof parser.encode === 'function' && typeof parser.decode === 'function') return parser;
  throw optionError('parser', 'it must be an object with encode and decode.');
}

module.exports = { isOptions, readAdapterOptions, refuseOptions };
