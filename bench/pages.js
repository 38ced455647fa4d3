'use strict';

/**
 * The tables of README.md and of bench/README.md, between their markers, from what is in results/:
 *
 *     node bench/pages.js
 */

const fs = require('node:fs');
const path = require('node:path');
const { between } = require('./markers');

const ROOT = path.join(__dirname, '..');
const RESULTS = path.join(__dirname, 'results');
const PAGES = { readme: path.join(ROOT, 'README.md'), bench: path.join(__dirname, 'README.md') };

const OFFICIAL = ['@socket.io/redis-adapter, redis 6', '@socket.io/redis-adapter, ioredis 6'];
const ON_WS = ['@socket.io/redis-adapter on ws'];
const NATIVE = 'socket.io-redis-native';
const WITH_WEBSOCKETS = `${NATIVE}, WebSocketServer`;

/**
 * One row of README: a figure of a case, of the best incumbent and of this package.
 * @typedef {object} Row
 * @property {string} what
 * @property {string} unit
 * @property {string} family in whose results it is
 * @property {string} id of the case
 * @property {string} figure
 * @property {string[]} incumbents
 * @property {string} ours
 * @property {boolean} [more] whether more is better
 */

/** At most eight. @type {Row[]} */
const ROWS = [
  {
    what: 'receive a broadcast for a room without a socket here',
    unit: 'main thread, µs a message',
    ...{ family: 'adapter', id: 'adapter-receive-elsewhere', figure: 'main', incumbents: OFFICIAL, ours: NATIVE },
  },
  {
    what: 'emit to a room of other servers, 100 in one tick',
    unit: 'main thread, µs a message',
    ...{ family: 'adapter', id: 'adapter-emit-0', figure: 'main', incumbents: OFFICIAL, ours: NATIVE },
  },
  {
    what: 'write a broadcast of another server to 1,000 WebSockets: `createAdapter` alone, on `ws`',
    unit: 'main thread, µs a socket',
    ...{ family: 'websocket', id: 'websocket-remote-1000', figure: 'main', incumbents: ON_WS, ours: `${NATIVE} on ws` },
  },
  {
    what: 'the same: with `WebSocketServer`',
    unit: 'main thread, µs a socket',
    ...{ family: 'websocket', id: 'websocket-remote-1000', figure: 'main', incumbents: ON_WS, ours: WITH_WEBSOCKETS },
  },
  {
    what: 'the same: with `WebSocketServer`',
    unit: 'whole process, µs a socket',
    ...{ family: 'websocket', id: 'websocket-remote-1000', figure: 'cpu', incumbents: ON_WS, ours: WITH_WEBSOCKETS },
  },
  {
    what: 'most broadcasts a second to 1,000 WebSockets, 99 % of them within 50 ms',
    unit: 'broadcasts a second',
    ...{ family: 'websocket', id: 'websocket-highest-1000', figure: 'rate', incumbents: ON_WS, ours: WITH_WEBSOCKETS },
    more: true,
  },
  {
    what: 'memory of an idle connection, of 10,000',
    unit: 'bytes of RSS',
    ...{ family: 'websocket', id: 'websocket-memory', figure: 'perClient', incumbents: ON_WS, ours: WITH_WEBSOCKETS },
  },
  {
    what: 'Socket.IO 0.9, 4 nodes with 400 clients: a broadcast',
    unit: 'main thread, µs, mean of the nodes',
    ...{ family: 'websocket', id: 'websocket-store', figure: 'main', incumbents: ON_WS, ours: WITH_WEBSOCKETS },
  },
];

/** The last results of a family, whose files begin with their date. @param {string} family */
function resultsOf(family) {
  const files = fs.readdirSync(RESULTS).filter((file) => file.endsWith(`-${family}.json`));
  const last = files.sort().at(-1);
  if (last === undefined) throw new Error(`${RESULTS} has no results of ${family}: npm run bench -- --only ${family}`);
  return JSON.parse(fs.readFileSync(path.join(RESULTS, last), 'utf8'));
}

/** @param {Row} row */
function figuresOf({ family, id, figure, incumbents, ours, more = false }) {
  const found = resultsOf(family).results.find((each) => each.id === id && each.figures[ours]?.[figure] !== undefined);
  if (found === undefined) throw new Error(`The results of ${family} have no ${figure} of ${id}.`);
  const best = (more ? Math.max : Math.min)(...incumbents.map((name) => found.figures[name][figure]));
  const own = found.figures[ours][figure];
  return { best, own, ratio: more ? own / best : best / own };
}

/** @param {number} number */
function readable(number) {
  if (number >= 1000) return Math.round(number).toLocaleString('en');
  return number.toFixed(number >= 100 ? 0 : number >= 10 ? 1 : 2);
}

/** README's table. */
function summary() {
  const runs = [...new Set(ROWS.map(({ family }) => family))].map(resultsOf);
  const dates = [...new Set(runs.map(({ date }) => date))].sort();
  const { machine } = runs[0];
  const rows = ROWS.map((row) => {
    const { best, own, ratio } = figuresOf(row);
    return `| ${row.what} | ${row.unit} | ${readable(best)} | ${readable(own)} | ${readable(ratio)} × |`;
  });
  const head = `| what | figure | official | ${NATIVE} | better by |`;
  const on = `${dates.join(' and ')}, ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Node ${machine.node}.`;
  return [head, '|---|---|---:|---:|---:|', ...rows, '', on].join('\n');
}

/** README, and the page of the bench with every row of every family. @returns {[file: string, content: string][]} */
function pages() {
  const read = (/** @type {string} */ file) => fs.readFileSync(file, 'utf8');
  let bench = read(PAGES.bench);
  for (const [, family] of bench.matchAll(/<!-- bench:(\S+) -->/g))
    bench = between(bench, `bench:${family}`, read(path.join(RESULTS, `latest-${family}.md`)));
  return [
    [PAGES.readme, between(read(PAGES.readme), 'bench', summary())],
    [PAGES.bench, bench],
  ];
}

function writePages() {
  for (const [file, content] of pages()) fs.writeFileSync(file, content);
}

module.exports = { ROWS, pages, resultsOf, writePages };

if (require.main === module) writePages();
