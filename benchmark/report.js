'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { drawChart } = require('./chart');
const { INCUMBENT, OURS, REDIS_3 } = require('./stores');

const RESULTS = path.join(__dirname, 'results');

/** What the run was made on. */
function machine() {
  const [cpu] = os.cpus();
  return {
    cpu: cpu.model,
    cores: os.cpus().length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    os: `${os.type()} ${os.release()}`,
    node: process.version,
  };
}

/**
 * Prints the table; a full run is also kept as JSON, Markdown and a chart.
 * @param {import('./contest').Result[]} results
 * @param {{ rounds: number, quick: boolean, partial: boolean }} run
 */
async function report(results, run) {
  console.table(Object.fromEntries(results.map((result) => [result.title, cells(result)])));
  if (run.quick || run.partial) return;
  const on = machine();
  const date = new Date().toISOString().slice(0, 10);
  const name = `${date}-${on.cpu.replace(/\W+/g, '-').toLowerCase()}`;
  fs.mkdirSync(RESULTS, { recursive: true });
  fs.writeFileSync(path.join(RESULTS, `${name}.json`), `${JSON.stringify({ date, machine: on, ...run, results }, null, 2)}\n`);
  fs.writeFileSync(path.join(RESULTS, 'latest.md'), markdown(results, on, date, run.rounds));
  fs.writeFileSync(path.join(RESULTS, 'latest.svg'), await drawChart(results));
}

/** One row of the table, as text. */
function cells({ figures, figure, goal, ratio }) {
  const value = (name, key) => (figures[name]?.[key] === undefined ? '–' : readable(figures[name][key]));
  return {
    [INCUMBENT]: value(INCUMBENT, figure),
    'on redis 3': value(REDIS_3, figure),
    [OURS]: value(OURS, figure),
    ratio: ratio === null ? '–' : `${ratio.toFixed(1)}×`,
    goal: goal ? `${goal}×` : '',
    'process µs': `${value(INCUMBENT, 'cpu')} / ${value(OURS, 'cpu')}`,
    'RSS MB': [INCUMBENT, OURS].map((name) => (figures[name] ? Math.round(figures[name].rss / 1e6) : '–')).join(' / '),
    'p99 ms': figures[OURS].p99 === undefined ? '' : `${value(INCUMBENT, 'p99')} / ${value(OURS, 'p99')}`,
  };
}

function readable(number) {
  if (number >= 1e6) return `${(number / 1e6).toFixed(0)}M`;
  return number.toFixed(number >= 100 ? 0 : number >= 10 ? 1 : 2);
}

/** The table in Markdown, for the README. */
function markdown(results, on, date, rounds) {
  const rows = results.map((result) => [result.title, result.unit, ...Object.values(cells(result))]);
  const head = ['what', 'unit', ...Object.keys(cells(results[0]))];
  const line = (columns) => `| ${columns.join(' | ')} |`;
  return [
    `${date}, ${on.cpu}, ${on.cores} cores, ${on.memoryGiB} GiB, ${on.os}, Node ${on.node}; medians of ${rounds} alternating rounds.`,
    '',
    line(head),
    line(head.map(() => '---')),
    ...rows.map(line),
    '',
  ].join('\n');
}

module.exports = { markdown, report };
