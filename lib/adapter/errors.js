'use strict';

/**
 * A packet or a request that cannot be encoded: it holds a cycle or a BigInt, say.
 * @param {unknown} cause
 * @returns {Error & { code: 'ERR_ENCODE' }}
 */
function encodeError(cause) {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const error = new Error(`The arguments cannot be encoded: ${reason}`, { cause });
  return Object.assign(error, { code: /** @type {const} */ ('ERR_ENCODE') });
}

/**
 * @template T
 * @param {() => T} encode
 * @returns {T}
 * @throws {Error} `ERR_ENCODE`
 */
function encoded(encode) {
  try {
    return encode();
  } catch (cause) {
    throw encodeError(cause);
  }
}

/**
 * Not all servers have answered in time.
 * @param {string} message as the official adapter words it
 * @param {import('./requests').Outcome} outcome
 * @param {unknown} responses what has arrived
 */
function timeoutError(message, { expected, received, missing }, responses) {
  return Object.assign(new Error(message), { code: 'ERR_REQUEST_TIMEOUT', expected, received, missing, responses });
}

module.exports = { encoded, timeoutError };
