'use strict';

/** The packages of the platforms say what is in their binaries, and are the same bytes each time. */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, it } = require('node:test');
const root = require('../../package.json');
const { GENERATED, ROOT, buildersPaths, packAll, platforms, thisPlatform } = require('../../scripts/packages');
const { LIMIT } = require('../support/limits');

/** @param {string} tarball @param {string} file @returns {string} */
function textIn(tarball, file) {
  return spawnSync('tar', ['-xOzf', tarball, `package/${file}`], { encoding: 'utf8', maxBuffer: 1 << 28 }).stdout;
}

/** @returns {Map<string, string>} the crates of Cargo.lock with their checksums, by `name@version` */
function locked() {
  const blocks = fs.readFileSync(path.join(ROOT, 'Cargo.lock'), 'utf8').split('[[package]]').slice(1);
  const value = (/** @type {string} */ block, /** @type {string} */ key) => block.match(`${key} = "(.*)"`)?.[1] ?? '';
  return new Map(blocks.map((each) => [`${value(each, 'name')}@${value(each, 'version')}`, value(each, 'checksum')]));
}

describe('the packages of the platforms', LIMIT, () => {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'sio-redis-third-party-'));
  const binaries = path.join(home, 'binaries');
  const own = path.join(ROOT, 'lib/native', `${root.napi.binaryName}.${thisPlatform()}.node`);
  const binaryOf = (/** @type {string} */ platform) => path.join(binaries, `${root.napi.binaryName}.${platform}.node`);
  /** @type {import('../../scripts/packages').Packed[][]} */
  let runs;
  after(() => fs.rmSync(home, { recursive: true, force: true }));
  before(() => {
    fs.mkdirSync(binaries);
    // That of this machine as it was built; the others stand in for what other machines build.
    for (const platform of platforms()) fs.writeFileSync(binaryOf(platform), `the binary for ${platform}`);
    fs.copyFileSync(own, binaryOf(thisPlatform()));
    const first = packAll({ out: path.join(home, 'first'), binaries });
    // What differs from one machine to the next.
    for (const platform of platforms()) {
      fs.chmodSync(binaryOf(platform), 0o755);
      fs.utimesSync(binaryOf(platform), 1, 1);
    }
    const umask = process.umask(0o002);
    const second = packAll({ out: path.join(home, 'second'), binaries });
    process.umask(umask);
    runs = [first, second];
  });

  it('are the same bytes when they are packed again, and so is the main one', () => {
    const [first, second] = runs.map((packed) => packed.map(({ name, integrity }) => `${name} ${integrity}`));
    assert.deepEqual(second, first);
    assert.equal(first.length, platforms().length + 1);
    const [bytes, again] = runs.map((packed) => packed.map(({ tarball }) => fs.readFileSync(tarball)));
    for (const [index, each] of bytes.entries()) assert.ok(each.equals(again[index]), first[index]);
  });

  for (const [index, platform] of platforms().entries()) {
    it(`${platform}: a bill of materials of the crates in it, as Cargo.lock has them`, () => {
      const { tarball, name } = runs[0][index];
      const bill = JSON.parse(textIn(tarball, GENERATED.bill));
      assert.deepEqual([bill.bomFormat, bill.specVersion, bill.version], ['CycloneDX', '1.5', 1]);
      assert.deepEqual(
        [bill.metadata.component.name, bill.metadata.component.version],
        [name, root.version],
        'it is about this package',
      );
      const lock = locked();
      const references = new Set(bill.components.map((/** @type {any} */ each) => each['bom-ref']));
      assert.equal(references.size, bill.components.length);
      for (const { name: crate, version, hashes, licenses } of bill.components) {
        assert.equal(hashes[0].content, lock.get(`${crate}@${version}`), crate);
        assert.match(licenses[0].expression, /^[\w.-]+( (OR|AND) [\w.-]+)*$/, crate);
      }
      for (const { dependsOn } of bill.dependencies) {
        for (const each of dependsOn) assert.ok(references.has(each), each);
      }
      const names = new Set(bill.components.map((/** @type {any} */ each) => each.name));
      for (const linked of ['tokio', 'redis', 'napi', 'rustls', 'ring']) assert.ok(names.has(linked), linked);
      for (const absent of ['criterion', 'loom', 'napi-build', 'serde_derive', 'syn']) {
        assert.ok(!names.has(absent), absent);
      }
      const isWindows = platform.startsWith('win32');
      assert.equal(names.has('windows-sys'), isWindows);
    });

    it(`${platform}: the licence of each of these crates`, () => {
      const { tarball, files } = runs[0][index];
      const text = textIn(tarball, GENERATED.notices);
      for (const { name, version } of JSON.parse(textIn(tarball, GENERATED.bill)).components) {
        assert.ok(text.includes(`\n${name} ${version} (`), name);
      }
      // One sentence of each licence that crates here are under.
      for (const sentence of [
        'Permission is hereby granted, free of charge',
        'Apache License',
        'Redistribution and use in source and binary forms',
        'Permission to use, copy, modify, and/or distribute this software for any',
        'Boost Software License',
        'UNICODE LICENSE V3',
        'The standard library of Rust',
      ]) {
        assert.ok(text.includes(sentence), sentence);
      }
      assert.ok(files.includes('LICENSE'));
    });
  }
});

describe('the release', LIMIT, () => {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'sio-redis-paths-'));
  after(() => fs.rmSync(home, { recursive: true, force: true }));

  /** @param {string} source a path in a binary */
  function pack(source) {
    const binary = path.join(home, `${root.napi.binaryName}.${thisPlatform()}.node`);
    fs.writeFileSync(binary, `\0\u0001${source}\0`, 'latin1');
    const args = [path.join(ROOT, 'scripts/pack-release.js'), home, path.join(home, 'out')];
    return { found: buildersPaths(binary), ...spawnSync(process.execPath, args, { encoding: 'utf8' }) };
  }

  for (const folder of ['/root/', '/home/runner/', '/Users/runner/', 'C:\\Users\\runneradmin\\']) {
    it(`is not packed with a binary that has ${folder} in it`, () => {
      const source = `${folder}.cargo/registry/src/index/tokio-1.0.0/src/lib.rs`;
      const { found, status, stderr } = pack(source);
      assert.deepEqual(found, [source]);
      assert.notEqual(status, 0);
      assert.ok(stderr.includes(`has ${source} in it`), stderr);
    });
  }

  it('may name sources otherwise', () => {
    const { found, stderr } = pack('/cargo/registry/src/index/tokio-1.0.0/src/lib.rs');
    assert.deepEqual(found, []);
    // The other platforms are missing here.
    assert.match(stderr, /is missing: build it first/);
  });

  it('is built with flags that map the folders of Cargo, of Rust and of the checkout', () => {
    const env = { ...process.env, CARGO_HOME: path.resolve('/c'), RUSTUP_HOME: path.resolve('/r') };
    const { stdout } = spawnSync(process.execPath, [path.join(ROOT, 'scripts/rust-flags.js')], {
      encoding: 'utf8',
      env,
    });
    const mapped = { [ROOT]: '.', [env.CARGO_HOME]: '/cargo', [env.RUSTUP_HOME]: '/rustup' };
    assert.deepEqual(
      stdout.trim().split(' '),
      Object.entries(mapped).map(([from, to]) => `--remap-path-prefix=${path.resolve(from)}=${to}`),
    );
  });
});
