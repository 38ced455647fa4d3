'use strict';

/**
 * Random numbers that a seed decides (mulberry32), so that a schedule can be run again.
 * @param {number} seed
 * @param {string} name of what they are for: each has a sequence of its own
 */
function seeded(seed, name) {
  let state = [...name].reduce((sum, letter) => Math.imul(sum ^ letter.charCodeAt(0), 0x01000193), seed | 0);
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    /** @param {number} from @param {number} to @returns {number} a whole number from `from` to below `to` */
    between: (from, to) => from + Math.floor(next() * (to - from)),
    /** @template T @param {T[]} list @returns {T} */
    of: (list) => list[Math.floor(next() * list.length)],
  };
}

module.exports = { seeded };
