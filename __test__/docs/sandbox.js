'use strict';

/** An application's folder in which the blocks of the pages are run. */

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { ROOT, where } = require('./markdown.js');

const PRELUDE = path.join(__dirname, 'prelude.js');
const INSTALLED = path.join(ROOT, 'node_modules');
const OWN = 'socket.io-redis-native';

/**
 * @typedef {object} Servers which the addresses of the pages stand for
 * @property {{ url: string }} redis that of port 6379
 * @property {string[]} [cluster] the nodes, `host:port` each, of ports 7000 and up
 */

/** @type {string[]} */
const folders = [];
process.on('exit', () => folders.forEach((dir) => fs.rmSync(dir, { recursive: true, force: true })));

/** What this package says where a busy machine has kept Redis from answering for seconds. */
const BUSY = /^\[socket\.io-redis-native\] (ERR_STALLED|ERR_CONNECTION_LOST|Redis is back).*\n/gm;

/** What the pages' names stand for: the newest, but 0.9 where a block is about that. */
const VERSIONS = {
  4: { 'socket.io': 'socket.io-4', 'socket.io-client': 'socket.io-client-4', redis: 'redis-6', ioredis: 'ioredis-6' },
  0.9: { 'socket.io': 'socket.io', 'socket.io-client': 'socket.io-client', redis: 'redis', ioredis: 'ioredis-6' },
};

/** @param {string} text @returns {4 | 0.9} the version of Socket.IO that it is about */
const versionOf = (text) =>
  !/\bnew Server\(/.test(text) &&
  /RedisStore|require\('socket\.io'\)\.listen|SocketIO\.|\bio\.set\(|\bio\.store\b|\.sockets\.on\(/.test(text)
    ? 0.9
    : 4;

/**
 * The same package, whose default is the test's Redis in the place of `localhost:6379`.
 * @returns {string} the text of its index.js
 */
function stand() {
  const names = Object.keys(require(ROOT));
  return `
    const real = require(${JSON.stringify(ROOT)});
    const { track } = require(${JSON.stringify(PRELUDE)});
    const url = process.env.REDIS_URL;
    ${names.map((name) => `exports.${name} = real.${name};`).join('\n')}
    for (const name of ['createAdapter', 'createShardedAdapter', 'createStreamsAdapter'])
      exports[name] = (first, ...rest) => track(real[name](first ?? url, ...rest));
    exports.RedisStore = class RedisStore extends real.RedisStore {
      constructor(options) {
        super({ redisPub: url, redisSub: url, redisClient: url, ...options });
        track(this);
      }
    };
    exports.Emitter = class Emitter extends real.Emitter {
      constructor(first, ...rest) {
        super(first ?? url, ...rest);
        track(this);
      }
    };
    exports.StreamsEmitter = class StreamsEmitter extends real.StreamsEmitter {
      constructor(first, ...rest) {
        super(first ?? url, ...rest);
        track(this);
      }
    };`;
}

/**
 * @param {4 | 0.9} version of Socket.IO
 * @param {object} [settings]
 * @param {boolean} [settings.real] whether this package is a link to the checkout
 * @returns {string} a folder that is gone when this process is
 */
function folder(version, { real = false } = {}) {
  const dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'sio-redis-docs-')));
  folders.push(dir);
  const modules = path.join(dir, 'node_modules');
  fs.mkdirSync(modules);
  const names = { ...Object.fromEntries(fs.readdirSync(INSTALLED).map((name) => [name, name])), ...VERSIONS[version] };
  for (const [name, target] of Object.entries(names))
    fs.symlinkSync(path.join(INSTALLED, target), path.join(modules, name), 'junction');
  const own = path.join(modules, OWN);
  if (real) fs.symlinkSync(ROOT, own, 'junction');
  else {
    fs.mkdirSync(own);
    fs.writeFileSync(path.join(own, 'index.js'), stand());
  }
  return dir;
}

/**
 * @param {import('./markdown.js').Block} block
 * @param {Servers} servers
 * @returns {{ file: string, text: string }} its file's name, and its text with the test's servers in it
 */
function fileOf({ lang, text }, { redis: { url }, cluster = [] }) {
  const isModule = lang === 'mjs' || (lang === 'js' && /^import\s|\bawait\s/m.test(text) && !/\brequire\(/.test(text));
  const mapped = text
    .replace(/\bredis:\/\/(localhost|127\.0\.0\.1)(?![\w.:])|\bredis:\/\/(localhost|127\.0\.0\.1):6379/g, url)
    .replace(/\b(localhost|127\.0\.0\.1):6379/g, new URL(url).host)
    .replace(/\b[\d.]+:700(\d)\b/g, (address, i) => cluster[i % cluster.length] ?? address)
    .replaceAll('createClient()', `createClient({ url: '${url}' })`)
    .replaceAll('new Redis()', `new Redis('${url}')`);
  return { file: `block.${isModule ? 'mjs' : 'cjs'}`, text: `${mapped}\n;process.emit('block:end');\n` };
}

/**
 * Runs a block until it has come to its end, listens where it listens, and is connected to Redis.
 * @param {import('./markdown.js').Block} block
 * @param {Servers} servers
 * @param {(ready: { ports: number[], made: number }) => Promise<void>} [check] what to do with it then
 * @returns {Promise<void>} rejects with what the block has said on stderr, if it has
 */
async function run(block, servers, check = async () => {}) {
  const version = versionOf(block.text);
  const dir = folder(version);
  const { file, text } = fileOf(block, servers);
  fs.writeFileSync(path.join(dir, file), text);
  const child = spawn(process.execPath, ['--no-deprecation', '--require', PRELUDE, file], {
    cwd: dir,
    env: { ...process.env, REDIS_URL: servers.redis.url, SOCKET_IO: String(version), PORT: '0' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  const closed = once(child, 'close');
  try {
    const first = await Promise.race([once(child, 'message'), closed.then(() => undefined)]);
    if (first) {
      await check(first[0]);
      child.send('stop');
    }
    const [code, signal] = await closed;
    said = said.replace(BUSY, '');
    if (!first || code !== 0 || said) throw new Error(`${where(block)} ended with ${signal ?? code}:\n${said}`);
  } finally {
    child.kill('SIGKILL');
    await closed;
  }
}

module.exports = { folder, run, versionOf };
