'use strict';

/** What is said of supported versions is in versions.json, and the same everywhere. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const root = require('../../package.json');
const lock = require('../../package-lock.json');
const versions = require('../../versions.json');
const { SERVERS } = require('../../dev/other-servers');
const { README, matrix, withTable } = require('../../scripts/versions');
const { MAJORS } = require('../support/runtimes');
const { LIMIT } = require('../support/limits');

/** @param {string} name @returns {string} */
const workflow = (name) => fs.readFileSync(path.join(__dirname, '../../.github/workflows', name), 'utf8');

/** @param {string} range @returns {number} */
const major = (range) => Number(/** @type {RegExpMatchArray} */ (range.match(/\d+/))[0]);

/** Which version of a package npm ci installs. @param {string} name */
const installed = (name) => lock.packages[`node_modules/${name}`].version;

/** Whether it is that version, as far as that is said. @param {string} actual @param {string} said */
const isVersion = (actual, said) => `${actual}.`.startsWith(`${said}.`);

describe('the supported versions', LIMIT, () => {
  it("are in README's table; node scripts/versions.js readme writes it", () => {
    const readme = fs.readFileSync(README, 'utf8');
    assert.equal(readme, withTable(readme));
  });

  it('Node: the oldest one is that of engines, and the tests of the runtimes run all', () => {
    assert.equal(root.engines.node, versions.node.engines);
    assert.equal(versions.node.tested[0], major(root.engines.node));
    assert.deepEqual(MAJORS, versions.node.tested);
    assert.deepEqual([...MAJORS].sort(), MAJORS);
  });

  it('Socket.IO: what the tests run with is installed, from the oldest that package.json lets in', () => {
    const tested = versions['socket.io'].map((each) => Object.entries(/** @type {any} */ (each.tested)));
    for (const [name, version] of tested.flat()) {
      assert.ok(isVersion(installed(name), version), `${name} is ${installed(name)}`);
    }
    const all = Object.keys(root.devDependencies).filter((name) => /^socket\.io(-[\d.]+)?$/.test(name));
    assert.deepEqual(tested.flatMap((each) => each.map(([name]) => name)).sort(), all.sort());
    const oldest = tested.map(([[, version]]) => `^${version}`).join(' || ');
    assert.equal(root.peerDependencies['socket.io'], oldest);
  });

  it('Redis and Valkey: each has a job, and can be fetched', () => {
    const servers = [...versions.redis.tested, ...versions.valkey.tested].map(({ server }) => server);
    assert.deepEqual(servers.filter((server) => server !== 'apt').sort(), Object.keys(SERVERS).sort());
    assert.deepEqual(matrix().servers.sort(), Object.keys(SERVERS).sort());
  });

  it('the workflows make their jobs of them', () => {
    const made = { 'ci.yml': ['smoke', 'servers'], 'release.yml': ['node'] };
    assert.deepEqual(Object.values(made).flat().sort(), Object.keys(matrix()).sort());
    for (const [file, names] of Object.entries(made)) {
      const text = workflow(file);
      for (const name of names) {
        assert.ok(text.includes(`${name}: \${{ steps.matrix.outputs.${name} }}`), `${file}: ${name}`);
        assert.ok(text.includes(`: \${{ fromJSON(needs.versions.outputs.${name}) }}`), `${file}: ${name}`);
      }
      assert.doesNotMatch(text, /\bnode: (\[|\d)/, file);
    }
    const nodes = (/** @type {string} */ system) =>
      matrix()
        .smoke.filter(({ runner }) => runner.startsWith(system))
        .map(({ node }) => node);
    assert.deepEqual(nodes('ubuntu'), MAJORS);
    assert.deepEqual(nodes('macos'), [MAJORS[0], MAJORS.at(-1)]);
    assert.deepEqual(nodes('windows'), [MAJORS[0], MAJORS.at(-1)]);
  });
});

describe('the version of the package', LIMIT, () => {
  const text = (/** @type {string} */ file) => fs.readFileSync(path.join(__dirname, '../..', file), 'utf8');

  it('is that of package.json in the lock file and in Cargo', () => {
    const crate = `name = "socket-io-redis-native"\nversion = "${root.version}"\n`;
    assert.equal(lock.version, root.version);
    assert.equal(lock.packages[''].version, root.version);
    for (const file of ['Cargo.toml', 'Cargo.lock', 'fuzz/Cargo.lock']) assert.ok(text(file).includes(crate), file);
  });

  it('has an entry in the changelog, below those without a date', () => {
    const [unreleased, latest] = [...text('CHANGELOG.md').matchAll(/^## (.*)$/gm)].map(([, title]) => title);
    assert.equal(unreleased, 'Unreleased');
    assert.match(latest, /^\d+\.\d+\.\d+\S* - \d{4}-\d\d-\d\d$/);
    assert.equal(latest.split(' ')[0], root.version);
  });
});
