'use strict';

/**
 * The timers and the clock of Node itself. Fake timers (`jest.useFakeTimers()`, `vi.useFakeTimers()`, sinon)
 * replace the globals, and some of them what `node:timers` exports: they would stop the connections. What
 * this module has found when it loads stays. A lint rule keeps the globals out of `lib/`.
 */

const { performance } = require('node:perf_hooks');
const timers = require('node:timers');

/**
 * Node's own function, also where fake timers were there first: all of those use `@sinonjs/fake-timers`,
 * whose functions have the `clock` that keeps what they replaced.
 * @template {Function} F
 * @param {string} name
 * @param {F & { clock?: any }} fn
 * @returns {F}
 */
function own(name, fn) {
  return fn.clock?.[`_${name}`] ?? fn;
}

/** The one on the prototype: fake timers give the object another. */
const { now } = Object.getPrototypeOf(performance);

module.exports = {
  clearImmediate: own('clearImmediate', timers.clearImmediate),
  clearInterval: own('clearInterval', timers.clearInterval),
  clearTimeout: own('clearTimeout', timers.clearTimeout),
  nextTick: own('nextTick', process.nextTick),
  /** @type {() => number} ms since the process began, with fractions */
  now: (now ?? performance.now).bind(performance),
  queueMicrotask: own('queueMicrotask', globalThis.queueMicrotask),
  setImmediate: own('setImmediate', timers.setImmediate),
  setInterval: own('setInterval', timers.setInterval),
  setTimeout: own('setTimeout', timers.setTimeout),
};
