'use strict';

const { after, afterEach, before } = require('node:test');
const { startRedis } = require('../../dev/redis-server');

/**
 * A Redis for all tests of a file, and what is to be ended after each of them.
 * @returns {{ redis: import('../../dev/redis-server').RedisServer, ends: (() => unknown)[] }} `redis` is there in
 *   tests; of `ends`, what was pushed last is ended first
 */
function redisOfFile() {
  const file = { redis: /** @type {any} */ (undefined), ends: /** @type {(() => unknown)[]} */ ([]) };
  before(async () => {
    file.redis = await startRedis();
  });
  afterEach(async () => {
    for (const end of file.ends.splice(0).reverse()) await end();
  });
  after(() => file.redis.stop());
  return file;
}

module.exports = { redisOfFile };
