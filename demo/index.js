'use strict';

/**
 * A chat on four workers. `npm run demo` starts a Redis of its own (or uses that of REDIS_URL),
 * forks the workers behind one port, and replaces each that dies.
 *
 *     node demo/index.js [--port 3000] [--store | --adapter]
 *
 * With --adapter it is Socket.IO 4, else 0.9. The page floods a room, chooses what writes to the WebSockets
 * (the native side, or JavaScript as without this package's engine), kills workers, and kills and starts Redis.
 */

const { once } = require('node:events');
const net = require('node:net');
const { parseArgs } = require('node:util');
const { freePort } = require('../dev/redis-server.js');
const { Board } = require('./board.js');
const { Load } = require('./load.js');
const { DemoRedis } = require('./redis.js');
const { Workers } = require('./workers.js');

const HOST = process.env.HOST || '127.0.0.1'; // the page can kill processes: for this machine's eyes
const DEFAULT_PORT = 3000;
const SHOW_EVERY = 1000; // ms

/** @type {import('node:util').ParseArgsConfig['options']} */
const OPTIONS = {
  port: { type: 'string' },
  store: { type: 'boolean' },
  adapter: { type: 'boolean' },
  v4: { type: 'boolean' }, // the former name of --adapter
};
/** What each version is a version of. */
const SOCKET_IO = { store: 'Socket.IO 0.9', adapter: 'Socket.IO 4' };

const redis = new DemoRedis();
let stopping = false;

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

/** @type {Workers | undefined} */
let workers;
/** The clients that the page can turn on. @type {Load | undefined} */
let load;

/**
 * Ends the workers, then Redis, then this process.
 * @param {number} code
 */
async function stop(code) {
  if (stopping) return;
  stopping = true;
  load?.turn(false);
  await workers?.stop();
  await redis.stop();
  process.exit(code);
}

/**
 * Has the workers do what the pages ask for, and show what the workers report.
 * @param {string} version `store` or `adapter`
 * @param {Load} flood
 * @param {Record<string, string | number>} env
 * @returns {Workers}
 */
function connectAll(version, flood, env) {
  const board = new Board();
  /** @type {Record<string, (message: any, index: number) => void>} */
  const handlers = {
    report: ({ report }) => board.report(report),
    gap: ({ gap }) => board.gap(gap),
    'kill me': ({ room }, index) => all.kill(index, version === 'adapter' ? room : null),
    load: ({ on }) => typeof on === 'boolean' && flood.turn(on),
    engine: ({ engine }) => all.useEngine(engine),
    redis: ({ up }) => typeof up === 'boolean' && redis.turn(up),
  };
  const all = new Workers(env, {
    message: (message, index) => Object.hasOwn(handlers, message?.type) && handlers[message.type](message, index),
    starting: (index) => board.starting(index),
    failed: () => stop(1),
  });
  setInterval(() => {
    const state = { redis: redis.state(), flood: flood.isOn, engine: all.engine };
    all.tell({ type: 'board', board: { ...board.snapshot(), ...state } });
  }, SHOW_EVERY);
  return all;
}

async function main() {
  process.on('SIGINT', () => stop(0));
  process.on('SIGTERM', () => stop(0));
  const { values } = parseArgs({ options: OPTIONS });
  const version = values.adapter || values.v4 ? 'adapter' : 'store';
  const port = await choosePort(values.port ?? process.env.PORT);
  const redisUrl = await redis.open();
  if (stopping) return redis.stop();
  load = new Load(HOST, port, version);
  workers = connectAll(version, load, { PORT: port, HOST, REDIS_URL: redisUrl, DEMO_VERSION: version });
  const count = await workers.start();
  console.log(`The chat is on http://${HOST}:${port} (${count} workers on ${SOCKET_IO[version]}; Ctrl-C ends it)`);
}

main().catch((error) => {
  console.error(error.message);
  return stop(1);
});
