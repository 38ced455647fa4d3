'use strict';

const { Arena } = require('../arena');
const { INCUMBENT, OURS, REDIS_3 } = require('../stores');

/**
 * A row of the benchmark. What most of them share, so that each says only what is its own:
 * - `id`, `title`, `unit`; `goal`: the ratio aimed at
 * - `contestants`: names of stores
 * - `figure`: which of the measured figures counts, `higherIsBetter` or not
 * - `count`: how much to do in a round, in a full and in a quick run
 * - `rounds`: at most so many; `noWarmUp`: every round counts
 * - `open(name, { quick })`: an arena for one contestant, which has `close()`
 * - `measure(arena, count)`: one round; its figures, among them `received` and `expected`
 */
function row(fields) {
  return {
    unit: 'µs of main thread a message',
    figure: 'main',
    higherIsBetter: false,
    contestants: [INCUMBENT, REDIS_3, OURS],
    count: { full: 50_000, quick: 5_000 },
    rounds: Infinity,
    noWarmUp: false,
    open: (name) => Arena.open(name),
    ...fields,
  };
}

module.exports = { row };
