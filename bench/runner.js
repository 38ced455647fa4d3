'use strict';

/**
 * One row of the table: what came out of a case, or one side of it.
 * @typedef {object} Result
 * @property {string} id
 * @property {string} title
 * @property {string} unit
 * @property {number | string} [goal] the ratio that is aimed at, or in words
 * @property {string} figure which of the figures counts
 * @property {Record<string, Record<string, number>>} figures medians, by implementation
 * @property {Record<string, number | null>} ratios how many times better ours is, by the comparison's head; null where
 *   only one of them can run
 * @property {string[]} wrong rounds in which a message was missing, came twice or was another
 */

const { median } = require('./statistics');

/**
 * Runs a case: every implementation in each round, in turns, after a round to warm up.
 * @param {any} benchCase what `defineCase` made
 * @param {{ rounds: number, quick: boolean }} options
 * @param {(step: string) => void} progress called before each step
 * @returns {Promise<Result[]>} one for each of its rows
 */
async function runCase(benchCase, { rounds, quick }, progress) {
  const count = benchCase.count[quick ? 'quick' : 'full'];
  const fixtures = new Map();
  const measured = new Map(benchCase.implementations.map((name) => [name, []]));
  const wrong = [];
  try {
    await Promise.all(
      benchCase.implementations.map(async (name) => fixtures.set(name, await benchCase.open(name, { quick }))),
    );
    for (let round = -warmUps(benchCase); round < Math.min(benchCase.rounds, rounds); round += 1) {
      for (const name of benchCase.implementations) {
        progress(`${benchCase.title}: ${name}`);
        const { mistake, ...figures } = await benchCase.measure(fixtures.get(name), count);
        if (mistake) wrong.push(`${name}: ${mistake}`);
        if (figures.received !== figures.expected) {
          wrong.push(`${name}: ${figures.received} of ${figures.expected}`);
        }
        if (round >= 0) measured.get(name).push(figures);
      }
    }
  } finally {
    for (const fixture of fixtures.values()) await fixture.close();
  }
  const figures = Object.fromEntries([...measured].map(([name, rounds]) => [name, medians(rounds)]));
  return (benchCase.rows ?? [{}]).map((row) => resultOf({ ...benchCase, ...row }, figures, wrong));
}

/** @returns {Result} */
function resultOf({ id, title, unit, goal, figure, family, higherIsBetter }, figures, wrong) {
  const better = (comparison) => ratioOf(figures, family.ours, comparison.incumbents, figure, higherIsBetter);
  const ratios = Object.fromEntries(family.comparisons.map((each) => [each.head, better(each)]));
  return { id, title, unit, goal, figure, figures, ratios, wrong };
}

function medians(rounds) {
  return Object.fromEntries(Object.keys(rounds[0]).map((key) => [key, median(rounds.map((round) => round[key]))]));
}

/** How many times better ours is than the best of the others. */
function ratioOf(figures, name, incumbents, figure, higherIsBetter) {
  const ours = figures[name]?.[figure];
  const theirs = incumbents.flatMap((incumbent) => figures[incumbent]?.[figure] ?? []);
  if (ours === undefined || theirs.length === 0) return null;
  return higherIsBetter ? ours / Math.max(...theirs) : Math.min(...theirs) / ours;
}

/** A round that does not count lets the JIT warm up. */
function warmUps({ noWarmUp }) {
  return noWarmUp ? 0 : 1;
}

/** How many steps a case takes. */
function steps(benchCase, rounds) {
  return benchCase.implementations.length * (Math.min(benchCase.rounds, rounds) + warmUps(benchCase));
}

module.exports = { runCase, steps };
