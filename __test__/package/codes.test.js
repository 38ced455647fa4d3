'use strict';

/** Every code of an error or a warning is told to the users. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const { ROOT } = require('../../scripts/packages');
const { LIMIT } = require('../support/limits');

const CODE = /\b(?:ERR|WARN)_[A-Z][A-Z_]*[A-Z]\b/g;
/** Where each code has to be: in one of the pages, and in the types. @type {Record<string, string[]>} */
const DOCUMENTS = { 'the pages': ['README.md', ...pagesIn('docs')], 'index.d.ts': ['index.d.ts'] };

/** @param {string} file @returns {string[]} */
const codesIn = (file) => fs.readFileSync(file, 'utf8').match(CODE) ?? [];

/** What is written by hand; the API page is made of the types. @param {string} dir */
function pagesIn(dir) {
  const all = fs.readdirSync(path.join(ROOT, dir)).filter((name) => name.endsWith('.md'));
  return all.map((name) => path.join(dir, name));
}

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

  for (const [name, documents] of Object.entries(DOCUMENTS)) {
    it(`are all in ${name}`, () => {
      const told = new Set(documents.flatMap((document) => codesIn(path.join(ROOT, document))));
      assert.deepEqual(
        codes.filter((code) => !told.has(code)),
        [],
      );
    });
  }
});
