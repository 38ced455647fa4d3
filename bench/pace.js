'use strict';

/**
 * Calls `step` `count` times, `rate` a second; several to a turn of the event loop when it is behind.
 * @param {number} count
 * @param {number} rate
 * @param {(index: number) => void} step
 */
async function pace(count, rate, step) {
  const start = performance.now();
  for (let done = 0; done < count; done += 1) {
    const wait = start + (done / rate) * 1000 - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    step(done);
  }
}

module.exports = { pace };
