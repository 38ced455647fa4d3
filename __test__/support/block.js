'use strict';

/** Blocks the event loop, as an application may. The thread sleeps meanwhile: others need the processor. */

const { PATIENCE } = require('./limits');

const CELL = new Int32Array(new SharedArrayBuffer(4));

/** @param {number} ms */
function block(ms) {
  Atomics.wait(CELL, 0, 0, ms);
}

/**
 * Blocks until something is so of which the event loop need not hear.
 * @param {string} what
 * @param {() => unknown} holds
 */
function blockUntil(what, holds) {
  const deadline = Date.now() + PATIENCE;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`in vain blocked for: ${what}`);
    block(0.1);
  }
}

module.exports = { block, blockUntil };
