'use strict';

/**
 * Looks for the highest rate at which a trial passes: doubles until it fails, then halves the distance a few times.
 * @param {number} start a second
 * @param {number} halvings
 * @param {(rate: number) => Promise<boolean>} passes
 * @returns {Promise<number>}
 */
async function highestRate(start, halvings, passes) {
  let rate = start;
  while (await passes(rate)) rate *= 2;
  let failed = rate;
  let passed = rate / 2;
  if (rate === start) {
    while (!(await passes(passed))) {
      // Not at any rate: one alone takes too long.
      if (passed <= start / 8) return 0;
      [failed, passed] = [passed, passed / 2];
    }
  }
  for (let i = 0; i < halvings; i += 1) {
    const middle = Math.sqrt(passed * failed);
    if (await passes(middle)) passed = middle;
    else failed = middle;
  }
  return passed;
}

module.exports = { highestRate };
