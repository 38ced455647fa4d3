'use strict';

/** How often the clocks are read until one is found that nothing came between. */
const TRIES = 20;

/** @returns {number} ms on a clock that all processes of this machine share, and that nothing sets */
function now() {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** @returns {number} by how much this process' `Date.now()` is ahead of that, in ms */
function ahead() {
  let best = { took: Infinity, offset: 0 };
  for (let left = TRIES; left > 0; left--) {
    const before = now();
    const time = Date.now();
    const took = now() - before;
    // It may be anywhere in its ms.
    if (took < best.took) best = { took, offset: time + 0.5 - (before + took / 2) };
  }
  return best.offset;
}

module.exports = { ahead, now };
