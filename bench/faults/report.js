'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { median } = require('../statistics');

const DOCS = path.join(__dirname, '..', '..', 'docs');

/** @typedef {import('./conductor').Result} Result */

const COLUMNS = {
  fault: ({ title }) => title,
  times: ({ times }) => times,
  by: (_, { side }) => side,
  sent: (_, { sent }) => sent,
  expected: (_, { expected }) => expected,
  delivered: (_, { delivered }) => delivered,
  'told as lost': (_, { told }) => told,
  'lost silently': (_, { silent }) => silent,
  'out of order': (_, { disordered }) => disordered,
  twice: (_, { duplicates }) => duplicates,
  'well again after, ms (median, most)': (_, { recoveries }) =>
    [median(recoveries), Math.max(...recoveries)].map(readable).join(', '),
  'RSS before → after, MB': (_, { rss }) => `${megabytes(rss.before)} → ${megabytes(rss.after)}`,
  'session writes (refused)': (_, { sessions }) =>
    sessions.written + sessions.refused === 0 ? '–' : `${sessions.written} (${sessions.refused})`,
  uncaught: (_, { crashes }) => crashes,
};

function readable(ms) {
  return Number.isFinite(ms) ? String(Math.round(ms)) : 'never';
}

function megabytes(bytes) {
  return Math.round(bytes / 1e6);
}

/**
 * @param {Result[]} results
 * @param {{ seed: number, quick: boolean }} options
 * @returns {string} the table in Markdown
 */
function report(results, { seed, quick }) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const [cpu] = os.cpus();
  const date = new Date().toISOString().slice(0, 10);
  const notes = results.filter(({ note }) => note).map(({ title, note }) => `- ${title}: ${note}`);
  return [
    `${date}, ${cpu.model}, ${os.cpus().length} cores, Node ${process.version}; seed ${seed}${quick ? ', short' : ''}.`,
    '',
    line(Object.keys(COLUMNS)),
    line(Object.keys(COLUMNS).map(() => '---')),
    ...results.flatMap((result) =>
      result.sides.map((side) => line(Object.values(COLUMNS).map((cell) => cell(result, side)))),
    ),
    ...(notes.length > 0 ? ['', ...notes] : []),
    '',
  ].join('\n');
}

async function save(results, options) {
  fs.writeFileSync(path.join(DOCS, 'faults.md'), report(results, options));
}

module.exports = { report, save };
