'use strict';

/** The rows of docs/faults.md that matter most, as docs/how-it-works.md has them between its markers. */

const fs = require('node:fs');
const path = require('node:path');
const { between } = require('../markers');

const DOCS = path.join(__dirname, '..', '..', 'docs');
const SOURCE = path.join(DOCS, 'faults.md');
const PAGE = path.join(DOCS, 'how-it-works.md');

/** How the page calls a fault, by what docs/faults.md calls it. */
const FAULTS = {
  'Redis killed, and started again': 'Redis killed and started again',
  'connections of one node cut': 'connections of one server cut',
  'half-open connections of one node: nothing passes, nothing is closed, new ones are let in':
    'half-open connections of one server: nothing passes, and nothing is closed',
  'one node cut off from Redis, 3 to 10 s': 'one server cut off from Redis for 3 to 10 s',
  'failover by Sentinel: after the master was killed, and asked for': 'failover by Sentinel',
  'failover of a Cluster: after a master was killed, and asked for': 'failover of a Cluster',
  'split brain: the old master goes on for 3 to 8 s with two nodes on it, then becomes a replica': 'split brain',
  'malformed payloads from elsewhere: 10,000 (short), 1,000,000': 'malformed messages',
  'streams: Redis killed, and started again': '**streams**: Redis killed and started again',
  "streams: failover of a Cluster: after a stream's master was killed, and asked for":
    '**streams**: failover of a Cluster',
};
const HEAD = [
  'fault',
  'times',
  'official: lost in silence',
  'this package: lost in silence',
  'this package: lost, and told',
  'official: well again after, median',
  'this package: well again after, median',
];

/** @param {string} text of docs/faults.md @returns {Record<string, string>[]} its rows, by the heads of their columns */
function rowsOf(text) {
  const [heads, , ...rows] = text
    .slice(text.indexOf('\n| fault |'))
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.slice(2, -2).split(' | '));
  return rows.map((cells) => Object.fromEntries(cells.map((cell, i) => [heads[i], cell])));
}

/** @param {string} part @param {string} whole both are numbers */
function share(part, whole) {
  const percent = (100 * Number(part)) / Number(whole);
  if (percent === 0) return '0';
  return `${percent >= 1 ? Math.round(percent) : Number(percent.toPrecision(1))} %`;
}

/** @param {string} both the median and the longest, in ms */
function seconds(both) {
  const [median] = both.split(', ');
  return median === 'never' ? median : `${Number((Number(median) / 1000).toPrecision(2))} s`;
}

/** @param {string} text of docs/faults.md @returns {string} the table */
function summary(text) {
  const all = rowsOf(text);
  const rows = Object.entries(FAULTS).flatMap(([fault, name]) => {
    // A run that was not whole lacks some.
    const [ours, official] = all.filter((row) => row.fault === fault);
    if (official === undefined) return [];
    const lost = [
      share(official['lost silently'], official.expected),
      share(ours['lost silently'], ours.expected),
      share(ours['told as lost'], ours.expected),
    ];
    const again = [official, ours].map((row) => seconds(row['well again after, ms (median, most)']));
    return [[name, Number(ours.times).toLocaleString('en'), ...lost, ...again]];
  });
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(' | ')} |`;
  return [line(HEAD), line(HEAD.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

/** @returns {[file: string, content: string]} the page as it should be */
function page() {
  return [PAGE, between(fs.readFileSync(PAGE, 'utf8'), 'faults', summary(fs.readFileSync(SOURCE, 'utf8')))];
}

function writePage() {
  const [file, content] = page();
  fs.writeFileSync(file, content);
}

module.exports = { page, writePage };

if (require.main === module) writePage();
