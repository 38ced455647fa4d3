'use strict';

/**
 * One case's result.
 * @typedef {object} Result
 * @property {string} id
 * @property {string} title
 * @property {string} unit
 * @property {number} [goal] the ratio that is aimed at
 * @property {Record<string, Record<string, number>>} figures medians, by implementation
 * @property {number | null} ratio the fastest incumbent ÷ ours; null where only one of them can run
 * @property {string[]} wrong rounds in which a message was missing, came twice or was another
 */

const { median } = require('./statistics');

/**
 * Runs a case: every implementation in each round, in turns, after a round to warm up.
 * @param {any} benchCase what `defineCase` made
 * @param {{ rounds: number, quick: boolean }} options
 * @param {(step: string) => void} progress called before each step
 * @returns {Promise<Result>}
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
  return { ...summary(benchCase), figures, ratio: ratioOf(figures, benchCase), wrong };
}

function summary({ id, title, unit, goal, figure }) {
  return { id, title, unit, goal, figure };
}

function medians(rounds) {
  return Object.fromEntries(Object.keys(rounds[0]).map((key) => [key, median(rounds.map((round) => round[key]))]));
}

/** How many times better ours is. */
function ratioOf(figures, { family, figure, higherIsBetter }) {
  const ours = figures[family.ours]?.[figure];
  const theirs = family.incumbents.flatMap((name) => figures[name]?.[figure] ?? []);
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
