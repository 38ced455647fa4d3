'use strict';

/**
 * The article's chat, on four workers. `npm run demo` starts a Redis of its own (or uses that of REDIS_URL),
 * forks the workers behind one port, and replaces each that dies.
 *
 *     node demo/index.js [--port 3000] [--store | --adapter]
 *
 * With --adapter it is Socket.IO 4, else 0.9. The page has switches for a load of further clients, and for
 * what writes to the WebSockets: the native side, or JavaScript as without this package's engine.
 */

const cluster = require('node:cluster');
const { once } = require('node:events');
const net = require('node:net');
const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');
const { parseArgs } = require('node:util');
const { startRedis, freePort } = require('../dev/redis-server.js');
const { Load } = require('./load.js');

const WORKERS = 4;
const HOST = process.env.HOST || '127.0.0.1'; // the page can kill processes: for this machine's eyes
const DEFAULT_PORT = 3000;
const REPLACE_AFTER = 150; // ms; also the pause in a crash loop
const EXIT_TIMEOUT = 3000;

/** @type {import('node:util').ParseArgsConfig['options']} */
const OPTIONS = {
  port: { type: 'string' },
  store: { type: 'boolean' },
  adapter: { type: 'boolean' },
  v4: { type: 'boolean' }, // the former name of --adapter
};
/** What each version is a version of. */
const SOCKET_IO = { store: 'Socket.IO 0.9', adapter: 'Socket.IO 4' };

const ENGINES = new Set(['native', 'javascript']);

let stopping = false;
let everListened = false;
/** The pids of workers that are to be replaced. @type {Set<number | undefined>} */
const restarting = new Set();

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
async function isFree(port) {
  const server = net.createServer().listen(port, HOST);
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}

/**
 * @param {string | undefined} asked
 * @returns {Promise<number>} the port that was asked for, else 3000, else a free one
 */
async function choosePort(asked) {
  if (asked === undefined) return (await isFree(DEFAULT_PORT)) ? DEFAULT_PORT : freePort();
  const port = Number(asked);
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new Error(`"${asked}" is no port.`);
  if (port === 0) return freePort();
  if (!(await isFree(port))) throw new Error(`Port ${port} is in use: name another with --port.`);
  return port;
}

/**
 * @param {number} index 1 to 4: a replacement keeps the number, and so the colour
 * @param {number} generation how many workers have had this number
 * @param {Record<string, string | number>} env
 */
function startWorker(index, generation, env) {
  const worker = cluster.fork({ ...env, DEMO_WORKER: index, DEMO_GENERATION: generation });
  worker.on('message', (message) => {
    switch (message?.type) {
      case 'kill me':
        console.log(`worker ${index} (pid ${worker.process.pid}): kill -9`);
        worker.process.kill('SIGKILL'); // no farewell: what it held in Redis stays as it is
        break;
      case 'load':
        load.turn(message.on);
        break;
      case 'engine':
        useEngine(message.engine, env);
    }
  });
  worker.on('listening', () => {
    everListened = true;
  });
  worker.once('exit', async (code, signal) => {
    if (stopping) return;
    if (!everListened) return stop(1);
    const why = restarting.delete(worker.process.pid) ? 'restarts' : `is gone (${signal ?? code}), here is a new one`;
    console.log(`worker ${index} ${why}`);
    await delay(REPLACE_AFTER);
    if (!stopping) startWorker(index, generation + 1, env);
  });
}

/**
 * Has the workers write to WebSockets by another engine: each is replaced by one that does.
 * @param {string} engine `native` or `javascript`
 * @param {Record<string, string | number>} env
 */
function useEngine(engine, env) {
  if (!ENGINES.has(engine) || env.DEMO_ENGINE === engine) return;
  env.DEMO_ENGINE = engine;
  for (const worker of Object.values(cluster.workers ?? {})) {
    if (!worker || worker.isDead()) continue;
    restarting.add(worker.process.pid);
    worker.process.kill('SIGTERM');
  }
}

/** @type {Awaited<ReturnType<typeof startRedis>> | undefined} */
let redis;
/** The clients that the page can turn on. @type {Load} */
let load;

/**
 * Ends the workers, then Redis, then this process.
 * @param {number} code
 */
async function stop(code) {
  if (stopping) return;
  stopping = true;
  load?.turn(false);
  const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker && !worker.isDead());
  const gone = Promise.all(workers.map((worker) => once(worker, 'exit')));
  for (const worker of workers) worker.process.kill('SIGTERM');
  await Promise.race([gone, delay(EXIT_TIMEOUT)]);
  for (const worker of workers) worker.process.kill('SIGKILL');
  await redis?.stop();
  process.exit(code);
}

/** @returns {Promise<string>} the URL of the Redis that REDIS_URL names, else of one that ends with the demo */
async function openRedis() {
  const { REDIS_URL } = process.env;
  if (REDIS_URL) {
    console.log('Redis is that of REDIS_URL');
    return REDIS_URL;
  }
  redis = await startRedis();
  console.log(`Redis on port ${redis.port} (pid ${redis.pid})`);
  return redis.url;
}

async function main() {
  process.on('SIGINT', () => stop(0));
  process.on('SIGTERM', () => stop(0));
  const { values } = parseArgs({ options: OPTIONS });
  const version = values.adapter || values.v4 ? 'adapter' : 'store';
  const port = await choosePort(values.port ?? process.env.PORT);
  const redisUrl = await openRedis();
  if (stopping) return redis?.stop();
  cluster.setupPrimary({ exec: path.join(__dirname, 'worker.js') });
  const env = { PORT: port, HOST, REDIS_URL: redisUrl, DEMO_VERSION: version, DEMO_ENGINE: 'native' };
  load = new Load(HOST, port, version);
  for (let index = 1; index <= WORKERS; index++) startWorker(index, 1, env);
  await Promise.all(Object.values(cluster.workers).map((worker) => once(worker, 'listening')));
  console.log(`The chat is on http://${HOST}:${port} (${WORKERS} workers on ${SOCKET_IO[version]}; Ctrl-C ends it)`);
}

main().catch((error) => {
  console.error(error.message);
  return stop(1);
});
