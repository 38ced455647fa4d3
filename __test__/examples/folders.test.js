'use strict';

/** Each example is a folder that a user can copy out; and it runs where it is, in this checkout. */

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const { EXAMPLES, examples, manifest } = require('../../dev/link-examples.js');
const { LIMIT } = require('../support/limits.js');
const { hearing, join } = require('./adapter.js');
const { ROOT, redisFor, start } = require('./run.js');

const NAMES = examples().map((folder) => path.basename(folder));

/** @param {string} name @returns {string[]} the files of an example that git has */
function filesOf(name) {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', name], {
    cwd: EXAMPLES,
    encoding: 'utf8',
  });
  return listed.trim().split('\n');
}

describe('examples', LIMIT, () => {
  for (const name of NAMES) {
    it(`${name} asks for what it uses, and reaches for nothing outside`, () => {
      const { private: own, description, type, scripts, dependencies } = manifest(path.join(EXAMPLES, name));
      assert.deepEqual([own, typeof description, typeof scripts.start], [true, 'string', 'string']);
      assert.match(type, /^(module|commonjs)$/);
      const used = new Set();
      for (const file of filesOf(name).filter((each) => /\.[cm]?js$/.test(each))) {
        const text = fs.readFileSync(path.join(EXAMPLES, file), 'utf8');
        assert.doesNotMatch(text, /['"`]\.\.(\/|['"`])/, file);
        for (const [, from] of text.matchAll(/(?:from |import |require\()'([^'.][^']*)'/g))
          if (!from.startsWith('node:')) used.add(/^(@[^/]+\/)?[^/]+/.exec(from)?.[0]);
      }
      const unused = ['@nestjs/platform-express', 'rxjs']; // Nest's, which finds them by itself
      assert.deepEqual(
        Object.keys(dependencies).filter((each) => !unused.includes(each)),
        [...used].sort(),
      );
    });
  }

  it('have one page for each version of Socket.IO', () => {
    for (const version of ['adapter', 'store']) {
      const pages = NAMES.filter((name) => name.startsWith(version))
        .map((name) => path.join(EXAMPLES, name, 'page.html'))
        .filter((file) => fs.existsSync(file));
      assert.equal(new Set(pages.map((file) => fs.readFileSync(file, 'utf8'))).size, 1, pages.join());
    }
  });

  it('stand in README.md, with a line each', () => {
    const text = fs.readFileSync(path.join(EXAMPLES, 'README.md'), 'utf8');
    assert.deepEqual([...text.matchAll(/^\| \[`([^`]+)`\]/gm)].map(([, name]) => name).sort(), [...NAMES].sort());
  });

  it('run in the checkout as `node examples/<name>`', async (t) => {
    execFileSync(process.execPath, [path.join(ROOT, 'dev/link-examples.js')]);
    const redis = await redisFor(t);
    const by = { command: 'node examples/adapter-cluster', cwd: ROOT };
    const cluster = await start(t, 'adapter-cluster', { redis, by });
    await hearing(redis, 1);
    assert.deepEqual(cluster.nodes, [(await join(t, cluster)).node]);
    await start(t, 'store-chat', { redis, by: { command: 'node examples/store-chat', cwd: ROOT } });
  });
});
