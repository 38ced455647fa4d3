'use strict';

const { optionError, unknownOption } = require('../errors');
const { isPlainObject, isWholeNumber } = require('../values');

const DEFAULT_BUFFERED = 16 * 1024 * 1024;
const NAMES = ['maxBufferedAmount', 'threads'];
const MAX_THREADS = 64;

/**
 * Reads the options of `WebSocketServer.with()`.
 * @param {unknown} options
 * @returns {{ maxBufferedAmount: number, threads?: number }}
 * @throws {TypeError} `ERR_INVALID_OPTION`
 */
function readOptions(options) {
  if (!isPlainObject(options)) throw optionError('WebSocketServer', 'it must be an object with options.');
  for (const name of Object.keys(options)) if (!NAMES.includes(name)) throw unknownOption(name, NAMES);
  const { maxBufferedAmount = DEFAULT_BUFFERED, threads } = options;
  if (!isWholeNumber(maxBufferedAmount, 1)) {
    throw optionError('maxBufferedAmount', 'it must be a whole number of bytes, 1 at least.');
  }
  if (threads !== undefined && !isWholeNumber(threads, 1, MAX_THREADS)) {
    throw optionError('threads', `it must be a whole number from 1 to ${MAX_THREADS}.`);
  }
  return { maxBufferedAmount, threads };
}

module.exports = { readOptions };
