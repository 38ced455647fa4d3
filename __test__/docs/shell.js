'use strict';

/** Whether the commands that the pages show can be given. Those of README are: by follow.js. */

const fs = require('node:fs');
const path = require('node:path');
const { parse } = require('shell-quote');
const { ROOT } = require('./markdown.js');

/** npm's own commands that the pages use. */
const NPM = /^(ci|install|start|test|uninstall|ls|view)$/;
/** Programs that a reader has, or is told to install. */
const PROGRAMS = /^(cargo|cd|curl|docker|git|pip|python3|redis-cli|redis-server|rustup|openssl|apt-get|brew)$/;

/** @param {string} text @returns {string[][]} the words of each command, without the variables before it */
function commands(text) {
  const lines = text.replace(/\\\n\s*/g, ' ').split('\n');
  const all = lines.flatMap((line) => {
    /** @type {string[][]} */
    const found = [[]];
    for (const part of parse(line, (name) => `$${name}`)) {
      if (typeof part === 'string') found.at(-1)?.push(part);
      else if ('pattern' in part) found.at(-1)?.push(part.pattern);
      else if ('op' in part) found.push([]);
    }
    return found;
  });
  const isVariable = (/** @type {string} */ word) => /^\w+=/.test(word);
  return all
    .map((words) => words.slice(words.findIndex((word) => !isVariable(word))))
    .filter(({ length }) => length > 0);
}

/** @param {string} folder @returns {Record<string, string>} the scripts of its package.json */
function scriptsOf(folder) {
  const file = path.join(folder, 'package.json');
  return fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')).scripts ?? {}) : {};
}

/**
 * @param {string[]} words of a command
 * @param {string} page from the root
 * @returns {string | undefined} what is wrong with it
 */
function wrong([program, ...words], page) {
  const [first, second] = words.filter((word) => !word.startsWith('-'));
  if (program === 'npm' && first === 'run')
    return second && second in scriptsOf(ROOT) ? undefined : `npm has no script ${second}`;
  if (program === 'npm') return NPM.test(first) ? undefined : `npm ${first} is not known here`;
  if (program === 'npx')
    return fs.existsSync(path.join(ROOT, 'node_modules/.bin', first)) ? undefined : `npx ${first} is not installed`;
  if (program === 'node') {
    if (words[0] === '-e' || words[0] === '-p') return undefined;
    const places = [ROOT, path.join(ROOT, path.dirname(page))].map((folder) => path.join(folder, first));
    return places.some((place) => fs.existsSync(place)) ? undefined : `there is no ${first}`;
  }
  if (program.includes('/') && fs.existsSync(path.join(ROOT, program))) return undefined;
  return PROGRAMS.test(path.basename(program)) ? undefined : `${program} is not known here`;
}

/**
 * @param {import('./markdown.js').Block} block
 * @returns {string[]} what is wrong with it
 */
function faults({ text, file }) {
  return commands(text)
    .map((words) => wrong(words, file))
    .filter((fault) => fault !== undefined);
}

module.exports = { commands, faults };
