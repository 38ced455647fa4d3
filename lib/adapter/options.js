'use strict';

const { Overflow, SubscriptionMode } = require('../backplane/binding');
const { MAX_TIMEOUT, oneOf, readHeartbeat, readLimits, readQueues, readWholeNumber } = require('../backplane/options');
const { isEndpointOption, OPTION_NAMES } = require('../endpoint/options');
const { nearestName, optionError, unknownOption } = require('../errors');
const { isGiven, isObject, isPlainObject } = require('../values');
const { readStreams, STREAM_OPTIONS } = require('./stream-options');
const classic = require('./wire/classic');
const sharded = require('./wire/sharded');
const { streamsWire } = require('./wire/streams');

/** What the names of channels begin with, unless it is said. */
const PREFIX = 'socket.io';
/** Options of the connections. */
const BACKPLANE = ['offlineQueue', 'mailbox', 'overflow', 'commandTimeout', 'heartbeat'];

/** @typedef {typeof classic | typeof sharded | ReturnType<typeof streamsWire>} Wire */
/**
 * A function that makes adapters.
 * @typedef {object} Kind
 * @property {string} factory its name
 * @property {Wire} wire
 * @property {string[]} options those of its adapters
 * @property {string} prefix the option that says what the names of channels begin with
 * @property {(prefix: string | undefined) => string} prefixOf what they begin with
 * @property {Record<string, SubscriptionMode>} modes what each `subscriptionMode` is to the native side
 * @property {string} mode the default
 */

/** @type {Kind} */
const CLASSIC = {
  factory: 'createAdapter',
  wire: classic,
  // Those of the official one, and ours.
  options: [
    'key',
    'requestsTimeout',
    'publishOnSpecificResponseChannel',
    'parser',
    'subscriptionMode',
    'partial',
    'limits',
  ],
  prefix: 'key',
  // As with the official one, an empty one is the default.
  prefixOf: (prefix) => prefix || PREFIX,
  modes: Object.fromEntries(Object.values(SubscriptionMode).map((mode) => [mode, mode])),
  mode: SubscriptionMode.Pattern,
};
/** @type {Kind} */
const SHARDED = {
  factory: 'createShardedAdapter',
  wire: sharded,
  options: ['channelPrefix', 'subscriptionMode', 'requestsTimeout', 'partial', 'limits'],
  prefix: 'channelPrefix',
  // As with the official one, an empty one is one.
  prefixOf: (prefix) => prefix ?? PREFIX,
  modes: {
    static: SubscriptionMode.Pattern,
    dynamic: SubscriptionMode.Dynamic,
    'dynamic-private': SubscriptionMode.DynamicPrivate,
  },
  mode: 'dynamic',
};

/** @type {Kind} */
const STREAMS = {
  factory: 'createStreamsAdapter',
  // Options may change it.
  wire: streamsWire({ useShardedPubSub: false, onlyPlaintext: false }),
  options: [...STREAM_OPTIONS, 'channelPrefix', 'requestsTimeout', 'partial', 'limits'],
  prefix: 'channelPrefix',
  // As with the official one, an empty one is one.
  prefixOf: (prefix) => prefix ?? PREFIX,
  // Rooms have no channels there.
  modes: { static: SubscriptionMode.Pattern },
  mode: 'static',
};

/** The options of an adapter, and of its connections. @param {Kind} kind */
function knownTo({ options }) {
  return [...options, ...BACKPLANE];
}

/**
 * Whether a value is meant as the options of an adapter, even if one is misspelt, and not as an endpoint.
 * @param {unknown} value
 * @param {Kind} kind
 */
function isOptions(value, kind) {
  if (!isGiven(value)) return true;
  const known = knownTo(kind);
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
 * @param {string} place `pubClient`, `subClient` or `client`
 * @param {unknown} value what was passed there
 * @param {Kind} kind
 * @throws {TypeError} `ERR_INVALID_OPTION`
 */
function refuseOptions(place, value, kind) {
  if (!isPlainObject(value)) return;
  const known = knownTo(kind);
  const names = Object.keys(value);
  const ours = names.filter((name) => known.includes(name) && (!isEndpointOption(name) || isObject(value[name])));
  const slip = names.find((name) => isSlip(name, known) && (ours.length > 0 || nearestName(name, known) !== undefined));
  if (slip !== undefined) throw unknownOption(slip, known);
  if (ours[0] === undefined) return;
  throw optionError(
    `${place}.${ours[0]}`,
    `it is an option of the adapter; these come behind the endpoints: ${kind.factory}(endpoint, { ${ours.join(', ')} }).`,
  );
}

/**
 * Checks the options of an adapter.
 * @param {Record<string, any>} options
 * @param {boolean} withBackplane whether those of the connections may be among them
 * @param {Kind} kind
 * @throws {TypeError} `ERR_INVALID_OPTION`, which names the option
 */
function readAdapterOptions(options, withBackplane, kind) {
  if (options === null || typeof options !== 'object') throw optionError('opts', 'it must be an object.');
  for (const name of Object.keys(options)) checkName(name, withBackplane, kind);
  const { requestsTimeout, publishOnSpecificResponseChannel, parser, partial, limits } = options;
  const streams = kind === STREAMS ? readStreams(options) : null;
  return {
    wire: streams === null ? kind.wire : streamsWire(streams),
    streams,
    key: readPrefix(options, kind),
    // As the official adapter does, 0 ms are the default.
    requestsTimeout: readWholeNumber('requestsTimeout', requestsTimeout || 5000, MAX_TIMEOUT),
    publishOnSpecificResponseChannel: Boolean(publishOnSpecificResponseChannel),
    parser: readParser(parser),
    mode: readMode(options, kind),
    partial: Boolean(partial),
    limits: readLimits(limits),
    heartbeat: readHeartbeat(options.heartbeat),
    // What is not read yet waits in the stream; of what is dropped here, nobody would know.
    backplane: readQueues(options, streams === null ? Overflow.DropOldest : Overflow.Wait),
  };
}

/** @param {Record<string, any>} options @param {Kind} kind */
function readPrefix(options, { prefix, prefixOf }) {
  const value = options[prefix];
  if (value !== undefined && typeof value !== 'string') throw optionError(prefix, 'it must be a string.');
  return prefixOf(value);
}

/** The option `subscriptionMode`, as the native side calls it. @param {Record<string, any>} options @param {Kind} kind */
function readMode({ subscriptionMode }, { modes, mode }) {
  return modes[oneOf('subscriptionMode', subscriptionMode ?? mode, Object.keys(modes))];
}

/** @param {string} name @param {boolean} withBackplane @param {Kind} kind */
function checkName(name, withBackplane, kind) {
  if (kind.options.includes(name) || (withBackplane && BACKPLANE.includes(name))) return;
  if (BACKPLANE.includes(name)) throw optionError(name, 'the store has it: give it to new RedisStore.');
  throw unknownOption(name, withBackplane ? knownTo(kind) : kind.options);
}

function readParser(parser) {
  if (parser === undefined || parser === null) return undefined;
  if (typeof parser.encode === 'function' && typeof parser.decode === 'function') return parser;
  throw optionError('parser', 'it must be an object with encode and decode.');
}

module.exports = { CLASSIC, SHARDED, STREAMS, isOptions, readAdapterOptions, readMode, readPrefix, refuseOptions };
