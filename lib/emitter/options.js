'use strict';

const kinds = require('../adapter/options');
const { Overflow } = require('../backplane/binding');
const { MAX_TIMEOUT, readLimits, readQueues, readWholeNumber } = require('../backplane/options');
const { isEndpointOption } = require('../endpoint/options');
const { readStreams } = require('../adapter/stream-options');
const { streamsWire } = require('../adapter/wire/streams');
const { optionError, unknownOption } = require('../errors');
const { isObject, isPlainObject } = require('../values');

/** What all wires have. */
const COMMON = ['requestsTimeout', 'partial', 'limits', 'offlineQueue', 'mailbox', 'overflow', 'commandTimeout'];
const CLASSIC = ['key', 'parser', 'sharded', 'subscriptionMode', ...COMMON];
const SHARDED = ['channelPrefix', 'sharded', 'subscriptionMode', ...COMMON];
const PUB_SUB = [...new Set([...CLASSIC, ...SHARDED])];
const STREAMS = [
  'streamName',
  'streamCount',
  'maxLen',
  'channelPrefix',
  'useShardedPubSub',
  'onlyPlaintext',
  ...COMMON,
];

/** @typedef {ReturnType<typeof readEmitterOptions> | ReturnType<typeof readStreamsEmitterOptions>} Settings */

/**
 * Checks the options of an Emitter.
 * @param {unknown} options
 * @throws {TypeError} `ERR_INVALID_OPTION`, which names the option
 */
function readEmitterOptions(options) {
  if (!isObject(options)) throw optionError('opts', 'it must be an object.');
  const [kind, known] = readSharded(options.sharded) ? [kinds.SHARDED, SHARDED] : [kinds.CLASSIC, CLASSIC];
  for (const name of Object.keys(options)) if (!known.includes(name)) throw unknown(name, known);
  return {
    wire: kind.wire,
    streams: null,
    key: kinds.readPrefix(options, kind),
    mode: kinds.readMode(options, kind),
    parser: readParser(options.parser),
    ...readCommon(options),
  };
}

/**
 * Checks the options of a StreamsEmitter.
 * @param {unknown} options
 * @throws {TypeError} `ERR_INVALID_OPTION`, which names the option
 */
function readStreamsEmitterOptions(options) {
  if (!isObject(options)) throw optionError('opts', 'it must be an object.');
  for (const name of Object.keys(options)) if (!STREAMS.includes(name)) throw unknownOption(name, STREAMS);
  const streams = readStreams(options);
  return {
    wire: streamsWire(streams),
    streams,
    key: kinds.readPrefix(options, kinds.STREAMS),
    mode: kinds.readMode({}, kinds.STREAMS),
    parser: undefined,
    ...readCommon(options),
  };
}

/** @param {Record<string, any>} options */
function readCommon(options) {
  return {
    // As the adapters do, 0 ms are the default.
    requestsTimeout: readWholeNumber('requestsTimeout', options.requestsTimeout || 5000, MAX_TIMEOUT),
    partial: Boolean(options.partial),
    limits: readLimits(options.limits),
    backplane: readQueues(options, Overflow.DropOldest),
  };
}

/** @param {unknown} value */
function readSharded(value = false) {
  if (typeof value === 'boolean') return value;
  throw optionError('sharded', 'it must be true or false.');
}

/** @param {string} name @param {string[]} known */
function unknown(name, known) {
  if (!PUB_SUB.includes(name)) return unknownOption(name, known);
  const isOfSharded = SHARDED.includes(name);
  return optionError(
    name,
    isOfSharded
      ? 'it is an option of the sharded wire: pass sharded: true with it, or key in its place.'
      : 'the sharded wire does not have it.',
  );
}

/**
 * As of the original, a parser that only encodes is enough for what only leaves.
 * @param {any} parser
 * @returns {(Partial<Pick<import('../adapter/wire/common').Parser, 'decode'>> & Pick<import('../adapter/wire/common').Parser, 'encode'>) | undefined}
 */
function readParser(parser) {
  if (parser === undefined || parser === null) return undefined;
  const isDecoder = parser.decode === undefined || typeof parser.decode === 'function';
  if (typeof parser.encode === 'function' && isDecoder) return parser;
  throw optionError('parser', 'it must be an object with encode, and with decode where answers are to be read.');
}

/**
 * Refuses an endpoint with options of the emitter in it. Some have a name that endpoints know too: these are
 * the emitter's when they are objects.
 * @param {unknown} value what was passed as the client
 * @param {'Emitter' | 'StreamsEmitter'} name
 * @throws {TypeError} `ERR_INVALID_OPTION`
 */
function refuseOptions(value, name) {
  if (!isPlainObject(value)) return;
  const known = name === 'Emitter' ? PUB_SUB : STREAMS;
  const ours = Object.keys(value).filter(
    (option) => known.includes(option) && (!isEndpointOption(option) || isObject(value[option])),
  );
  if (ours[0] === undefined) return;
  throw optionError(
    `redisClient.${ours[0]}`,
    `it is an option of the emitter; these come behind the endpoint: new ${name}(endpoint, { ${ours.join(', ')} }).`,
  );
}

module.exports = { readEmitterOptions, readStreamsEmitterOptions, refuseOptions };
