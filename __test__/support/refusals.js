'use strict';

/** Makes Redis refuse commands, and counts what it has refused. */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { until } = require('./load');

/** The arguments of a Redis whose saves will fail: its directory is gone. */
function failingSaves() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sio-gone-'));
  return ['--dir', dir, '--save', '3600 1', '--stop-writes-on-bgsave-error', 'yes'];
}

/**
 * Has a save fail. From then on it refuses writes and pings.
 * @param {import('../../dev/redis-server').RedisServer} redis started with `failingSaves()`
 */
async function failSaves(redis) {
  const [, dir] = await redis.command('CONFIG', 'GET', 'dir');
  fs.rmSync(dir, { recursive: true });
  await redis.command('BGSAVE');
  await until('a failed save', async () =>
    (await redis.command('INFO', 'persistence')).includes('rdb_last_bgsave_status:err'),
  );
}

/**
 * How often Redis has answered with an error of this kind.
 * @param {import('../../dev/redis-server').RedisServer} redis
 * @param {string} kind
 */
async function refusals(redis, kind) {
  const [, count = 0] = (await redis.command('INFO', 'errorstats')).match(`errorstat_${kind}:count=(\\d+)`) ?? [];
  return Number(count);
}

module.exports = { failSaves, failingSaves, refusals };
