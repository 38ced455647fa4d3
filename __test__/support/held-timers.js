'use strict';

const timers = require('../../lib/timers');

/**
 * Has timers of this package wait for the test instead of the clock: on a busy machine Redis may need longer than they
 * last. The package takes its timers when it is loaded, so call this before.
 * @param {number} ms which timers: those that last as long
 * @returns {() => void} has all that are set come to their end
 */
function holdTimers(ms) {
  const { clearTimeout, setTimeout } = timers;
  /** @type {Map<NodeJS.Timeout, () => void>} */
  const held = new Map();
  const hold = (/** @type {() => void} */ callback, /** @type {number} */ delay) => {
    if (delay !== ms) return setTimeout(callback, delay);
    const timer = setTimeout(() => {}, 0);
    held.set(timer, callback);
    return timer;
  };
  const clear = (/** @type {NodeJS.Timeout} */ timer) => {
    held.delete(timer);
    clearTimeout(timer);
  };
  Object.assign(timers, { clearTimeout: clear, setTimeout: hold });
  return () => {
    const ended = [...held.values()];
    held.clear();
    for (const end of ended) end();
  };
}

module.exports = { holdTimers };
