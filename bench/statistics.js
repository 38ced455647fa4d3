'use strict';

/**
 * @param {number[]} values
 * @param {number} share 0 to 1
 * @returns {number} the smallest value that `share` of all do not exceed
 */
function percentile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}

/** @param {number[]} values */
function median(values) {
  return percentile(values, 0.5);
}

module.exports = { median, percentile };
