'use strict';

/** Adapters that cannot bring clients back say so, once. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { Server } = require('socket.io-4');
const { createAdapter, createShardedAdapter, createStreamsAdapter } = require('../../..');
const { startRedis } = require('../../../dev/redis-server');
const { LIMIT } = require('../../support/limits');

const CODE = 'WARN_RECOVERY_UNSUPPORTED';

describe('connectionStateRecovery', LIMIT, () => {
  it('is a warning with the classic and the sharded adapter, and none on streams', async () => {
    const redis = await startRedis();
    /** @type {any[]} */
    const warnings = [];
    const onWarning = (/** @type {any} */ warning) => {
      if (warning.code === CODE) warnings.push(warning);
    };
    process.on('warning', onWarning);
    const serve = async (/** @type {any} */ adapter, /** @type {any} */ options) => {
      const io = new Server(0, { adapter, ...options });
      io.of('/chat');
      await adapter.ready();
      const restored = await /** @type {any} */ (io.of('/').adapter)
        .restoreSession('pid', '1-1')
        .catch(() => 'refused');
      io.close();
      await adapter.close();
      return restored;
    };
    const recovery = { connectionStateRecovery: {} };
    try {
      assert.equal(await serve(createAdapter(redis.url), {}), null);
      assert.equal(await serve(createStreamsAdapter(redis.url), recovery), 'refused');
      assert.equal(await serve(createStreamsAdapter(redis.url), {}), null);
      assert.deepEqual(warnings, []);
      assert.equal(await serve(createAdapter(redis.url), recovery), null);
      assert.equal(await serve(createShardedAdapter(redis.url), recovery), null);
      assert.equal(warnings.length, 1);
      assert.match(warnings[0].message, /createStreamsAdapter/);
    } finally {
      process.off('warning', onWarning);
      await redis.stop();
    }
  });
});
