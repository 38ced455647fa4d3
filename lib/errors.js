'use strict';

/**
 * A TypeError about an option that the application passed.
 *
 * @typedef {TypeError & { code: 'ERR_INVALID_OPTION', option: string }} OptionError
 */

/**
 * Builds the error for an option that cannot be used. The value itself never
 * goes into the text: a URL or a password there would end up in a log.
 *
 * @param {string} option the option's name as the application wrote it, e.g. `redisPub.port`
 * @param {string} message what is wrong and what to do, in a sentence
 * @returns {OptionError} an error with `code` and `option`, for the caller to throw
 */
function optionError(option, message) {
  const error = new TypeError(`Invalid option "${option}": ${message}`);
  return Object.assign(error, { code: /** @type {const} */ ('ERR_INVALID_OPTION'), option });
}

/**
 * A value that cannot be text: an object whose `toString` is no function, a cycle, a BigInt in JSON, say.
 * @param {unknown} cause what was thrown, which may be anything
 * @returns {Error & { code: 'ERR_ENCODE' }}
 */
function encodeError(cause) {
  const error = new Error(`The arguments cannot be encoded: ${reasonOf(cause)}`, { cause });
  return Object.assign(error, { code: /** @type {const} */ ('ERR_ENCODE') });
}

/**
 * A field of a socket that cannot be text, such as a session with a cycle: other servers get the socket
 * without it.
 * @param {string} field such as `handshake.session`
 * @param {unknown} cause what was thrown, which may be anything
 * @returns {Error & { code: 'ERR_ENCODE', field: string }}
 */
function fieldError(field, cause) {
  const message = `fetchSockets() on other servers gets sockets without ${field}, which cannot be encoded: ${reasonOf(cause)}`;
  return Object.assign(new Error(message, { cause }), { code: /** @type {const} */ ('ERR_ENCODE'), field });
}

function reasonOf(cause) {
  try {
    return String(cause instanceof Error ? cause.message : cause);
  } catch {
    return 'what was thrown is no error';
  }
}

/**
 * What comes after the end of a namespace; the native side makes the same for connections.
 * @returns {Error & { code: 'ERR_CLOSED' }}
 */
function closedError() {
  return Object.assign(new Error('The adapter is closed'), { code: /** @type {const} */ ('ERR_CLOSED') });
}

/**
 * @template T
 * @param {() => T} encode
 * @returns {T}
 * @throws {Error} `ERR_ENCODE`
 */
function encodeOrThrow(encode) {
  try {
    return encode();
  } catch (cause) {
    throw encodeError(cause);
  }
}

module.exports = { closedError, encodeError, encodeOrThrow, fieldError, optionError };
