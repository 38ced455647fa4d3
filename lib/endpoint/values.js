'use strict';

const { optionError } = require('../errors');
const { isGiven, isWholeNumber } = require('../values');

const DEFAULT_HOST = 'localhost';
const DEFAULT_PORT = 6379;

/**
 * Reads a port: a number, or a string of digits as it comes from the environment.
 *
 * @param {string} option the option's name, for errors
 * @param {unknown} value
 * @returns {number} 1 to 65535
 */
function readPort(option, value) {
  const port = fromDigits(value);
  if (isWholeNumber(port, 1, 65535)) return port;
  throw optionError(option, 'a port must be a whole number from 1 to 65535.');
}

/**
 * Reads a database number: a number, or a string of digits.
 *
 * @param {string} option the option's name, for errors
 * @param {unknown} value
 * @returns {number} 0 or more
 */
function readDb(option, value) {
  const db = fromDigits(value);
  if (isWholeNumber(db, 0)) return db;
  throw optionError(option, 'a database must be a whole number, 0 or more.');
}

/**
 * Reads a host. IPv6 loses the brackets that a URL needs and a socket does not.
 *
 * @param {string} option the option's name, for errors
 * @param {unknown} value
 * @returns {string}
 */
function readHost(option, value) {
  const host = readText(option, value).replace(/^\[(.*)\]$/, '$1');
  if (host === '') throw optionError(option, 'a host must not be empty; leave it out for localhost.');
  return host;
}

/**
 * Reads the path of a Unix socket.
 *
 * @param {string} option the option's name, for errors
 * @param {unknown} value
 * @returns {string}
 */
function readPath(option, value) {
  const path = readText(option, value);
  if (path === '') throw optionError(option, 'the path of a Unix socket must not be empty.');
  return path;
}

/**
 * Reads a string. Numbers are not turned into strings: a password 007 would lose its zeros.
 *
 * @param {string} option the option's name, for errors
 * @param {unknown} value
 * @returns {string}
 */
function readText(option, value) {
  if (typeof value !== 'string') throw optionError(option, `pass a string, not ${kindOf(value)}.`);
  return value;
}

/**
 * @param {unknown} value
 * @returns {unknown} the number that a string of digits is; anything else as it is
 */
function fromDigits(value) {
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
}

/**
 * Names the type of a value in a sentence.
 *
 * @param {unknown} value
 * @returns {string}
 */
function kindOf(value) {
  if (!isGiven(value)) return String(value);
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

module.exports = { DEFAULT_HOST, DEFAULT_PORT, kindOf, readDb, readHost, readPath, readPort, readText };
