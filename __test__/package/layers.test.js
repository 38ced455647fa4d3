'use strict';

/** The lint rules that keep the layers of lib/ apart, and out of the reach of fake timers. */

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
  ['websocket', '../backplane/turns'],
  ['websocket', './sockets'],
  ['store', '../backplane'],
  ['store', 'node:events'],
  ['adapter', '../backplane/inbox'],
  ['adapter', '../websocket/web-socket'],
  ['adapter', './exit'],
  ['adapter', './wire/classic'],
  ['emitter', '../adapter/wire/classic'],
  ['emitter', '../backplane'],
  ['adapter/wire', '../channels'],
  ['adapter/wire', '../types'],
  ['adapter/wire', '../../values'],
];
const REFUSED = [
  ['.', './endpoint'],
  ['endpoint', '../backplane'],
  ['endpoint', './../backplane'],
  ['backplane', '../store/dispatch'],
  ['backplane', '../adapter'],
  ['backplane', '../websocket'],
  ['websocket', '../adapter'],
  ['websocket', '../endpoint/url'],
  ['store', '../adapter'],
  ['store', '../../index'],
  ['adapter', '../store/options'],
  ['adapter', '../emitter'],
  ['emitter', '../store/options'],
  ['emitter', '../websocket/sockets'],
  ['adapter/wire', '../cluster'],
  ['adapter/wire', '../../backplane/binding'],
];

/** What fake timers replace, and the rule that finds it. */
const FAKED = [
  ['setTimeout(() => {}, 1)', 'no-restricted-globals'],
  ['clearInterval(1)', 'no-restricted-globals'],
  ['setImmediate(() => {})', 'no-restricted-globals'],
  ['queueMicrotask(() => {})', 'no-restricted-globals'],
  ['performance.now()', 'no-restricted-globals'],
  ['Date.now()', 'no-restricted-properties'],
  ['process.nextTick(() => {})', 'no-restricted-properties'],
  ["require('node:timers')", 'no-restricted-modules'],
  ["require('timers/promises')", 'no-restricted-modules'],
  ["require('node:perf_hooks')", 'no-restricted-modules'],
];

/**
 * Which rules a module of a layer breaks.
 * @param {string} layer
 * @param {string} expression what it exports
 */
async function broken(layer, expression) {
  const [result] = await new ESLint({ cwd: ROOT }).lintText(`'use strict';\n\nmodule.exports = ${expression};\n`, {
    filePath: path.join(ROOT, 'lib', layer, 'new.js'),
  });
  return result.messages.map(({ ruleId }) => ruleId);
}

/** @param {string} layer @param {string} required */
const lint = (layer, required) => broken(layer, `require('${required}')`);

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

describe('a timer that can be faked', LIMIT, () => {
  for (const [expression, rule] of FAKED) {
    it(`is refused: ${expression}`, async () => assert.deepEqual(await broken('adapter', expression), [rule]));
  }
  it('is taken from lib/timers.js', async () => assert.deepEqual(await lint('adapter', '../timers'), []));
});
