'use strict';

const { now: clock, setTimeout } = require('../timers');

/** How often a process that has nothing else to do checks whether all has left, in ms. */
const POLL_MS = 10;
/** How long it waits while nothing leaves, in ms. */
const LIMIT_MS = 5000;
/** How long `process.exit()` waits while nothing leaves, in ms. */
const EXIT_LIMIT_MS = 500;

/**
 * The open connections that do not keep the process alive, with their progress when that last changed,
 * and the time of that change.
 * @type {Map<any, { progress: number, since: number }>}
 */
const watched = new Map();

/**
 * Lets the process exit although connections are open, once what was published has left. It ends with
 * the connections.
 * @param {any} backplane
 */
function flushAtExit(backplane) {
  backplane.unref();
  if (watched.has(backplane)) return;
  if (watched.size === 0) {
    process.on('beforeExit', wait);
    process.on('exit', waitShortly);
  }
  watched.set(backplane, { progress: -1, since: 0 });
  backplane.closed.then(() => {
    watched.delete(backplane);
    if (watched.size > 0) return;
    process.removeListener('beforeExit', wait);
    process.removeListener('exit', waitShortly);
  });
}

function wait() {
  const now = clock();
  let waiting = false;
  for (const [backplane, last] of watched) {
    if (!backplane.busy) continue;
    const { progress } = backplane;
    if (progress !== last.progress) watched.set(backplane, { progress, since: now });
    waiting ||= progress !== last.progress || now - last.since < LIMIT_MS;
  }
  // A timer holds the process, which comes here again when it is over.
  if (waiting) setTimeout(() => {}, POLL_MS);
}

/**
 * `io.close()` does not wait for what was published, and `process.exit()` often comes next. Where Redis is
 * there, that takes a round trip.
 */
function waitShortly() {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (const backplane of watched.keys()) {
    let last = { progress: -1, since: 0 };
    while (backplane.isPublishing) {
      const { progress } = backplane;
      if (progress !== last.progress) last = { progress, since: clock() };
      else if (clock() - last.since > EXIT_LIMIT_MS) break;
      Atomics.wait(cell, 0, 0, 1);
    }
  }
}

module.exports = { flushAtExit };
