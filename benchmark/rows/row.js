'use strict';

const { StoreArena } = require('../arena');
const { STORE_FAMILY } = require('../stores');

/**
 * A row of the benchmark. What most of them share, so that each says only what is its own:
 * - `id`, `title`, `unit`; `goal`: the ratio aimed at
 * - `family`: what it compares; `contestants`: those of the family that take part
 * - `figure`: which of the measured figures counts, `higherIsBetter` or not
 * - `count`: how much to do in a round, in a full and in a quick run
 * - `rounds`: at most so many; `noWarmUp`: every round counts
 * - `open(name, { quick })`: an arena for one contestant, which has `close()`
 * - `measure(arena, count)`: one round; its figures, among them `received` and `expected`, and
 *   perhaps a `mistake` in words
 */
function row({ family = STORE_FAMILY, ...fields }) {
  return {
    family,
    unit: 'µs of main thread a message',
    figure: 'main',
    higherIsBetter: false,
    contestants: family.contestants,
    count: { full: 50_000, quick: 5_000 },
    rounds: Infinity,
    noWarmUp: false,
    open: (name) => StoreArena.open(name),
    ...fields,
  };
}

module.exports = { row };
