'use strict';

/** The figures that stand in the pages are those of the last results. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const { page } = require('../../bench/faults/summary');
const { ROWS, pages } = require('../../bench/pages');
const { ROOT } = require('../../scripts/packages');
const { LIMIT } = require('../support/limits');

describe('the tables of figures', LIMIT, () => {
  for (const [command, all] of /** @type {[string, [string, string][]][]} */ ([
    ['node bench/pages.js', pages()],
    ['node bench/faults/summary.js', [page()]],
  ]))
    for (const [file, content] of all)
      it(`are up to date in ${path.relative(ROOT, file)}: ${command}`, () => {
        assert.equal(fs.readFileSync(file, 'utf8'), content);
      });

  it('are short in README', () => assert.ok(ROWS.length <= 8));
});
