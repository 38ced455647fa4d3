'use strict';

/** What kinds of values there are. */

/**
 * Whether a value is an object, with a class or without; an array is none.
 * @param {unknown} value
 * @returns {value is Record<string, any>}
 */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Whether a value is an object without a class, such as options. Works for objects of another realm
 * (`node:vm`, Jest) too.
 * @param {unknown} value
 * @returns {value is Record<string, any>}
 */
function isPlainObject(value) {
  if (!isObject(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * Whether an option is given: `null` counts as left out.
 * @param {unknown} value
 */
function isGiven(value) {
  return value !== undefined && value !== null;
}

/**
 * @param {unknown} value
 * @param {number} least
 * @param {number} [most]
 * @returns {value is number}
 */
function isWholeNumber(value, least, most = Number.MAX_SAFE_INTEGER) {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most;
}

module.exports = { isGiven, isObject, isPlainObject, isWholeNumber };
