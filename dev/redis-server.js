'use strict';

/**
 * Real Redis servers for the tests, the benchmark and the demo: found (or installed; install-redis.js), started
 * on free ports, and gone when this process is gone.
 */

const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');

const { freeze } = require('./freeze');
const { ensureRedisServer, findRedisServer, which } = require('./install-redis');
const { encodeCommand, parseReply, toText } = require('./resp');

const HOST = '127.0.0.1';
/** Where no Redis is: a port for which one needs to be root, of a service that there is no more. */
const NO_PORT = 1;
const START_TIMEOUT = 120_000;
const COMMAND_TIMEOUT = 120_000;
const POLL = 15;

/** What is left to clean up when this process ends. @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set();
/** @type {Set<string>} */
const directories = new Set();

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  directories.forEach(removeDirectory);
});

/** @param {string} dir */
function removeDirectory(dir) {
  fs.rmSync(dir, { recursive: true, force: true });
  directories.delete(dir);
}

/**
 * Sends commands over a connection of their own and resolves with the last reply.
 * @param {number} port
 * @param {(string | number | Buffer)[][]} commands
 * @returns {Promise<any>}
 */
function send(port, commands) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, HOST);
    let buffer = Buffer.alloc(0);
    let left = commands.length;
    /** @param {Error} error */
    const fail = (error) => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(COMMAND_TIMEOUT, () => fail(new Error(`no reply from Redis on port ${port}`)));
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('Redis closed the connection before it replied')));
    socket.on('data', (chunk) => {
      buffer = Buffer.concat([buffer, chunk]);
      while (left > 0) {
        const parsed = parseReply(buffer);
        if (!parsed) return;
        const [reply, next] = parsed;
        if (reply instanceof Error) return fail(reply);
        buffer = buffer.subarray(next);
        if (--left === 0) {
          resolve(toText(reply));
          socket.destroy();
        }
      }
    });
    socket.write(Buffer.concat(commands.map((args) => encodeCommand(...args))));
  });
}

/**
 * Asks until the answer is truthy, and resolves with it. An attempt that fails is no answer.
 * @template T
 * @param {string} what it waits for, in words
 * @param {() => Promise<T>} ask
 * @param {number} [limit] in ms
 * @returns {Promise<NonNullable<T>>}
 */
async function until(what, ask, limit = START_TIMEOUT) {
  const deadline = Date.now() + limit;
  /** @type {unknown} */
  let cause;
  while (Date.now() < deadline) {
    try {
      const answer = await ask();
      if (answer) return answer;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await delay(POLL);
  }
  throw new Error(`${what}: not within ${limit} ms`, { cause });
}

/** @returns {Promise<number>} a port that was free a moment ago */
async function freePort() {
  const server = net.createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}

/** @type {string[] | undefined} */
let deathSignal;

/**
 * On Linux the kernel itself can kill the child when this process dies without
 * an 'exit' event, of SIGKILL say. util-linux' setpriv asks for that and then
 * becomes the server (same pid).
 * @returns {string[]} what to put before the command
 */
function dieWithParent() {
  if (!deathSignal) {
    const wrapper = ['setpriv', '--pdeathsig', 'KILL'];
    const works =
      process.platform === 'linux' &&
      spawnSync(wrapper[0], [...wrapper.slice(1), 'true'], { stdio: 'ignore' }).status === 0;
    deathSignal = works ? wrapper : [];
  }
  return deathSignal;
}

/**
 * @typedef {object} Settings
 * @property {string} dir
 * @property {string[]} args
 * @property {string} [password]
 * @property {string} [socketPath]
 * @property {string} [file] its configuration, which the server itself may rewrite
 */

/**
 * @param {number} port
 * @param {Settings} settings
 * @returns {string[]}
 */
function serverArguments(port, { dir, args, password, socketPath, file }) {
  return [
    ...(file ? [file] : []), // has to come first
    '--port',
    String(port),
    '--bind',
    HOST,
    '--dir',
    dir,
    '--save',
    '',
    '--appendonly',
    'no',
    ...(password ? ['--requirepass', password] : []),
    ...(socketPath ? ['--unixsocket', socketPath, '--unixsocketperm', '700'] : []),
    ...args,
  ];
}

/** Another process took the port between finding it free and using it. */
class AddressInUse extends Error {}

/**
 * Starts one process, and resolves when it answers. It is not asked for PING, which it may refuse.
 * @param {number} port
 * @param {Settings} settings
 * @returns {Promise<import('node:child_process').ChildProcess>}
 */
async function launch(port, settings) {
  const log = path.join(settings.dir, `${port}.log`);
  const out = fs.openSync(log, 'w'); // a file, not a pipe: nothing to read, nothing that holds the loop
  const [command, ...args] = [...dieWithParent(), ensureRedisServer(), ...serverArguments(port, settings)];
  const child = spawn(command, args, { stdio: ['ignore', out, out] });
  fs.closeSync(out);
  children.add(child);
  child.on('exit', () => children.delete(child));
  child.on('error', () => children.delete(child)); // seen below, as a child without a pid
  child.unref();
  const deadline = Date.now() + START_TIMEOUT;
  while (isRunning(child) && Date.now() < deadline) {
    if (await answers(port, settings.password, child.pid)) return child;
    await delay(POLL);
  }
  child.kill('SIGKILL');
  const said = fs.readFileSync(log, 'utf8');
  const error = `Redis did not start on port ${port}:\n${said}`;
  throw /address already in use/i.test(said) ? new AddressInUse(error) : new Error(error);
}

/** @param {import('node:child_process').ChildProcess} child */
function isRunning(child) {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/**
 * @param {number} port
 * @param {string | undefined} password
 * @param {number | undefined} pid
 * @returns {Promise<boolean>} whether the server on this port is up, and is that process
 */
async function answers(port, password, pid) {
  try {
    const info = await send(port, [...login(password), ['INFO']]);
    return info.includes(`process_id:${pid}\r`) && !info.includes('\nloading:1\r');
  } catch {
    return false;
  }
}

/** @param {string | undefined} password */
function login(password) {
  return password ? [['AUTH', password]] : [];
}

/**
 * @param {number | undefined} port
 * @param {Settings} settings
 * @param {number} attempts how often to try again when the port is taken
 * @returns {Promise<{ child: import('node:child_process').ChildProcess, port: number }>}
 */
async function launchSomewhere(port, settings, attempts = 10) {
  const used = port ?? (await freePort());
  try {
    return { child: await launch(used, settings), port: used };
  } catch (error) {
    if (!(error instanceof AddressInUse) || attempts <= 1) throw error;
    await delay(POLL);
    return launchSomewhere(port, settings, attempts - 1);
  }
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<void>} resolved when it has exited
 */
async function end(child) {
  if (!isRunning(child)) return;
  child.ref();
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** One running server. */
class RedisServer {
  #child;
  #settings;

  /**
   * @param {import('node:child_process').ChildProcess} child
   * @param {number} port
   * @param {Settings} settings
   */
  constructor(child, port, settings) {
    this.#child = child;
    this.#settings = settings;
    this.host = HOST;
    this.port = port;
    this.socketPath = settings.socketPath;
    const auth = settings.password ? `:${encodeURIComponent(settings.password)}@` : '';
    this.url = `redis://${auth}${HOST}:${port}`;
  }

  /** @returns {number | undefined} */
  get pid() {
    return this.#child.pid;
  }

  /**
   * Sends one command over a connection of its own; an error reply rejects.
   * @param {...(string | number | Buffer)} args
   * @returns {Promise<any>}
   */
  command(...args) {
    return send(this.port, [...login(this.#settings.password), args]);
  }

  /** Freezes it: connections stay open, nothing is answered. */
  pause() {
    freeze(/** @type {number} */ (this.#child.pid));
  }

  resume() {
    this.#child.kill('SIGCONT');
  }

  /** Kills it without a farewell; `restart()` brings it back, empty. */
  kill() {
    return end(this.#child);
  }

  /** Kills it when it still runs, and starts it again on the same port. */
  async restart() {
    await this.kill();
    this.#child = (await launchSomewhere(this.port, this.#settings, 100)).child;
  }

  /** Ends it for good and removes its directory. */
  async stop() {
    await this.kill();
    removeDirectory(this.#settings.dir);
  }
}

/**
 * Starts a Redis server without persistence on 127.0.0.1, and resolves once it answers.
 * @param {object} [options]
 * @param {number} [options.port] a free one unless said
 * @param {string[]} [options.args] more arguments, such as `['--maxclients', '10']`
 * @param {string} [options.password]
 * @param {boolean | string} [options.unixSocket] listen on a Unix socket too (`true`: one in its own directory)
 * @param {string} [options.config] lines of a configuration file, for what has to be rewritten: by a sentinel, say
 * @returns {Promise<RedisServer>}
 */
async function startRedis({ port, args = [], password, unixSocket, config } = {}) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sio-redis-'));
  directories.add(dir);
  const socketPath = unixSocket === true ? path.join(dir, 'redis.sock') : unixSocket || undefined;
  const file = config === undefined ? undefined : path.join(dir, 'redis.conf');
  if (file) fs.writeFileSync(file, `${config}\n`);
  const settings = { dir, args, password, socketPath, file };
  try {
    const started = await launchSomewhere(port, settings);
    return new RedisServer(started.child, started.port, settings);
  } catch (error) {
    removeDirectory(dir);
    throw error;
  }
}

module.exports = { NO_PORT, findRedisServer, ensureRedisServer, startRedis, freePort, until, which };
