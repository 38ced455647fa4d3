'use strict';

const { optionError } = require('./errors');

const KNOWN = new Set([
  'nodeId', 'redis', 'redisPub', 'redisSub', 'redisClient', 'pack', 'unpack', 'codec', 'offlineQueue', 'commandTimeout',
  'mailbox', 'overflow',
]);
const CODECS = ['json', 'msgpack'];
/** What happens to messages that a full mailbox has no room for; the native side takes the place. */
const OVERFLOWS = ['wait', 'drop-oldest', 'drop-newest', 'disconnect'];
const MAX_TIMEOUT = 2 ** 31 - 1;
const MEBIBYTE = 1024 * 1024;

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
    if (!KNOWN.has(name)) throw optionError(name, `it is not known; the options are ${[...KNOWN].join(', ')}.`);
  }
  const { pack, unpack, messagePack } = readCodec(options);
  return {
    nodeId: readNodeId(options.nodeId),
    pack,
    unpack,
    buffers: wantsBuffers(options.redisSub),
    native: {
      messagePack,
      raw: options.pack !== undefined,
      ...readQueues(options, 'wait'),
    },
  };
}

/**
 * Checks the options of a backplane: `offlineQueue`, `mailbox`, `overflow` and `commandTimeout`.
 * @param {Record<string, any>} options
 * @param {string} overflow the default of `overflow`
 * @throws {TypeError} `ERR_INVALID_OPTION`
 */
function readQueues(options, overflow) {
  const queue = readBounds('offlineQueue', options.offlineQueue, { messages: 10_000, bytes: 16 * MEBIBYTE });
  const mailbox = readBounds('mailbox', options.mailbox, { messages: 100_000, bytes: 64 * MEBIBYTE });
  return {
    queueMessages: queue.messages,
    queueBytes: queue.bytes,
    mailboxMessages: mailbox.messages,
    mailboxBytes: mailbox.bytes,
    overflow: oneOf('overflow', options.overflow ?? overflow, OVERFLOWS),
    commandTimeout: wholeNumber('commandTimeout', options.commandTimeout ?? 5000, MAX_TIMEOUT),
  };
}

/**
 * The place of a value among those that an option can have.
 * @param {string} name
 * @param {unknown} value
 * @param {string[]} values
 * @returns {number}
 */
function oneOf(name, value, values) {
  const place = values.indexOf(/** @type {string} */ (value));
  if (place === -1) throw optionError(name, `it must be one of ${values.map((known) => `'${known}'`).join(', ')}.`);
  return place;
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
  try {
    const paths = [__dirname, process.cwd(), ...(require.main?.paths ?? [])];
    return require(require.resolve('msgpack', { paths }));
  } catch {
    return null;
  }
}

/**
 * @param {string} option
 * @param {any} bounds
 * @param {{ messages: number, bytes: number }} defaults
 */
function readBounds(option, bounds = {}, defaults) {
  if (bounds === null || typeof bounds !== 'object') throw optionError(option, 'it must be an object { messages, bytes }.');
  for (const name of Object.keys(bounds)) {
    if (name !== 'messages' && name !== 'bytes') throw optionError(`${option}.${name}`, 'it is not known.');
  }
  return {
    messages: wholeNumber(`${option}.messages`, bounds.messages ?? defaults.messages, 2 ** 32 - 1),
    bytes: wholeNumber(`${option}.bytes`, bounds.bytes ?? defaults.bytes, Number.MAX_SAFE_INTEGER),
  };
}

function wholeNumber(name, value, most) {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw optionError(name, `it must be a whole number from 1 to ${most}.`);
}

/** A redis 0.x client with one of these options gives Buffers to its `message` listeners. */
function wantsBuffers(redisSub) {
  const { return_buffers: all, detect_buffers: some } = redisSub?.options ?? redisSub ?? {};
  return Boolean(all || some);
}

module.exports = { MAX_TIMEOUT, oneOf, readOptions, readQueues, wholeNumber };
