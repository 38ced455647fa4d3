'use strict';

/** `destroy()` ends the clients that a store was given, whatever state they are in, and they stay so. */

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const path = require('node:path');
const { after, before, describe, it } = require('node:test');
const { promisify } = require('node:util');

const { startRedis } = require('../../dev/redis-server.js');
const { families } = require('../support/client-families.js');
const { LIMIT } = require('../support/limits');

const SCRIPT = path.join(__dirname, '../support/end-client.js');
const STATES = ['idle', 'connecting', 'reconnecting', 'connected', 'lost', 'ended'];

let redis;
before(async () => {
  redis = await startRedis();
});
after(() => redis?.stop());

for (const { name } of families) {
  describe(name, LIMIT, () => {
    for (const state of STATES) {
      it(state, async () => {
        const args = [SCRIPT, name, state, String(redis.port)];
        const { stdout, stderr } = await promisify(execFile)(process.execPath, args, LIMIT);
        assert.equal(stdout + stderr, '');
      });
    }
  });
}
