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

module.exports = { optionError };
