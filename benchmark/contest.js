'use strict';

/**
 * One row's result.
 * @typedef {object} Result
 * @property {string} id
 * @property {string} title
 * @property {string} unit
 * @property {number} [goal] the ratio that is aimed at
 * @property {Record<string, Record<string, number>>} figures medians, by contestant
 * @property {number | null} ratio the fastest incumbent ÷ ours; null where only one of them can run
 * @property {string[]} wrong rounds in which a message was missing, came twice or was another
 */

const { median } = require('./statistics');

/**
 * Runs a row: every contestant in each round, in turns, after a round to warm up.
 * @param {any} row
 * @param {{ rounds: number, quick: boolean }} options
 * @param {(step: string) => void} progress called before each step
 * @returns {Promise<Result>}
 */
async function contest(row, { rounds, quick }, progress) {
  const count = row.count[quick ? 'quick' : 'full'];
  const arenas = new Map();
  const measured = new Map(row.contestants.map((name) => [name, []]));
  const wrong = [];
  try {
    await Promise.all(row.contestants.map(async (name) => arenas.set(name, await row.open(name, { quick }))));
    for (let round = -warmUps(row); round < Math.min(row.rounds, rounds); round += 1) {
      for (const name of row.contestants) {
        progress(`${row.title}: ${name}`);
        const { mistake, ...figures } = await row.measure(arenas.get(name), count);
        if (mistake) wrong.push(`${name}: ${mistake}`);
        if (figures.received !== figures.expected) {
          wrong.push(`${name}: ${figures.received} of ${figures.expected}`);
        }
        if (round >= 0) measured.get(name).push(figures);
      }
    }
  } finally {
    for (const arena of arenas.values()) await arena.close();
  }
  const figures = Object.fromEntries([...measured].map(([name, rounds]) => [name, medians(rounds)]));
  return { ...summary(row), figures, ratio: ratioOf(figures, row), wrong };
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

/** How many steps a row takes. */
function steps(row, rounds) {
  return row.contestants.length * (Math.min(row.rounds, rounds) + warmUps(row));
}

module.exports = { contest, steps };
