'use strict';

/** Servers that have no sharded channels: Redis before 7, or one where the commands are renamed. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { describe, it } = require('node:test');
const { createShardedAdapter } = require('../../../index.js');
const { startRedis } = require('../../../dev/redis-server');
const { LIMIT } = require('../../support/limits');

const CODE = 'ERR_SHARDED_UNSUPPORTED';

describe('a server that does not know SSUBSCRIBE', LIMIT, () => {
  it('is one error with a code, and what waits for subscriptions gets it', async () => {
    const redis = await startRedis({ args: ['--rename-command', 'SSUBSCRIBE', ''] });
    const adapter = createShardedAdapter(redis.url);
    const io = new (require('socket.io-4').Server)(0, { adapter }); // it listens, which keeps the process alive
    try {
      const errors = [];
      io.of('/').adapter.on('error', (/** @type {any} */ error) => errors.push(error.code));
      const [error] = await once(io.of('/').adapter, 'error');
      assert.equal(error.code, CODE);
      assert.match(error.message, /Redis 7/);
      for (const nsp of ['/a', '/b']) io.of(nsp);
      await assert.rejects(adapter.ready(), { code: CODE });
      await assert.rejects(io.of('/a').adapter.ready(), { code: CODE });
      assert.deepEqual(errors, [CODE]);
      assert.equal(io.of('/').adapter.stats().connections.sub.state, 'degraded');
    } finally {
      io.close();
      await adapter.close();
      await redis.stop();
    }
  });
});
