'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { drawChart } = require('./chart');
const { writePages } = require('./pages');

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

/** @typedef {import('./stores').Family} Family */

/**
 * Prints a family's table; that of a full run is also kept as JSON, Markdown and a chart, and written into the pages.
 * @param {Family} family
 * @param {import('./runner').Result[]} results
 * @param {{ rounds: number, quick: boolean, partial: boolean }} run
 */
async function report(family, results, run) {
  console.table(Object.fromEntries(results.map((result) => [result.title, cells(family, result)])));
  if (run.quick || run.partial) return;
  const on = machine();
  const date = new Date().toISOString().slice(0, 10);
  const name = `${date}-${on.cpu.replace(/\W+/g, '-').toLowerCase()}-${family.name}`;
  fs.mkdirSync(RESULTS, { recursive: true });
  fs.writeFileSync(
    path.join(RESULTS, `${name}.json`),
    `${JSON.stringify({ date, machine: on, ...run, results }, null, 2)}\n`,
  );
  fs.writeFileSync(path.join(RESULTS, `latest-${family.name}.md`), markdown(family, results, on, date, run.rounds));
  fs.writeFileSync(path.join(RESULTS, `latest-${family.name}.svg`), await drawChart(family, results));
  writePages();
}

/** One row of the table, as text. */
function cells({ columns, comparisons, ours, details }, { figures, figure, goal, ratios }) {
  const value = (name, key, show = readable) => (figures[name]?.[key] === undefined ? '–' : show(figures[name][key]));
  const names = [...comparisons.flatMap(({ incumbents }) => incumbents), ours];
  const compared = ({ figure: key, bytes }) => names.map((name) => value(name, key, bytes && megabytes)).join(' / ');
  const measured = ({ figure: key }) => Object.values(figures).some((each) => each[key] !== undefined);
  return {
    ...Object.fromEntries(Object.entries(columns).map(([head, name]) => [head, value(name, figure)])),
    ...Object.fromEntries(comparisons.map(({ head }) => [head, times(ratios[head])])),
    goal: typeof goal === 'number' ? `${goal}×` : (goal ?? ''),
    ...Object.fromEntries(details.map((each) => [each.head, measured(each) ? compared(each) : ''])),
  };
}

function times(ratio) {
  return ratio === null ? '–' : `${ratio.toFixed(1)}×`;
}

function megabytes(bytes) {
  return String(Math.round(bytes / 1e6));
}

function readable(number) {
  if (number >= 1e6) return `${(number / 1e6).toFixed(0)}M`;
  return number.toFixed(number >= 100 ? 0 : number >= 10 ? 1 : 2);
}

/** The table in Markdown, for bench/README.md. */
function markdown(family, results, on, date, rounds) {
  const rows = results.map((result) => [result.title, result.unit, ...Object.values(cells(family, result))]);
  const head = ['what', 'unit', ...Object.keys(cells(family, results[0]))];
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
