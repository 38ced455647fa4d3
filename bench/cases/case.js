'use strict';

const { StoreFixture } = require('../store-fixture');
const { STORE_FAMILY } = require('../stores');

/**
 * A case of the benchmark. What most of them share, so that each says only what is its own:
 * - `id`, `title`, `unit`; `goal`: the ratio aimed at
 * - `family`: what it compares; `implementations`: those of the family that take part
 * - `figure`: which of the measured figures counts, `higherIsBetter` or not
 * - `count`: how much to do in a round, in a full and in a quick run
 * - `rows`: where one measurement has several: what is another in each row of the table, such as `figure`
 * - `fullOnly`: left out of a quick run
 * - `rounds`: at most so many; `noWarmUp`: every round counts
 * - `open(name, { quick })`: a fixture for one implementation, which has `close()`
 * - `measure(fixture, count)`: one round; its figures, among them `received` and `expected`, and
 *   perhaps a `mistake` in words
 */
function defineCase({ family = STORE_FAMILY, ...fields }) {
  return {
    family,
    unit: 'µs of main thread a message',
    figure: 'main',
    higherIsBetter: false,
    implementations: family.implementations,
    count: { full: 50_000, quick: 5_000 },
    rounds: Infinity,
    noWarmUp: false,
    fullOnly: false,
    open: (name) => StoreFixture.open(name),
    ...fields,
  };
}

module.exports = { defineCase };
