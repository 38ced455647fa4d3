'use strict';

/** Runs the examples as a reader would, on a Redis, a cluster or Sentinels of their own. */

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const readline = require('node:readline');
const { startSentinels } = require('../../dev/redis-sentinel.js');
const { startRedis } = require('../../dev/redis-server.js');

const ROOT = path.join(__dirname, '..', '..');

/**
 * @param {import('node:test').TestContext} t
 * @returns {Promise<Awaited<ReturnType<typeof startRedis>>>} a Redis that is gone after the test
 */
async function redisFor(t) {
  const redis = await startRedis();
  t.after(() => redis.stop());
  return redis;
}

/**
 * @param {import('node:test').TestContext} t
 * @returns {Promise<{ all: Awaited<ReturnType<typeof startSentinels>>, env: Record<string, string> }>} Sentinels with
 *   master and replica, gone after the test, and how the examples are told where they are
 */
async function sentinelsFor(t) {
  const [MASTER, REDIS_PASSWORD, SENTINEL_PASSWORD] = ['main', 'data', 'watch'];
  const all = await startSentinels({ name: MASTER, password: REDIS_PASSWORD, sentinelPassword: SENTINEL_PASSWORD });
  t.after(() => all.stop());
  const SENTINELS = all.sentinels.map(({ host, port }) => `${host}:${port}`).join();
  return { all, env: { SENTINELS, MASTER, REDIS_PASSWORD, SENTINEL_PASSWORD } };
}

/**
 * Starts `node examples/<name>`, and resolves when it has said that often where it is.
 * @param {import('node:test').TestContext} t
 * @param {string} name
 * @param {object} settings
 * @param {{ host: string, port: number }} [settings.redis]
 * @param {number} [settings.workers]
 * @param {string[]} [settings.flags] of node
 * @param {Record<string, string>} [settings.env] what the example reads beside what they all read
 * @returns {Promise<{ port: number, nodes: number[] }>} `nodes`: the pids
 */
async function start(t, name, { redis, workers = 1, flags = [], env: own = {} }) {
  const env = {
    ...process.env,
    PORT: '0',
    WORKERS: String(workers),
    ...(redis ? { REDIS_HOST: redis.host, REDIS_PORT: String(redis.port) } : {}),
    ...own,
  };
  const child = spawn(process.execPath, [...flags, path.join('examples', name)], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill();
    await exited;
  });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const nodes = [];
  for await (const line of readline.createInterface({ input: child.stdout })) {
    const [, pid, at] = /^node (\d+) is on http:\/\/localhost:(\d+)$/.exec(line) ?? [];
    if (pid && nodes.push(Number(pid)) === workers) return { port: Number(at), nodes };
  }
  throw new Error(`examples/${name} did not start:\n${said}`);
}

module.exports = { redisFor, sentinelsFor, start };
