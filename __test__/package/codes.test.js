'use strict';

/** Every code of an error or a warning is told to the users. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const { ROOT } = require('../../scripts/packages');
const { LIMIT } = require('../support/limits');

const CODE = /\b(?:ERR|WARN)_[A-Z][A-Z_]*[A-Z]\b/g;
/** Where each code has to be. */
const DOCUMENTS = ['README.md', 'index.d.ts'];

/** @param {string} file @returns {string[]} */
const codesIn = (file) => fs.readFileSync(file, 'utf8').match(CODE) ?? [];

/** @param {string} dir @param {RegExp} name */
function filesIn(dir, name) {
  const all = /** @type {string[]} */ (fs.readdirSync(path.join(ROOT, dir), { recursive: true }));
  return all.filter((file) => name.test(file)).map((file) => path.join(ROOT, dir, file));
}

describe('the codes of errors', LIMIT, () => {
  const sources = [...filesIn('lib', /^(?!native).*\.js$/), ...filesIn('src', /\.rs$/)];
  const codes = [...new Set(sources.flatMap(codesIn))].sort();

  it('are found', () => {
    for (const code of ['ERR_SOCKET_IO_MISSING', 'ERR_CONNECT', 'WARN_PASSWORD_UNUSED'])
      assert.ok(codes.includes(code));
  });

  for (const document of DOCUMENTS) {
    it(`are all in ${document}`, () => {
      const told = new Set(codesIn(path.join(ROOT, document)));
      assert.deepEqual(
        codes.filter((code) => !told.has(code)),
        [],
      );
    });
  }
});
