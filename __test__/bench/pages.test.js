'use strict';

/** The figures that stand in the pages are those of the last results. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const { ROWS, pages } = require('../../bench/pages');
const { LIMIT } = require('../support/limits');

describe('the tables of the bench', LIMIT, () => {
  for (const [file, content] of pages())
    it(`are up to date in ${path.basename(path.dirname(file))}/${path.basename(file)}: node bench/pages.js`, () => {
      assert.equal(fs.readFileSync(file, 'utf8'), content);
    });

  it('are short in README', () => assert.ok(ROWS.length <= 8));
});
