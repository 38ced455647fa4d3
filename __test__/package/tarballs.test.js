'use strict';

/** What is in the packages, and that all that is said of platforms is the same everywhere. */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { before, describe, it } = require('node:test');
const root = require('../../package.json');
const { GENERATED, ROOT, npm, platforms, thisPlatform } = require('../../scripts/packages');
const { TARGETS } = require('../../scripts/third-party');
const { packLocal } = require('./support');
const { LIMIT } = require('../support/limits');

const MAX_BINARY = 5 * 1024 * 1024;
/** Beside the face in lib/: what npm always adds, and what the package exports. */
const MAIN = ['LICENSE', 'README.md', 'index.d.mts', 'index.d.ts', 'index.js', 'package.json'];
/** @param {string} tarball @param {string} file @returns {string} */
function textIn(tarball, file) {
  return spawnSync('tar', ['-xOzf', tarball, `package/${file}`], { encoding: 'utf8', maxBuffer: 1 << 28 }).stdout;
}

/** @param {string} tarball @returns {any} its package.json */
const manifestIn = (tarball) => JSON.parse(textIn(tarball, 'package.json'));

/** @param {Buffer} elf a 64-bit library @returns {boolean} whether it has a section of the type SHT_SYMTAB */
function hasSymbolTable(elf) {
  const table = Number(elf.readBigUInt64LE(0x28));
  const [size, count] = [elf.readUInt16LE(0x3a), elf.readUInt16LE(0x3c)];
  return Array.from({ length: count }, (_, i) => elf.readUInt32LE(table + i * size + 4)).includes(2);
}

/** @returns {string[]} the files of lib/, without what is generated */
function face() {
  const all = /** @type {string[]} */ (fs.readdirSync(path.join(ROOT, 'lib'), { recursive: true }));
  return all
    .map((file) => `lib/${file.split(path.sep).join('/')}`)
    .filter((file) => /\.js$/.test(file) && !file.startsWith('lib/native/'));
}

describe('the tarballs', LIMIT, () => {
  /** @type {ReturnType<typeof packLocal>} */
  let packed;
  before(() => {
    packed = packLocal();
  });

  it('main: the face, no binary, nothing of the development', (t) => {
    assert.deepEqual(packed.main.files, [...MAIN, ...face()].sort());
    t.diagnostic(`main: ${packed.main.size} bytes, unpacked ${packed.main.unpackedSize}`);
  });

  it('main: its package.json lists every platform at its own version, and one package more to install', () => {
    const json = manifestIn(packed.main.tarball);
    const expected = Object.fromEntries(platforms().map((name) => [`${root.name}-${name}`, root.version]));
    assert.deepEqual(json.optionalDependencies, expected);
    assert.deepEqual(Object.keys(json.dependencies), ['notepack.io']);
    for (const key of ['devDependencies', 'scripts', 'overrides', 'napi']) assert.equal(json[key], undefined, key);
    assert.deepEqual(json.exports, root.exports);
  });

  it('main: it stands beside Socket.IO 0.9 or 4, and needs neither', () => {
    const json = manifestIn(packed.main.tarball);
    assert.deepEqual(json.peerDependencies, { 'socket.io': '^0.9.19 || ^4.3.1', 'socket.io-adapter': '^2.3.3' });
    const optional = Object.fromEntries(Object.keys(json.peerDependencies).map((name) => [name, { optional: true }]));
    assert.deepEqual(json.peerDependenciesMeta, optional);
  });

  it('the checkout itself lists none, or npm ci would look for what is not published', () => {
    assert.equal(/** @type {any} */ (root).optionalDependencies, undefined);
  });

  it('bring nothing but MIT', () => {
    // What is installed without devDependencies, the checkout itself first.
    const installed = JSON.parse(npm(['query', '.prod'], ROOT)).map(({ name, license }) => `${name} ${license}`);
    assert.deepEqual(installed, [`${root.name} MIT`, 'notepack.io MIT']);
    assert.equal(manifestIn(packed.platform.tarball).dependencies, undefined);
  });

  it("both name one repository: the one that builds them, else the checkout's", () => {
    const [main, platform] = [packed.main, packed.platform].map(({ tarball }) => manifestIn(tarball).repository);
    const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: built } = process.env;
    const url = built ? `git+${server}/${built}.git` : /** @type {any} */ (root).repository.url;
    assert.deepEqual([main, platform], Array(2).fill({ type: 'git', url }));
  });

  it('platform: the binary, its licences, and what npm adds; stripped and small', (t) => {
    const { main } = manifestIn(packed.platform.tarball);
    const files = ['LICENSE', 'README.md', 'package.json', main, ...Object.values(GENERATED)];
    assert.deepEqual(packed.platform.files, files.sort());
    const binary = path.join(ROOT, 'lib/native', main);
    const { size } = fs.statSync(binary);
    assert.ok(size < MAX_BINARY, `${size} bytes`);
    if (process.platform === 'linux') assert.ok(!hasSymbolTable(fs.readFileSync(binary)), 'not stripped');
    t.diagnostic(`platform: ${packed.platform.size} bytes; its binary: ${size}`);
  });
});

describe('the platforms', LIMIT, () => {
  it('are the same in npm/, in napi.targets and in the loader', () => {
    assert.deepEqual(Object.keys(TARGETS).sort(), platforms());
    assert.deepEqual(
      platforms()
        .map((platform) => TARGETS[platform])
        .sort(),
      [...root.napi.targets].sort(),
    );
    const source = fs.readFileSync(path.join(ROOT, 'lib/backplane/binding.js'), 'utf8');
    const [, list] = /** @type {RegExpMatchArray} */ (source.match(/PLATFORMS = \[([^\]]*)\]/));
    assert.deepEqual([...list.matchAll(/'([^']+)'/g)].map(([, name]) => name).sort(), platforms());
    const table = path.join(ROOT, 'lib/backplane/keep-socket.io-redis-native-external.js');
    const literals = [
      ...fs.readFileSync(table, 'utf8').matchAll(/case '(.*)':\s+return [^;]*require\('(.*)' \+ '(.*)'\)/g),
    ];
    assert.deepEqual(
      literals.map(([, name, ...required]) => [name, required.join('')]).sort(),
      platforms().map((name) => [name, `${root.name}-${name}`]),
    );
    assert.ok(platforms().includes(thisPlatform()));
  });

  for (const platform of platforms()) {
    it(`npm/${platform} says for what it is`, () => {
      const json = require(`../../npm/${platform}/package.json`);
      const [os, cpu, abi] = platform.split('-');
      const libc = { gnu: ['glibc'], musl: ['musl'] }[abi];
      const binary = `${root.napi.binaryName}.${platform}.node`;
      const { name, version, main, files, engines, license } = json;
      assert.deepEqual(
        { name, version, main, files, engines, license, os: json.os, cpu: json.cpu, libc: json.libc },
        {
          name: `${root.name}-${platform}`,
          version: root.version,
          main: binary,
          files: [binary],
          engines: root.engines,
          license: root.license,
          os: [os],
          cpu: [cpu],
          libc,
        },
      );
      assert.deepEqual(fs.readdirSync(path.join(ROOT, 'npm', platform)).sort(), ['README.md', 'package.json']);
    });
  }

  it('say which Rust is needed as Cargo.toml does', () => {
    const cargo = fs.readFileSync(path.join(ROOT, 'Cargo.toml'), 'utf8');
    const [, version] = /** @type {RegExpMatchArray} */ (cargo.match(/^rust-version = "(.*)"/m));
    assert.ok(
      fs.readFileSync(path.join(ROOT, 'lib/backplane/binding.js'), 'utf8').includes(`Rust ${version} or later`),
    );
  });
});
