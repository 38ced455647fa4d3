'use strict';

/**
 * What is in a platform's binary beside this package's own code: the crates that are linked into it, with
 * their licences, as a text to go with it and as a CycloneDX list. Both are the same bytes each time.
 *
 * Cargo says which crates these are; the texts are in the crates. Cargo is needed, and what it has not fetched
 * yet it fetches.
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const root = require('../package.json');

const ROOT = path.join(__dirname, '..');
/** Cargo's names of the platforms, from npm's. @type {Record<string, string>} */
const TARGETS = {
  'linux-x64-gnu': 'x86_64-unknown-linux-gnu',
  'linux-x64-musl': 'x86_64-unknown-linux-musl',
  'linux-arm64-gnu': 'aarch64-unknown-linux-gnu',
  'linux-arm64-musl': 'aarch64-unknown-linux-musl',
  'darwin-x64': 'x86_64-apple-darwin',
  'darwin-arm64': 'aarch64-apple-darwin',
  'win32-x64-msvc': 'x86_64-pc-windows-msvc',
};
const IS_LICENCE = /^(licen[cs]e|copying|copyright|notice|unlicense)/i;
/** For a crate without a text of its own; others than these would have to be added here. */
const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`;

/**
 * @typedef {object} Crate
 * @property {string} name
 * @property {string} version
 * @property {string} licence an SPDX expression
 * @property {string | null} sha256 of the crate as it was fetched
 * @property {string} text its licence, with who has the copyright
 * @property {string[]} uses `name@version` of those that it uses itself
 */

/** @param {string} platform @returns {any} what Cargo knows of the crates there */
function metadata(platform) {
  const args = ['metadata', '--format-version', '1', '--locked', '--filter-platform', TARGETS[platform]];
  const { status, stdout, stderr, error } = spawnSync('cargo', args, {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`cargo ${args.join(' ')} failed:\n${error ?? stderr}`);
  return JSON.parse(stdout);
}

/** @returns {Map<string, string>} the SHA-256 of each crate, by `name@version` */
function checksums() {
  const lock = fs.readFileSync(path.join(ROOT, 'Cargo.lock'), 'utf8');
  const entries = lock.matchAll(/name = "(.*)"\nversion = "(.*)"\nsource = ".*"\nchecksum = "(.*)"/g);
  return new Map([...entries].map(([, name, version, sha256]) => [`${name}@${version}`, sha256]));
}

/** @param {any} crate of Cargo's metadata @returns {string} */
function licenceText(crate) {
  const folder = path.dirname(crate.manifest_path);
  const all = fs.readdirSync(folder).filter((file) => IS_LICENCE.test(file) && !file.endsWith('.rs'));
  // Where one may choose, this is the shortest, and that of this package.
  const isChoice = /\bMIT\b/.test(crate.license) && !/\b(AND|WITH)\b/.test(crate.license);
  const files =
    isChoice && all.some((file) => /mit/i.test(file)) ? all.filter((file) => !/apache|zlib/i.test(file)) : all;
  const texts = files
    .map((file) => path.join(folder, file))
    .filter((file) => fs.statSync(file).isFile())
    .sort()
    .map((file) => fs.readFileSync(file, 'utf8').replace(/\r\n/g, '\n').trim());
  if (texts.length > 0) return `${texts.join('\n\n')}\n`;
  if (!/\bMIT\b/.test(crate.license ?? '')) throw new Error(`The crate ${crate.name} has no text of its licence.`);
  return `Copyright (c) ${crate.authors.join(', ') || `the authors of ${crate.name}`}\n\n${MIT}`;
}

/** @param {any} crate */
const runsInCompiler = (crate) => crate.targets.some((/** @type {any} */ { kind }) => kind.includes('proc-macro'));

/**
 * @param {string} platform as in `npm/`
 * @returns {Crate[]} the crates in its binary: not those that only the build, the tests or the compiler run
 */
function crates(platform) {
  const { packages, resolve } = metadata(platform);
  const byId = new Map(packages.map((/** @type {any} */ crate) => [crate.id, crate]));
  const nodes = new Map(resolve.nodes.map((/** @type {any} */ node) => [node.id, node]));
  const linked = (/** @type {string} */ id) =>
    /** @type {any} */ (nodes.get(id)).deps
      .filter((/** @type {any} */ dep) => dep.dep_kinds.some((/** @type {any} */ { kind }) => kind === null))
      .map((/** @type {any} */ { pkg }) => pkg)
      .filter((/** @type {string} */ each) => !runsInCompiler(byId.get(each)));
  const found = new Set(/** @type {string[]} */ (linked(resolve.root)));
  for (const id of found) for (const each of linked(id)) found.add(each);
  const sums = checksums();
  const key = (/** @type {any} */ { name, version }) => `${name}@${version}`;
  return [...found]
    .map((id) => ({ id, crate: /** @type {any} */ (byId.get(id)) }))
    .map(({ id, crate }) => ({
      name: crate.name,
      version: crate.version,
      licence: (crate.license ?? '').replaceAll('/', ' OR '),
      sha256: sums.get(key(crate)) ?? null,
      text: licenceText(crate),
      uses: linked(id)
        .map((/** @type {string} */ each) => key(byId.get(each)))
        .sort(),
    }))
    .sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** @param {Crate[]} linked @returns {string} the notices, each text once, above it the crates that it belongs to */
function notices(linked) {
  /** @type {Map<string, string[]>} */
  const byText = new Map();
  for (const { name, version, licence, text } of linked) {
    byText.set(text, [...(byText.get(text) ?? []), `${name} ${version} (${licence})`]);
  }
  const standard = 'The standard library of Rust (MIT OR Apache-2.0)';
  byText.set(`Copyright (c) The Rust Project Contributors\n\n${MIT}`, [standard]);
  const line = '-'.repeat(80);
  const head = `The binary in this package has parts of the following projects in it.\nThere are ${linked.length} crates, and the standard library of Rust.\n`;
  const sections = [...byText].map(([text, names]) => `${line}\n${names.join('\n')}\n${line}\n\n${text}`);
  return [head, ...sections].join('\n');
}

/**
 * @param {Crate[]} linked
 * @param {string} name of the npm package
 * @returns {string} a bill of materials, CycloneDX 1.5
 */
function billOfMaterials(linked, name) {
  const reference = `pkg:npm/${name}@${root.version}`;
  const purl = (/** @type {string} */ crate) => `pkg:cargo/${crate}`;
  // Neither a serial number nor a time: the same packages are to be the same bytes.
  const bill = {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: {
      component: {
        type: 'library',
        'bom-ref': reference,
        name,
        version: root.version,
        licenses: [{ license: { id: root.license } }],
        purl: reference,
      },
    },
    components: linked.map(({ name: crate, version, licence, sha256 }) => ({
      type: 'library',
      'bom-ref': purl(`${crate}@${version}`),
      name: crate,
      version,
      ...(sha256 && { hashes: [{ alg: 'SHA-256', content: sha256 }] }),
      licenses: [{ expression: licence }],
      purl: purl(`${crate}@${version}`),
    })),
    dependencies: [
      { ref: reference, dependsOn: linked.map(({ name: crate, version }) => purl(`${crate}@${version}`)) },
      ...linked.map(({ name: crate, version, uses }) => ({
        ref: purl(`${crate}@${version}`),
        dependsOn: uses.map(purl),
      })),
    ],
  };
  return `${JSON.stringify(bill, null, 2)}\n`;
}

module.exports = { TARGETS, billOfMaterials, crates, notices };
