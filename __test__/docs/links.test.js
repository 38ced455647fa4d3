'use strict';

/** Every link of the pages to a file or a heading of this project leads somewhere. Others' pages are not asked. */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { LIMIT } = require('../support/limits.js');
const { ROOT, pages } = require('./markdown.js');

const REMARK = path.join(ROOT, 'node_modules/remark-cli/cli.js');

/** @param {string[]} files @returns {string[]} the links that lead nowhere */
function broken(files) {
  const flags = ['--rc-path', '.remarkrc.json', '--frail', '--quiet', '--no-stdout', '--no-color'];
  const { status, stderr } = spawnSync(process.execPath, [REMARK, ...flags, ...files], { cwd: ROOT, encoding: 'utf8' });
  const warnings = stderr.match(/^.*\bremark-validate-links:.*$/gm) ?? [];
  if (status !== 0 && warnings.length === 0) throw new Error(stderr);
  return warnings;
}

test('every link leads somewhere', LIMIT, () => assert.deepEqual(broken(pages()), []));

test('a link that leads nowhere is found', LIMIT, (t) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sio-redis-links-'));
  t.after(() => fs.rmSync(dir, { recursive: true }));
  const page = path.join(dir, 'page.md');
  fs.writeFileSync(
    page,
    '# Here\n\n[a](#here) [b](#there) [c](other.md#other) [d](other.md#nowhere) [e](nothing.md)\n',
  );
  fs.writeFileSync(path.join(dir, 'other.md'), '# Other\n');
  const found = broken([page]);
  assert.deepEqual(
    found.map((warning) => /`(.*?)`/.exec(warning)?.[1]),
    ['#there', '#nowhere', 'nothing.md'],
    found.join('\n'),
  );
});
