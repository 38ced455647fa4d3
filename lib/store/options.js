'use strict';

const { Overflow } = require('../backplane/binding');
const { readHeartbeat, readLengthLimit, readQueues } = require('../backplane/options');
const { isEndpointOption } = require('../endpoint/options');
const { optionError, unknownOption } = require('../errors');
const { folders, requireFrom } = require('../on-disk');

const KNOWN = new Set([
  'nodeId',
  'redis',
  'redisPub',
  'redisSub',
  'redisClient',
  'pack',
  'unpack',
  'codec',
  'offlineQueue',
  'commandTimeout',
  'mailbox',
  'overflow',
  'limits',
  'heartbeat',
]);
const CODECS = ['json', 'msgpack'];

/**
 * Checks the options of a RedisStore, all but its endpoints.
 * @param {Record<string, any>} options
 * @throws {TypeError} `ERR_INVALID_OPTION`
 */
function readOptions(options) {
  if (options === null || typeof options !== 'object') {
    throw optionError('options', 'it must be an object, such as { redisPub, redisSub, redisClient }.');
  }
  for (const name of Object.keys(options)) {
    if (!KNOWN.has(name)) throw isEndpointOption(name) ? misplaced(name) : unknownOption(name, [...KNOWN]);
  }
  const { pack, unpack, messagePack } = readCodec(options);
  return {
    nodeId: readNodeId(options.nodeId),
    pack,
    unpack,
    buffers: wantsBuffers(options.redisSub),
    wantsBytes: bytesWanted(options.redisClient),
    native: { messagePack, raw: options.pack !== undefined, longest: readLengthLimit(options.limits) },
    heartbeat: readHeartbeat(options.heartbeat),
    backplane: readQueues(options, Overflow.Wait),
  };
}

/** @param {string} name of an option that says where Redis is */
function misplaced(name) {
  return optionError(
    name,
    'it belongs to an endpoint, and there are three: ' +
      `{ redisPub: { ${name}: … }, redisSub: { ${name}: … }, redisClient: { ${name}: … } }.`,
  );
}

function readNodeId(nodeId) {
  if (nodeId === undefined) return undefined;
  if (typeof nodeId !== 'function') throw optionError('nodeId', 'it must be a function that returns the id.');
  const id = nodeId();
  if (typeof id === 'string' || Number.isFinite(id)) return id;
  throw optionError('nodeId', 'it must return a string or a number.');
}

/** @param {Record<string, any>} options */
function readCodec({ pack, unpack, codec }) {
  for (const [name, fn] of Object.entries({ pack, unpack })) {
    if (fn !== undefined && typeof fn !== 'function') throw optionError(name, 'it must be a function.');
  }
  if ((pack === undefined) !== (unpack === undefined)) {
    throw optionError(pack ? 'unpack' : 'pack', 'pack and unpack go together: pass both or none.');
  }
  if (codec !== undefined && !CODECS.includes(codec)) throw optionError('codec', "it must be 'json' or 'msgpack'.");
  if (pack) {
    if (codec) throw optionError('codec', 'it cannot be combined with pack and unpack.');
    return { pack, unpack, messagePack: false };
  }
  const msgpack = codec === 'json' ? null : requireMsgpack();
  const messagePack = codec === 'msgpack' || msgpack !== null;
  const { pack: packs, unpack: unpacks } = msgpack ?? { pack: JSON.stringify, unpack: JSON.parse };
  return { pack: packs, unpack: unpacks, messagePack };
}

/** 0.9's store packs with the module `msgpack` where that can be required; so must every node. */
function requireMsgpack() {
  for (const folder of folders()) {
    const msgpack = requireFrom(folder, 'msgpack');
    if (msgpack !== undefined) return msgpack;
  }
  return null;
}

/** A redis 0.x client with one of these options gives Buffers to its `message` listeners. */
function wantsBuffers(redisSub) {
  const { return_buffers: all, detect_buffers: some } = redisSub?.options ?? redisSub ?? {};
  return Boolean(all || some);
}

/**
 * A redis 0.x client with one of these options gives Buffers as values: always, or for a key that is one.
 * @param {any} redisClient
 * @returns {(key: unknown) => boolean}
 */
function bytesWanted(redisClient) {
  const { return_buffers: all, detect_buffers: some } = redisClient?.options ?? redisClient ?? {};
  if (all) return () => true;
  return some ? (key) => Buffer.isBuffer(key) : () => false;
}

module.exports = { readOptions };
