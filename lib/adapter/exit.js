'use strict';

/** How often a process that has nothing else to do looks whether all has left, in ms. */
const POLL_MS = 10;
/** How long it waits for that, in ms. */
const LIMIT_MS = 5000;

/**
 * The connections that do not keep the process alive, and since when it has been waiting for them.
 * @type {Map<any, number>}
 */
const unheld = new Map();

/**
 * Lets the process exit although connections are open, once what was published has left.
 * @param {any} backplane
 */
function flushAtExit(backplane) {
  backplane.unref();
  if (unheld.size === 0) process.on('beforeExit', wait);
  unheld.set(backplane, 0);
}

/** @param {any} backplane which is closed now */
function forget(backplane) {
  unheld.delete(backplane);
  if (unheld.size === 0) process.removeListener('beforeExit', wait);
}

function wait() {
  const now = Date.now();
  let waiting = false;
  for (const [backplane, since] of unheld) {
    const start = backplane.busy ? since || now : 0;
    unheld.set(backplane, start);
    waiting ||= start !== 0 && now - start < LIMIT_MS;
  }
  // A timer holds the process, which comes here again when it is over.
  if (waiting) setTimeout(() => {}, POLL_MS);
}

module.exports = { flushAtExit, forget };
