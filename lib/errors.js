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

/** More than two slips make another word. */
const SLIPS = 2;

/**
 * The name that was probably meant.
 * @param {string} name as the application wrote it
 * @param {Iterable<string>} known
 * @returns {string | undefined} nothing when none is near
 */
function nearestName(name, known) {
  const plain = (/** @type {string} */ text) => text.slice(0, 64).toLowerCase().replace(/[_-]/g, '');
  let nearest;
  let least = SLIPS + 1;
  for (const each of known) {
    const slips = slipsBetween(plain(name), plain(each));
    if (slips < Math.min(least, each.length / 2)) [nearest, least] = [each, slips];
  }
  return nearest;
}

/** The letters that are missing, too many, changed, or changed over with the next one. */
function slipsBetween(/** @type {string} */ a, /** @type {string} */ b) {
  /** What the first `i` letters of one take to become the first `j` of the other. @type {number[][]} */
  const slips = [];
  const at = (/** @type {number} */ i, /** @type {number} */ j) => slips[i]?.[j] ?? i + j;
  for (let i = 1; i <= a.length; i++) {
    slips[i] = [i];
    for (let j = 1; j <= b.length; j++) {
      const changedOver = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      slips[i][j] = Math.min(
        at(i - 1, j) + 1,
        at(i, j - 1) + 1,
        at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1),
        changedOver ? at(i - 2, j - 2) + 1 : Infinity,
      );
    }
  }
  return at(a.length, b.length);
}

/**
 * Builds the error for an option that there is not.
 *
 * @param {string} option as in {@link optionError}
 * @param {string[]} known the names that there are
 * @param {string[]} [ignored] more names that are accepted and change nothing; too many to be listed
 * @returns {OptionError}
 */
function unknownOption(option, known, ignored = []) {
  const nearest = nearestName(option.slice(option.lastIndexOf('.') + 1), [...known, ...ignored]);
  const advice = nearest === undefined ? '' : ` Did you mean "${nearest}"?`;
  const others = ignored.length === 0 ? '' : ', and others that change nothing here';
  return optionError(option, `it is not known.${advice} The options are ${known.join(', ')}${others}.`);
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
 * @param {string} [message]
 * @returns {Error & { code: 'ERR_CLOSED' }}
 */
function closedError(message = 'The adapter is closed') {
  return Object.assign(new Error(message), { code: /** @type {const} */ ('ERR_CLOSED') });
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

module.exports = { closedError, encodeError, encodeOrThrow, fieldError, nearestName, optionError, unknownOption };
