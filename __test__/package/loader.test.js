'use strict';

/** What the loader says when it has nothing to load, on whatever platform. */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, it } = require('node:test');
const { ROOT, platforms, thisPlatform } = require('../../scripts/packages');
const { LIMIT } = require('../support/limits');

const OVERRIDE = 'NAPI_RS_NATIVE_LIBRARY_PATH';
const BINARY = `lib/native/socket-io-redis-native.${thisPlatform()}.node`;
const FILES = ['lib/backplane/binding.js', 'lib/backplane/keep-socket.io-redis-native-external.js'];
/** The loader with this platform's binary alone, whatever has been built or fetched in the checkout. */
const DIR = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'sio-redis-loader-')));

before(() => {
  for (const file of [...FILES, BINARY]) {
    fs.mkdirSync(path.dirname(path.join(DIR, file)), { recursive: true });
    fs.copyFileSync(path.join(ROOT, file), path.join(DIR, file));
  }
});
after(() => fs.rmSync(DIR, { recursive: true }));

/** Runs in a process of its own, which pretends to be another platform. */
function probe() {
  const { platform, arch, ldd, exe } = JSON.parse(process.argv[1]);
  const { openSync, readFileSync } = fs;
  const report = /** @type {any} */ (process.report);
  const { getReport } = report;
  /** Whether each report left the network out. @type {boolean[]} */
  const reports = [];
  report.getReport = () => {
    reports.push(report.excludeNetwork);
    return getReport();
  };
  fs.openSync = (file, ...rest) => openSync(file === process.execPath && exe !== undefined ? exe : file, ...rest);
  Object.defineProperty(process, 'platform', { value: platform ?? process.platform });
  Object.defineProperty(process, 'arch', { value: arch ?? process.arch });
  fs.readFileSync = /** @type {any} */ (
    (/** @type {string} */ file, /** @type {any} */ ...rest) => {
      if (file !== '/usr/bin/ldd' || ldd === undefined) return readFileSync(file, ...rest);
      if (ldd === null) throw new Error('no such file');
      return ldd;
    }
  );
  let result;
  try {
    result = {
      loaded: Object.keys(require('./lib/backplane/binding')),
      reports,
      excludeNetwork: report.excludeNetwork,
    };
  } catch (error) {
    const { message, code, cause, ...rest } = /** @type {any} */ (error);
    result = { message, code, platform: rest.platform, package: rest.package, cause: cause?.message, reports };
  }
  process.stdout.write(JSON.stringify(result));
}

/** @param {object} pretended @param {Record<string, string>} [env] @returns {any} */
function load(pretended, env = {}) {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['-e', `const fs = require('fs');(${probe})()`, JSON.stringify(pretended)],
    {
      cwd: DIR,
      encoding: 'utf8',
      env: { ...process.env, [OVERRIDE]: '', ...env },
    },
  );
  assert.ok(stdout, stderr);
  return JSON.parse(stdout);
}

describe('the loader', LIMIT, () => {
  for (const name of platforms().filter((each) => each !== thisPlatform())) {
    it(`on ${name}, without its package, names it and says what to do`, () => {
      const [platform, arch, abi] = name.split('-');
      const error = load({ platform, arch, ldd: abi === 'musl' ? 'musl libc' : 'GLIBC' });
      assert.equal(error.code, 'ERR_NATIVE_MISSING');
      assert.equal(error.platform, name);
      assert.equal(error.package, `socket.io-redis-native-${name}`);
      assert.match(error.message, new RegExp(`^The package socket\\.io-redis-native-${name} is not installed`));
      for (const advice of [
        '--omit=optional',
        'npm install',
        'Rust',
        OVERRIDE,
        'keep socket.io-redis-native external',
        platforms()[0],
      ])
        assert.ok(error.message.includes(advice), advice);
      assert.doesNotMatch(error.message, /bug/i);
      assert.match(error.cause, /Cannot find module/);
    });
  }

  it('on a platform without a package says so, and for which there are some', () => {
    const error = load({ platform: 'freebsd', arch: 'riscv64' });
    assert.equal(error.code, 'ERR_NATIVE_MISSING');
    assert.equal(error.package, null);
    assert.match(error.message, /no native part for this platform, freebsd-riscv64/);
    for (const name of [...platforms(), 'Rust']) assert.ok(error.message.includes(name), name);
  });

  it('tells glibc from musl without /usr/bin/ldd', { skip: process.platform !== 'linux' }, () => {
    const { loaded, reports } = load({ ldd: null });
    assert.deepEqual([loaded, reports], [load({}).loaded, []]);
    const loader = path.join(DIR, 'program');
    for (const [name, libc] of [
      ['/lib/ld-musl-x86_64.so.1', 'musl'],
      ['/nix/store/glibc-2.40/lib/ld-linux-x86-64.so.2', 'gnu'],
    ]) {
      fs.writeFileSync(loader, `\x7fELF ${name}\0`);
      assert.equal(load({ ldd: null, exe: loader, arch: 'riscv64' }).platform, `linux-riscv64-${libc}`);
    }
  });

  it('asks no DNS for the names of open connections', { skip: process.platform !== 'linux' }, () => {
    // Node asks when it makes a report, the last resort.
    const { loaded, reports, excludeNetwork } = load({ ldd: null, exe: path.join(DIR, 'missing') });
    assert.deepEqual(loaded, load({}).loaded);
    const supported = /** @type {any} */ (process.report).excludeNetwork;
    assert.deepEqual([reports, excludeNetwork], supported === undefined ? [[], undefined] : [[true], supported]);
  });
});

describe(OVERRIDE, LIMIT, () => {
  it('names the file to load, from the working directory', () => {
    for (const file of [path.join(DIR, BINARY), BINARY]) {
      assert.ok(load({ platform: 'freebsd' }, { [OVERRIDE]: file }).loaded.includes('NativeBackplane'), file);
    }
  });

  it('and nothing else is loaded when that is missing or broken', () => {
    const broken = path.join(DIR, 'broken.node');
    fs.writeFileSync(broken, 'not a library');
    for (const file of [broken, path.join(DIR, 'missing.node')]) {
      const error = load({}, { [OVERRIDE]: file });
      assert.equal(error.code, 'ERR_NATIVE_LOAD');
      assert.ok(error.message.includes(file) && error.message.includes('Rust'), error.message);
      assert.ok(error.cause);
    }
  });
});

it('a binary that is there and broken is not said to be missing', LIMIT, () => {
  const [name] = platforms().filter((each) => each !== thisPlatform());
  const [platform, arch, abi] = name.split('-');
  fs.writeFileSync(path.join(DIR, `lib/native/socket-io-redis-native.${name}.node`), 'not a library');
  const error = load({ platform, arch, ldd: abi });
  assert.equal(error.code, 'ERR_NATIVE_LOAD');
  assert.ok(error.message.includes(name) && error.message.includes('again where the app runs'), error.message);
});
