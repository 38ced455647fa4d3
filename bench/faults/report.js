'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { median } = require('../statistics');
const { drawTimelines } = require('./chart');

const DOCS = path.join(__dirname, '..', '..', 'docs');

const HEAD = `# Faults, measured

\`npm run faults -- --save\` wrote this. Three nodes of each side, in processes of their own, send 100 broadcasts, 25
joins and (ours) 50 messages of the 0.9 store a second each, and write session data, while a seeded schedule breaks
what is between them: the same servers, and the same faults, at the same time for both sides. In the rows of streams, it
is \`createStreamsAdapter\` beside the official one; the stream is longer than what is sent, a server alone keeps its
data on disk (\`appendfsync always\`), and a cluster's master is killed once its replicas have all that it confirmed.

- **Sent** are messages; **expected** is each of them at each other node.
- **Told as lost** is what did not arrive, and was sent in a \`gap\` of the receiver, or is among the messages that a
  \`gap\` of the sender counts. The official adapters have no such event.
- **Lost silently** is what did not arrive, and nobody was told.
- **Missing, but in the stream** is what did not arrive, whoever was told, though the stream has it at the end.
- **Well again** is the time from when Redis could be reached again, or the new master was announced, until every
  node had of every stream of every other node a message behind the last missing one.
- **RSS** is that of the largest of the three processes, before and after the fault. Each process keeps a journal of
  what it sent and got: the rows without a fault (control) show what that alone comes to.
- **Uncaught** are exceptions that would have ended the process; they were held back, so that the figures go on.`;

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
  'missing, but in the stream': (_, { withheld, stored }) => (stored === undefined ? '–' : withheld),
  'out of order': (_, { disordered }) => disordered,
  twice: (_, { duplicates }) => duplicates,
  'well again after, ms (median, most)': (_, { recoveries }) =>
    recoveries.length === 0 ? '–' : [median(recoveries), Math.max(...recoveries)].map(readable).join(', '),
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

/**
 * Keeps the report of a run.
 * @param {Result[]} results
 * @param {{ seed: number, quick: boolean }} options
 */
async function save(results, options) {
  const text = [HEAD, '', report(results, options), '![timelines](faults.svg)', ''].join('\n');
  fs.writeFileSync(path.join(DOCS, 'faults.md'), text);
  fs.writeFileSync(path.join(DOCS, 'faults.svg'), await drawTimelines(results));
}

module.exports = { report, save };
