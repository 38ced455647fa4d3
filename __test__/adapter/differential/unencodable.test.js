'use strict';

/** Arguments that cannot be encoded leave no trace, and whatever else is odd but not wrong is delivered. */

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');
const { FourServers } = require('./four-servers');
const { UNENCODABLE } = require('./unencodable');
const { LIMIT } = require('../../support/limits');

describe('what the official adapter cannot encode', LIMIT, () => {
  const cluster = new FourServers();
  before(() => cluster.start());
  after(() => cluster.stop());

  /** Whether what follows arrives at all clients, whole and alone. @param {any[]} args */
  async function delivers(args) {
    const outcome = await cluster.emitAlone('native', { nsp: '/chat', event: 'after', args: [...args] });
    const expected = ['text 451-/chat,["after",{"_placeholder":true,"num":0}]', 'binary 6f6b'];
    for (const clients of Object.values(outcome)) assert.deepEqual(clients, [expected, expected]);
  }

  for (const { name, args } of UNENCODABLE) {
    it(name, async () => {
      const what = { nsp: '/chat', event: 'odd', args };
      const official = await cluster.attempt('official', what);
      assert.ok(official.threw, 'the official adapter can: it belongs among the payloads');
      const { outcome, threw, error } = await cluster.attempt('native', what);
      const { local } = outcome;
      assert.deepEqual(outcome, { local, official: local, native: local });
      if (threw) {
        assert.ok(error instanceof Error);
        assert.equal(/** @type {any} */ (error).code, 'ERR_ENCODE');
        assert.deepEqual(local, [[], []]);
      } else {
        assert.ok(local.every((frames) => frames.length > 0));
        if (local[0].length === 1) assert.equal(local[0][0], `text 42/chat,${JSON.stringify(['odd', ...args])}`);
      }
      await delivers([Buffer.from('ok')]);
      assert.deepEqual(cluster.problems, []);
    });
  }
});
