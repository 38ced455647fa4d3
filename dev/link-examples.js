#!/usr/bin/env node
'use strict';

/**
 * Has the examples run in this checkout, as `node examples/adapter-cluster`: gives each a `node_modules` of links to
 * what is installed here. That is this package itself, and the version of each package that the example asks for; here
 * most have another name, such as `socket.io-4`. `npm run build` does this too.
 */

const fs = require('node:fs');
const path = require('node:path');
const semver = require('semver');

const ROOT = path.join(__dirname, '..');
const EXAMPLES = path.join(ROOT, 'examples');
const INSTALLED = path.join(ROOT, 'node_modules');

/** @param {string} folder @returns {any} its package.json */
const manifest = (folder) => JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));

/** @returns {string[]} the folders of all examples */
function examples() {
  return fs
    .readdirSync(EXAMPLES, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && fs.existsSync(path.join(EXAMPLES, entry.name, 'package.json')))
    .map(({ name }) => path.join(EXAMPLES, name));
}

/**
 * Where the package is that a user would get: the newest that is installed here, under whatever name.
 * @param {string} name
 * @param {string} range
 * @returns {string | undefined} its folder
 */
function find(name, range) {
  const own = manifest(ROOT);
  const folders = name === own.name ? [ROOT] : [name, ...aliases(name)].map((each) => path.join(INSTALLED, each));
  const fitting = folders
    .filter((folder) => fs.existsSync(path.join(folder, 'package.json')))
    .filter((folder) => semver.satisfies(manifest(folder).version, range));
  return fitting.sort((a, b) => semver.rcompare(manifest(a).version, manifest(b).version))[0];
}

/** @param {string} name @returns {string[]} its other names here */
function aliases(name) {
  const wanted = Object.entries(manifest(ROOT).devDependencies);
  return wanted.filter(([, range]) => String(range).startsWith(`npm:${name}@`)).map(([alias]) => alias);
}

/**
 * Gives an example what its package.json asks for.
 * @param {string} folder
 * @returns {string[]} what is not installed here, as `name@range`
 */
function link(folder) {
  const modules = path.join(folder, 'node_modules');
  const missing = [];
  for (const [name, range] of Object.entries(manifest(folder).dependencies)) {
    const found = find(name, range);
    const at = path.join(modules, name);
    fs.rmSync(at, { recursive: true, force: true }); // of a link only the link
    fs.mkdirSync(path.dirname(at), { recursive: true });
    if (found) fs.symlinkSync(found, at, 'junction');
    else missing.push(`${name}@${range}`);
  }
  return missing;
}

module.exports = { EXAMPLES, examples, link, manifest };

if (require.main === module) {
  for (const folder of examples()) {
    const missing = link(folder);
    if (missing.length > 0)
      console.error(
        `examples/${path.basename(folder)} does not run here: add ${missing.join(', ')} to devDependencies.`,
      );
  }
}
