'use strict';

/** Runs copies of the examples as a reader would, on a Redis, a cluster or Sentinels of their own. */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const { EXAMPLES, link, manifest } = require('../../dev/link-examples.js');
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

/** @type {Map<string, string>} */
const copies = new Map();

/**
 * @param {string} name of an example
 * @returns {string} a copy of its folder, as a user has it after `npm install`; gone when this process is
 */
function copyOf(name) {
  const made = copies.get(name);
  if (made) return made;
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), `sio-redis-${name}-`)));
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  // A link of this checkout would lead to what the example does not ask for.
  const filter = (/** @type {string} */ file) => path.basename(file) !== 'node_modules';
  fs.cpSync(path.join(EXAMPLES, name), folder, { recursive: true, filter });
  assert.deepEqual(link(folder), [], 'devDependencies lack what the example asks for');
  copies.set(name, folder);
  return folder;
}

/**
 * Runs a command as `npm start` does, in a group of its own.
 * @param {import('node:test').TestContext} t
 * @param {string} command
 * @param {string} cwd
 * @param {NodeJS.ProcessEnv} env beside this process's
 */
function runCommand(t, command, cwd, env) {
  const { PATH } = process.env;
  const child = spawn(command, {
    shell: true,
    detached: true,
    cwd,
    env: { ...process.env, PATH: `${path.dirname(process.execPath)}${path.delimiter}${PATH}`, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  t.after(async () => {
    try {
      process.kill(-Number(child.pid), 'SIGTERM');
    } catch (/** @type {any} */ error) {
      if (error.code !== 'ESRCH') throw error; // it has ended
    }
    await closed;
  });
  return child;
}

/**
 * Starts a copy of an example by its `start` script, and resolves when it has said that often where it is.
 * @param {import('node:test').TestContext} t
 * @param {string} name
 * @param {object} settings
 * @param {{ url: string }} [settings.redis]
 * @param {number} [settings.workers]
 * @param {Record<string, string>} [settings.env] what the example reads beside what they all read
 * @param {{ command: string, cwd: string }} [settings.by] how it is started; else as above
 * @returns {Promise<{ port: number, nodes: number[] }>} `nodes`: the pids
 */
async function start(t, name, { redis, workers = 1, env = {}, by }) {
  const { command, cwd } = by ?? { command: manifest(copyOf(name)).scripts.start, cwd: copyOf(name) };
  const common = { PORT: '0', WORKERS: String(workers), ...(redis ? { REDIS_URL: redis.url } : {}) };
  const child = runCommand(t, command, cwd, { ...common, ...env });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const nodes = [];
  for await (const line of readline.createInterface({ input: child.stdout })) {
    const [, pid, at] = /^node (\d+) is on http:\/\/localhost:(\d+)$/.exec(line) ?? [];
    if (pid && nodes.push(Number(pid)) === workers) return { port: Number(at), nodes };
  }
  throw new Error(`${name} did not start:\n${said}`);
}

module.exports = { ROOT, copyOf, redisFor, sentinelsFor, start };
