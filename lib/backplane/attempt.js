'use strict';

const { queueMicrotask } = require('../timers');

/**
 * Calls the application, whose exceptions are its own and must not stop the batch.
 * @param {Function} fn
 * @param {unknown} self
 * @param {unknown[]} args
 * @param {string} [channel] on which the arguments came
 */
function attempt(fn, self, args, channel) {
  try {
    fn.apply(self, args);
  } catch (error) {
    rethrow(error, channel);
  }
}

/**
 * Makes it an uncaught exception, after the batch: it is the application's.
 * @param {unknown} error
 * @param {string} [channel] what the application was called for, which Node prints below the stack
 */
function rethrow(error, channel) {
  if (channel !== undefined && error instanceof Error && Object.isExtensible(error)) {
    Object.defineProperty(error, 'channel', { value: channel, enumerable: true, configurable: true });
  }
  queueMicrotask(() => {
    throw error;
  });
}

module.exports = { attempt, rethrow };
