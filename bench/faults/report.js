'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { median } = require('../statistics');
const { drawTimelines } = require('./chart');
const { writePage } = require('./summary');

const DOCS = path.join(__dirname, '..', '..', 'docs');

const HEAD = `# Faults, measured

\`npm run faults -- --save\` wrote this page. For people who decide, [how it works](how-it-works.md) has the rows that matter
most.

Three servers with this package and three with the official adapter run in processes of their own, on the same Redis
servers. Each sends 100 broadcasts and 25 joins a second. Those of this package also send 50 messages of the 0.9 store a
second, and write session data. Meanwhile a schedule with a seed breaks what is between them: the same faults, at the same
time, for both sides.

In the rows of streams, \`createStreamsAdapter\` stands beside the official streams adapter. The stream is longer than what is
sent, a single server keeps its data on disk (\`appendfsync always\`), and a master of a cluster is killed when its replicas
have all that it confirmed.

| column | what it counts |
|---|---|
| sent, expected | messages; each of them at each other server |
| told as lost | messages that did not arrive, and that were sent in a \`gap\` of the receiver or are counted in a \`gap\` of the sender. The official adapters have no such event |
| lost silently | messages that did not arrive, and nobody was told |
| missing, but in the stream | messages that did not arrive although the stream has them at the end, whoever was told |
| well again after | the time from when Redis could be reached again, or the new master was announced, until every server received messages of every other server again |
| RSS | memory of the largest of the three processes, before and after the fault. Each process keeps a journal of all that it sent and received; the rows without a fault (control) show what that alone takes |
| uncaught | exceptions that would have ended the process. They were held back, so that the figures go on |`;

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
  writePage();
}

module.exports = { report, save };
