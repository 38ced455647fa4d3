#!/usr/bin/env node
'use strict';

/**
 * Runs the test files whose path has one of the arguments in it, all without: `node scripts/test.js store/faults`.
 * Prints a line for each file, what fails in full, and the sums at the end.
 */

const fs = require('node:fs');
const path = require('node:path');
const { run } = require('node:test');
const { inspect } = require('node:util');

const ROOT = path.join(__dirname, '..');
const TESTS = path.join(ROOT, '__test__');

/** Run one at a time, and after all others: each of them keeps two processors busy. */
const HEAVY = [/^lifetimes\//, /^adapter\/differential\//, /\/(bounds|blocked|stalls|timers)\.test\.js$/];
/** How many of the others run at a time. */
const TOGETHER = 2;
/** Only against hanging, in ms: the slowest file takes a minute when nothing else runs. */
const FILE_LIMIT = 90 * 60_000;

const COUNTS = /** @type {const} */ (['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo']);

/** @typedef {Record<typeof COUNTS[number], number>} Counts */

/**
 * @param {string[]} filters
 * @returns {string[]} paths below `__test__/`, with slashes
 */
function testFiles(filters) {
  const names = /** @type {string[]} */ (fs.readdirSync(TESTS, { recursive: true }));
  return names
    .map((name) => name.split(path.sep).join('/'))
    .filter((name) => name.endsWith('.test.js'))
    .filter((name) => filters.length === 0 || filters.some((filter) => `__test__/${name}`.includes(filter)))
    .sort();
}

/** @param {any} cause of a failure @returns {string} */
function inWords(cause) {
  if (typeof cause === 'string') return cause;
  // What was expected, and what came, is in its message.
  return cause?.code === 'ERR_ASSERTION' ? cause.stack : inspect(cause);
}

/**
 * What of a file's report is worth a line: what fails, and what tests print.
 * @param {{ type: string, data: any }[]} events
 * @returns {string[]}
 */
function worthSaying(events) {
  /** @type {string[]} The names of the test and of the suites that it is in. */
  const names = [];
  const said = [];
  for (const { type, data } of events) {
    if (type === 'test:start') names.splice(data.nesting, Infinity, data.name);
    if (type === 'test:stdout' || type === 'test:stderr') said.push(data.message.trimEnd());
    if (type === 'test:diagnostic' && /^(Error|Warning): /.test(data.message)) said.push(data.message);
    if (type !== 'test:fail' || data.details.error.failureType === 'subtestsFailed') continue;
    const cause = data.details.error.cause ?? data.details.error;
    const title = [...names.slice(0, data.nesting), data.name].join(' > ');
    const at = `${path.relative(ROOT, data.file)}:${data.line}`;
    said.push(`✖ ${title} (${at})`, inWords(cause).replace(/^/gm, '    '));
  }
  return said;
}

/**
 * Runs one file and prints what came of it.
 * @param {string} name
 * @returns {Promise<Counts>}
 */
async function runFile(name) {
  const begin = performance.now();
  const events = [];
  for await (const event of run({ files: [path.join(TESTS, name)], timeout: FILE_LIMIT })) events.push(event);
  const counts = /** @type {Counts} */ (Object.fromEntries(COUNTS.map((count) => [count, 0])));
  for (const { type, data } of events) {
    const [, count, number] = (type === 'test:diagnostic' && /^(\w+) (\d+)$/.exec(data.message)) || [];
    if (count in counts) counts[count] = Number(number);
  }
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  const failed = events.some(({ type, data }) => type === 'test:fail' && !data.todo);
  if (failed) process.exitCode = 1;
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
  console.log(`${failed ? '✖' : '✔'} ${name}: ${counts.tests} tests in ${seconds} s${skipped}`);
  for (const text of worthSaying(events)) console.log(text.replace(/^/gm, '  '));
  return counts;
}

/**
 * Runs files, so many at a time.
 * @param {string[]} names
 * @param {number} together
 * @returns {Promise<Counts[]>}
 */
async function runFiles(names, together) {
  const waiting = [...names];
  /** @type {Counts[]} */
  const all = [];
  const work = async () => {
    for (let name = waiting.shift(); name; name = waiting.shift()) all.push(await runFile(name));
  };
  await Promise.all(Array.from({ length: together }, work));
  return all;
}

async function main() {
  const files = testFiles(process.argv.slice(2));
  if (files.length === 0) {
    console.error(`No path of a test has this in it: ${process.argv.slice(2).join(', ')}`);
    process.exitCode = 1;
    return;
  }
  const isHeavy = (/** @type {string} */ name) => HEAVY.some((pattern) => pattern.test(name));
  const begin = performance.now();
  const light = await runFiles(
    files.filter((name) => !isHeavy(name)),
    TOGETHER,
  );
  const heavy = await runFiles(files.filter(isHeavy), 1);
  for (const count of COUNTS)
    console.log(`# ${count} ${[...light, ...heavy].reduce((sum, each) => sum + each[count], 0)}`);
  console.log(`# duration_ms ${Math.round(performance.now() - begin)}`);
}

main();
