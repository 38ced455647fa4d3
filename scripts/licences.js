'use strict';

/**
 * Under which licences this package's users get code of others: `node scripts/licences.js`.
 *
 * On the npm side there must be nothing but our own platform packages and notepack.io. On the Rust side it lists
 * the crates that end up in the binary of one of our platforms, and checks them: by cargo-deny where that
 * is installed, else against the lists in deny.toml.
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.join(__dirname, '..');
const OURS = 'MIT';
const MAX_OUTPUT = 64 * 1024 * 1024;

/** What is installed with the package, and under which licence; peers are the application's own. */
const DEPENDENCIES = new Map([['notepack.io', 'MIT']]);

/** @type {string[]} */
const complaints = [];

/** @param {string} file */
const readJson = (file) => JSON.parse(fs.readFileSync(path.join(ROOT, file), 'utf8'));

/**
 * @param {string[]} args
 * @param {import('node:child_process').StdioOptions} [stdio]
 */
function cargo(args, stdio = ['ignore', 'pipe', 'pipe']) {
  return spawnSync('cargo', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: MAX_OUTPUT, stdio });
}

/**
 * @param {string} file a package.json
 * @param {(name: string) => boolean} isOurs
 */
function checkManifest(file, isOurs) {
  const { license, dependencies, bundleDependencies, bundledDependencies, optionalDependencies } = readJson(file);
  if (license !== OURS) complaints.push(`${file}: its licence is ${license}, not ${OURS}`);
  const others = [dependencies, bundleDependencies, bundledDependencies].flatMap((each) =>
    Array.isArray(each) ? each : Object.keys(each ?? {}));
  others.push(...Object.keys(optionalDependencies ?? {}).filter((name) => !isOurs(name)));
  for (const name of others) if (!DEPENDENCIES.has(name)) complaints.push(`${file}: depends on ${name}`);
}

function checkNpm() {
  const { name } = readJson('package.json');
  const folders = fs.readdirSync(path.join(ROOT, 'npm')).sort();
  const ours = new Set(folders.map((triple) => `${name}-${triple}`));
  checkManifest('package.json', (dependency) => ours.has(dependency));
  for (const triple of folders) checkManifest(path.join('npm', triple, 'package.json'), () => false);
  // What `npm install --omit=dev` would bring, whatever brings it.
  for (const [place, { dev, link, license }] of Object.entries(readJson('package-lock.json').packages)) {
    const installed = place.split('node_modules/').pop() ?? '';
    const known = DEPENDENCIES.has(installed) && DEPENDENCIES.get(installed) === license;
    if (place && !dev && !link && !known && !place.startsWith('npm/') && !ours.has(installed)) {
      complaints.push(`package-lock.json: ${place} is installed without --include=dev`);
    }
  }
  console.log(`npm: ${name} and ${folders.length} platform packages, ${OURS}; no other run-time package`);
}

/**
 * @typedef {{ name: string, version: string, license: string | null, targets: { kind: string[] }[] }} Crate
 * @returns {Crate[]} what is linked into the binary of some platform: no macros, nothing that only builds or tests
 */
function linkedCrates() {
  const platforms = readJson('package.json').napi.targets.flatMap((target) => ['--filter-platform', target]);
  const { status, stdout, stderr, error } = cargo(['metadata', '--format-version', '1', '--locked', ...platforms]);
  if (error ?? status !== 0) throw new Error(`cargo metadata: ${error?.message ?? stderr}`);
  const { packages, resolve } = JSON.parse(stdout);
  const crates = new Map(packages.map((crate) => [crate.id, crate]));
  const dependencies = new Map(resolve.nodes.map(({ id, deps }) => [id, deps]));
  const linked = new Set([resolve.root]);
  for (const id of linked) { // which grows meanwhile
    for (const { pkg, dep_kinds: kinds } of dependencies.get(id)) {
      const isMacro = crates.get(pkg).targets.some(({ kind }) => kind.includes('proc-macro'));
      if (!isMacro && kinds.some(({ kind }) => kind === null)) linked.add(pkg);
    }
  }
  linked.delete(resolve.root);
  return [...linked].map((id) => crates.get(id)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** @param {string} list the inside of a TOML array of strings */
const strings = (list) => [...list.matchAll(/"([^"]+)"/g)].map(([, text]) => text);

/** @returns {(crate: Crate) => Set<string>} the licences that a crate may have */
function readAllowed() {
  const toml = fs.readFileSync(path.join(ROOT, 'deny.toml'), 'utf8');
  const [, general] = /^allow = \[([^\]]*)\]/m.exec(toml) ?? [];
  if (!general) throw new Error('deny.toml: no list `allow`');
  const exceptions = new Map([...toml.matchAll(/crate = "([^"]+)", allow = \[([^\]]*)\]/g)].map(([, crate, list]) =>
    [crate, strings(list)]));
  return ({ name }) => new Set([...strings(general), ...(exceptions.get(name) ?? [])]);
}

/**
 * Of licences joined by AND each must be allowed, of those joined by OR one.
 * @param {string} expression SPDX; `/` is OR, as older crates write it
 * @param {Set<string>} allowed
 * @returns {boolean}
 */
function isAllowed(expression, allowed) {
  const tokens = expression.replaceAll('/', ' OR ').match(/[()]|[^\s()]+/g) ?? [];
  let at = 0;
  const single = () => {
    if (tokens[at] !== '(') return allowed.has(licenceAt());
    at++;
    const value = either();
    at++; // the closing one
    return value;
  };
  const licenceAt = () => {
    const name = tokens[at++];
    if (tokens[at] !== 'WITH') return name;
    at += 2;
    return `${name} WITH ${tokens[at - 1]}`;
  };
  const both = () => {
    let value = single();
    while (tokens[at] === 'AND') { at++; value = single() && value; }
    return value;
  };
  const either = () => {
    let value = both();
    while (tokens[at] === 'OR') { at++; value = both() || value; }
    return value;
  };
  return tokens.length > 0 && either() && at === tokens.length;
}

/** @param {Crate[]} crates */
function checkCrates(crates) {
  if (cargo(['deny', '--version']).status === 0) {
    console.log('cargo deny check licenses bans sources:');
    if (cargo(['deny', '--locked', 'check', 'licenses', 'bans', 'sources'], 'inherit').status !== 0) complaints.push('cargo deny: see above');
    return;
  }
  console.log('cargo-deny is not installed: licences checked against deny.toml here');
  const allowed = readAllowed();
  for (const crate of crates) {
    if (!isAllowed(crate.license ?? '', allowed(crate))) complaints.push(`${crate.name} ${crate.version}: ${crate.license ?? 'no licence named'}`);
  }
}

checkNpm();
const crates = linkedCrates();
for (const { name, version, license } of crates) console.log(`${`${name} ${version}`.padEnd(34)} ${license}`);
console.log(`Rust: ${crates.length} crates in the binary`);
checkCrates(crates);
for (const complaint of complaints) console.error(`not allowed: ${complaint}`);
process.exitCode = complaints.length > 0 ? 1 : 0;
