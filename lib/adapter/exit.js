'use strict';

const { now: clock, setTimeout } = require('../timers');

/** How often a process that has nothing else to do checks whether all has left, in ms. */
const POLL_MS = 10;
/** How long it waits while nothing leaves, in ms. */
const LIMIT_MS = 5000;

/**
 * The open connections that do not keep the process alive, with their progress when that last changed,
 * and the time of that change.
 * @type {Map<any, { progress: number, since: number }>}
 */
const watched = new Map();

/**
 * Lets the process exit although connections are open, once what was published has left.
 * @param {any} backplane
 */
function flushAtExit(backplane) {
  backplane.unref();
  if (watched.size === 0) process.on('beforeExit', wait);
  watched.set(backplane, { progress: -1, since: 0 });
}

/** Takes `flushAtExit()` back. @param {any} backplane which is closed now */
function stopFlushingAtExit(backplane) {
  watched.delete(backplane);
  if (watched.size === 0) process.removeListener('beforeExit', wait);
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

module.exports = { flushAtExit, stopFlushingAtExit };
