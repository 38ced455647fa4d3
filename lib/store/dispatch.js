'use strict';

/** Half of a surrogate pair, or a whole one: text that crosses N-API as UTF-8 must have no half. */
const SURROGATE = /[\ud800-\udfff]/;

/**
 * Whether these are the arguments of `dispatch` as 0.9's server makes them, so that they can cross
 * as they are and become JSON off the event loop. The native side gets all others as JSON.
 * @param {unknown[]} args
 */
function isFlat(args) {
  if (args.length !== 4) return false;
  const [room, packet, volatile, exceptions] = args;
  return isWellFormed(room) && isWellFormed(packet) && Array.isArray(exceptions) && isOptionalBoolean(volatile);
}

function isOptionalBoolean(value) {
  return value === undefined || value === null || typeof value === 'boolean';
}

/** V8 answers at once for text without a character beyond U+00FF. */
function isWellFormed(text) {
  return typeof text === 'string' && !SURROGATE.test(text);
}

module.exports = { isFlat };
