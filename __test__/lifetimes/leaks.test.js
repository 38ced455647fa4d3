'use strict';

/** Tests of the store once more, in a process that looks for stores that are left at its end. */

const assert = require('node:assert/strict');
const path = require('node:path');
const { it } = require('node:test');

const { LIMIT } = require('../support/limits.js');
const { run } = require('../support/runtimes.js');

const WATCH = ['--expose-gc', '--require', require.resolve('./watch-stores.js')];

for (const name of ['additions', 'codec-custom', 'parity/pubsub']) {
  it(`no store is left of store/${name}.test.js`, LIMIT, async (t) => {
    const file = path.join(__dirname, '../store', `${name}.test.js`);
    const env = { ...process.env };
    delete env.NODE_TEST_CONTEXT; // it is no file of this run
    const { code, stdout, stderr } = await run(process.execPath, [...WATCH, file], { env, signal: t.signal });
    t.diagnostic(stderr.trim());
    assert.equal(code, 0, stdout + stderr);
    assert.match(stderr, /^\d+ stores, \d+ closed, \d+ not collected$/m);
  });
}
