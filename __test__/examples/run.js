'use strict';

/** Runs the examples as a reader would, on a Redis of their own. */

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const readline = require('node:readline');
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
 * Starts `node examples/<name>`, and resolves when it has said that often where it is.
 * @param {import('node:test').TestContext} t
 * @param {string} name
 * @param {{ redis: { host: string, port: number }, workers?: number, flags?: string[] }} settings `flags`: of node
 * @returns {Promise<{ port: number, nodes: number[] }>} `nodes`: the pids
 */
async function start(t, name, { redis, workers = 1, flags = [] }) {
  const env = {
    ...process.env,
    PORT: '0',
    WORKERS: String(workers),
    REDIS_HOST: redis.host,
    REDIS_PORT: String(redis.port),
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

module.exports = { redisFor, start };
