'use strict';

/**
 * Not all servers have answered in time.
 * @param {string} message as the official adapter words it
 * @param {import('./requests').Outcome} outcome
 * @param {unknown} responses what has arrived
 */
function timeoutError(message, { expected, received, missing }, responses) {
  return Object.assign(new Error(message), { code: 'ERR_REQUEST_TIMEOUT', expected, received, missing, responses });
}

module.exports = { timeoutError };
