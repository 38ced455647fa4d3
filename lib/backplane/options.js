'use strict';

const { Overflow } = require('./binding');
const { optionError, unknownOption } = require('../errors');
const { isWholeNumber } = require('../values');

const MAX_TIMEOUT = 2 ** 31 - 1;
const MEBIBYTE = 1024 * 1024;

/**
 * Checks the options of a backplane: `offlineQueue`, `mailbox`, `overflow` and `commandTimeout`.
 * @param {Record<string, any>} options
 * @param {Overflow} overflow the default of `overflow`
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
    overflow: oneOf('overflow', options.overflow ?? overflow, Object.values(Overflow)),
    commandTimeout: readWholeNumber('commandTimeout', options.commandTimeout ?? 5000, MAX_TIMEOUT),
  };
}

/**
 * Checks the option `heartbeat`.
 * @param {unknown} heartbeat
 * @returns {boolean} whether servers of this package tell each other that they are there
 * @throws {TypeError} `ERR_INVALID_OPTION`
 */
function readHeartbeat(heartbeat = true) {
  if (typeof heartbeat === 'boolean') return heartbeat;
  throw optionError('heartbeat', 'it must be true or false.');
}

/** What one message may hold; a longer one is malformed, like one with more rooms or attachments. */
const LIMITS = { rooms: 10_000, attachments: 1000, values: 100_000, bytes: 8 * MEBIBYTE };

/**
 * Checks the option `limits`.
 * @param {unknown} limits
 * @throws {TypeError} `ERR_INVALID_OPTION`, which names e.g. `limits.rooms`
 */
function readLimits(limits) {
  return readBounds('limits', limits, LIMITS);
}

/**
 * The same where messages have neither rooms nor attachments.
 * @param {unknown} limits
 * @throws {TypeError} `ERR_INVALID_OPTION`
 */
function readLengthLimit(limits) {
  return readBounds('limits', limits, { bytes: LIMITS.bytes }).bytes;
}

/**
 * A value, if it is one of those that an option can have.
 * @template {string} T
 * @param {string} name
 * @param {unknown} value
 * @param {T[]} values
 * @returns {T}
 */
function oneOf(name, value, values) {
  const known = values.find((one) => one === value);
  if (known !== undefined) return known;
  throw optionError(name, `it must be one of ${values.map((one) => `'${one}'`).join(', ')}.`);
}

/**
 * Checks an option that is an object of numbers.
 * @template {Record<string, number>} T
 * @param {string} option
 * @param {any} bounds
 * @param {T} defaults
 * @returns {T}
 */
function readBounds(option, bounds = {}, defaults) {
  const known = Object.keys(defaults);
  if (bounds === null || typeof bounds !== 'object')
    throw optionError(option, `it must be an object { ${known.join(', ')} }.`);
  for (const name of Object.keys(bounds)) {
    if (!known.includes(name)) throw unknownOption(`${option}.${name}`, known);
  }
  const read = (/** @type {string} */ name) =>
    readWholeNumber(
      `${option}.${name}`,
      bounds[name] ?? defaults[name],
      name === 'bytes' ? Number.MAX_SAFE_INTEGER : 2 ** 32 - 1,
    );
  return /** @type {T} */ (Object.fromEntries(known.map((name) => [name, read(name)])));
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {number} most
 * @returns {number} 1 or more
 */
function readWholeNumber(name, value, most) {
  if (isWholeNumber(value, 1, most)) return value;
  throw optionError(name, `it must be a whole number from 1 to ${most}.`);
}

module.exports = {
  MAX_TIMEOUT,
  oneOf,
  readBounds,
  readHeartbeat,
  readLengthLimit,
  readLimits,
  readQueues,
  readWholeNumber,
};
