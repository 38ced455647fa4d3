'use strict';

/** How often a process that has nothing else to do looks whether all has left, in ms. */
const POLL_MS = 10;
/** How long it waits while nothing leaves, in ms. */
const LIMIT_MS = 5000;

/**
 * The connections that do not keep the process alive, how far they had come when that last changed,
 * and when that was.
 * @type {Map<any, { progress: number, since: number }>}
 */
const unheld = new Map();

/**
 * Lets the process exit although connections are open, once what was published has left.
 * @param {any} backplane
 */
function flushAtExit(backplane) {
  backplane.unref();
  if (unheld.size === 0) process.on('beforeExit', wait);
  unheld.set(backplane, { progress: -1, since: 0 });
}

/** @param {any} backplane which is closed now */
function forget(backplane) {
  unheld.delete(backplane);
  if (unheld.size === 0) process.removeListener('beforeExit', wait);
}

function wait() {
  const now = Date.now();
  let waiting = false;
  for (const [backplane, last] of unheld) {
    if (!backplane.busy) continue;
    const { progress } = backplane;
    if (progress !== last.progress) unheld.set(backplane, { progress, since: now });
    waiting ||= progress !== last.progress || now - last.since < LIMIT_MS;
  }
  // A timer holds the process, which comes here again when it is over.
  if (waiting) setTimeout(() => {}, POLL_MS);
}

module.exports = { flushAtExit, forget };
