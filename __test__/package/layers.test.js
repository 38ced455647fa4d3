'use strict';

/** The lint rule that keeps the layers of lib/ apart. */

const assert = require('node:assert/strict');
const path = require('node:path');
const { describe, it } = require('node:test');
const { ESLint } = require('eslint');
const { LIMIT } = require('../support/limits');

const ROOT = path.join(__dirname, '../..');
const ALLOWED = [
  ['endpoint', '../errors'],
  ['endpoint', './tls'],
  ['backplane', '../endpoint/end'],
  ['backplane', '../values'],
  ['store', '../backplane'],
  ['store', 'node:events'],
  ['adapter', '../backplane/inbox'],
  ['adapter', './exit'],
  ['adapter', './wire/classic'],
  ['adapter/wire', '../types'],
  ['adapter/wire', '../../values'],
];
const REFUSED = [
  ['.', './endpoint'],
  ['endpoint', '../backplane'],
  ['endpoint', './../backplane'],
  ['backplane', '../store/dispatch'],
  ['backplane', '../adapter'],
  ['store', '../adapter'],
  ['store', '../../index'],
  ['adapter', '../store/options'],
  ['adapter/wire', '../cluster'],
  ['adapter/wire', '../../backplane/binding'],
];

/** How the rule answers to a module of a layer that requires another. */
async function lint(layer, required) {
  const [result] = await new ESLint({ cwd: ROOT }).lintText(
    `'use strict';\n\nmodule.exports = require('${required}');\n`,
    { filePath: path.join(ROOT, 'lib', layer, 'new.js') },
  );
  return result.messages.map(({ ruleId }) => ruleId);
}

describe('the layers of lib/', LIMIT, () => {
  for (const [layer, required] of ALLOWED) {
    it(`${layer} may require ${required}`, async () => assert.deepEqual(await lint(layer, required), []));
  }
  for (const [layer, required] of REFUSED) {
    it(`${layer} may not require ${required}`, async () => {
      assert.deepEqual(await lint(layer, required), ['no-restricted-syntax']);
    });
  }
});
