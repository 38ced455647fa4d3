'use strict';

/**
 * Follows README.md as a newcomer does, in an empty folder: gives each of its commands as it stands there, starts the
 * server below the first, and opens the demo. What the commands reach outside of this machine is here instead: the
 * repository is this checkout, as far as it is committed, the package is what `npm run build` made, and Redis is a
 * server of its own.
 */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { startRedis } = require('../../dev/redis-server.js');
const { App, packLocal } = require('../package/support.js');
const { ROOT, blocksOf, where } = require('./markdown.js');

const REPOSITORY = 'https://github.com/socket.io-redis-native/socket.io-redis-native.git';
/** Of Redis. */
const DEFAULT_PORT = 6379;

/** Names of the pages, for what stands in for them here. */
const PRELUDE = `
  npm() {
    local words=()
    for word in "$@"; do
      if [ "$word" = socket.io-redis-native ]; then words+=($TARBALLS); else words+=("$word"); fi
    done
    command npm "\${words[@]}"
  }
  redis-cli() { command redis-cli -e -p "$REDIS_PORT" "$@"; }
`;

/**
 * Runs a program until it ends, or says where it listens.
 * @param {string[]} command
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} options
 * @param {RegExp} address what it says then
 * @param {(port: string) => Promise<void>} visit
 */
async function run([program, ...args], options, address, visit) {
  // A group of its own: what `npm run` has started ends with it.
  const child = spawn(program, args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const signal = (/** @type {NodeJS.Signals} */ name) => process.kill(-(/** @type {number} */ (child.pid)), name);
  let said = '';
  /** @type {Promise<string | undefined>} */
  const listens = new Promise((resolve) => {
    child.stdout.on('data', (chunk) => {
      process.stdout.write(chunk);
      said += chunk;
      const [, port] = address.exec(said) ?? [];
      if (port) resolve(port);
    });
    closed.then(() => resolve(undefined));
  });
  const port = await listens;
  if (port === undefined) {
    assert.deepEqual(await closed, [0, null], `${[program, ...args].join(' ')}\n${said}`);
    return;
  }
  try {
    await visit(port);
  } finally {
    signal('SIGINT');
    await closed;
  }
}

/** @param {string} url @returns {Promise<string>} what is there */
async function get(url) {
  const response = await fetch(url);
  assert.equal(response.status, 200, url);
  return response.text();
}

async function main() {
  const blocks = await blocksOf(fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8'), 'README.md');
  const redis = await startRedis();
  const { platform, main: own } = packLocal();
  const app = new App();
  const options = {
    cwd: app.dir,
    env: {
      ...process.env,
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: `url.${pathToFileURL(ROOT)}.insteadOf`,
      GIT_CONFIG_VALUE_0: REPOSITORY,
      CARGO_TARGET_DIR: path.join(ROOT, 'target'), // what others have written is compiled already
      REDIS_PORT: String(redis.port),
      REDIS_URL: '',
      PORT: '0',
      TARBALLS: `${own.tarball} ${platform.tarball}`,
    },
  };
  let done = 0;
  try {
    for (const [i, block] of blocks.entries()) {
      if (block.lang !== 'sh') continue;
      console.log(`--- ${where(block)}\n${block.text}`);
      await run(['bash', '-euc', PRELUDE + block.text], options, /http:\/\/\S+:(\d+)/, async (port) => {
        assert.match(await get(`http://127.0.0.1:${port}/`), /<title>/);
        done++;
      });
      if (!/npm install .*socket\.io-redis-native/.test(block.text)) continue;
      const server = blocks[i + 1];
      console.log(`--- ${where(server)}`);
      app.write('server.mjs', server.text.replace(String(DEFAULT_PORT), String(redis.port)));
      await run([process.execPath, 'server.mjs'], options, /listening on port (\d+)/, async (port) => {
        assert.match(await get(`http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`), /"sid"/);
        done++;
      });
    }
    assert.equal(done, 2, 'a server and the demo have listened');
  } finally {
    await redis.stop();
  }
}

main();
