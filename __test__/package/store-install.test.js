'use strict';

/** The packages, installed as a user does it, in an app on a machine without Rust. */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, describe, it } = require('node:test');
const { startRedis } = require('../../dev/redis-server');
const { ROOT, thisPlatform } = require('../../scripts/packages');
const { connect } = require('../support/store-client');
const { App, RUST, packLocal } = require('./support');
const { LIMIT } = require('../support/limits');

const PLATFORM_PACKAGE = `socket.io-redis-native-${thisPlatform()}`;
const TYPES = path.join(ROOT, 'node_modules/@types');
const TSC = path.join(ROOT, 'node_modules/typescript/bin/tsc');

/** How the app gets hold of the package. */
const ENTRIES = {
  'main.js': `require('./app')(require('socket.io'), require('redis'), require('socket.io-redis-native').RedisStore);`,
  'main.mjs': `import SocketIO from 'socket.io';
    import redis from 'redis';
    import { RedisStore } from 'socket.io-redis-native';
    import app from './app.js';
    app(SocketIO, redis, RedisStore);`,
};

/** Counts the threads around the package's first require, and takes its time. */
const THREADS = `
  const { readdirSync } = require('node:fs');
  const count = () => readdirSync('/proc/self/task').length;
  setTimeout(() => {
    const before = count();
    const start = process.hrtime.bigint();
    require('socket.io-redis-native');
    const ms = Number(process.hrtime.bigint() - start) / 1e6;
    setTimeout(() => console.log(JSON.stringify({ before, after: count(), ms })), 100);
  }, 100);`;

/** Prints the error of a require as JSON. */
const REQUIRE = `
  try {
    require('socket.io-redis-native');
  } catch ({ code, message, cause }) {
    console.log(JSON.stringify({ code, message, cause: cause.code }));
  }`;

describe('an installed app', LIMIT, () => {
  const app = new App();
  /** @type {import('node:child_process').ChildProcess[]} */
  const children = [];
  /** @type {Awaited<ReturnType<typeof startRedis>>} */
  let redis;

  before(async () => {
    const { platform, main } = packLocal();
    app.install([main.tarball, platform.tarball]);
    fs.copyFileSync(path.join(__dirname, 'store-app.js'), path.join(app.dir, 'app.js'));
    for (const [file, text] of Object.entries(ENTRIES)) app.write(file, text);
    redis = await startRedis();
  });

  after(async () => {
    for (const child of children) child.kill('SIGKILL');
    await redis?.stop();
  });

  /** @param {string} entry @returns {Promise<{ port: number, child: import('node:child_process').ChildProcess }>} */
  async function start(entry) {
    const child = spawn(process.execPath, [entry], {
      cwd: app.dir,
      env: { ...app.env, REDIS_PORT: String(redis.port) },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    children.push(child);
    const [{ port }] = await once(child, 'message');
    return { port, child };
  }

  it("sees no Rust, and gets the native part from the platform's package", () => {
    const dirs = String(app.env.PATH).split(path.delimiter);
    for (const tool of RUST) assert.ok(!dirs.some((dir) => fs.existsSync(path.join(dir, tool))), tool);
    const loaded = app.node(
      '-p',
      'require("socket.io-redis-native"); Object.keys(require.cache).filter((file) => file.endsWith(".node")).join()',
    );
    assert.equal(
      path.relative(path.join(app.dir, 'node_modules', PLATFORM_PACKAGE), loaded.stdout.trim()),
      `socket-io-redis-native.${thisPlatform()}.node`,
      loaded.stderr,
    );
  });

  it('broadcasts between a process that requires and one that imports, and ends by itself', async () => {
    const nodes = await Promise.all(Object.keys(ENTRIES).map(start));
    for (const [from, to] of [nodes, [...nodes].reverse()]) {
      const client = await connect(to);
      from.child.send('ünï');
      assert.deepEqual(await client.event('news'), ['ünï']);
      await client.close();
    }
    const exits = nodes.map(({ child }) => once(child, 'exit'));
    for (const { child } of nodes) child.disconnect();
    assert.deepEqual(await Promise.all(exits), [
      [0, null],
      [0, null],
    ]);
  });

  it('starts no thread before a store is made', { skip: process.platform !== 'linux' }, (t) => {
    const { stdout, stderr } = app.node('-e', THREADS);
    assert.ok(stdout, stderr);
    const { before, after, ms } = JSON.parse(stdout);
    assert.equal(after, before);
    t.diagnostic(`require('socket.io-redis-native'): ${ms.toFixed(1)} ms`);
  });

  describe('in TypeScript', () => {
    /** @param {string[]} files @param {...string} flags */
    function check(files, ...flags) {
      const { status, stdout, stderr } = app.node(
        TSC,
        '--noEmit',
        '--strict',
        '--target',
        'es2022',
        '--lib',
        'es2023',
        '--types',
        'node',
        '--typeRoots',
        TYPES,
        ...flags,
        ...files,
      );
      assert.equal(status, 0, stdout + stderr);
    }

    before(() => {
      const source = fs.readFileSync(path.join(ROOT, '__test__/types/store.ts'), 'utf8');
      const text = source.replaceAll("'../..'", "'socket.io-redis-native'");
      assert.notEqual(text, source);
      for (const file of ['app.ts', 'module.mts', 'common.cts']) app.write(file, text);
    });

    it('type-checks under moduleResolution node16', () => {
      check(['app.ts', 'module.mts', 'common.cts'], '--module', 'node16', '--moduleResolution', 'node16');
    });

    it('type-checks under moduleResolution bundler', () => {
      check(['app.ts', 'module.mts'], '--module', 'esnext', '--moduleResolution', 'bundler');
    });
  });

  it("without the platform's package says which one is missing, and what to do", () => {
    const installed = path.join(app.dir, 'node_modules', PLATFORM_PACKAGE);
    fs.renameSync(installed, path.join(app.dir, 'away'));
    try {
      const { stdout, stderr } = app.node('-e', REQUIRE);
      assert.ok(stdout, stderr);
      const error = JSON.parse(stdout);
      assert.equal(error.code, 'ERR_NATIVE_MISSING');
      assert.equal(error.cause, 'MODULE_NOT_FOUND');
      assert.ok(error.message.startsWith(`The package ${PLATFORM_PACKAGE} is not installed`), error.message);
      assert.ok(error.message.includes('run npm install without --omit=optional'), error.message);
    } finally {
      fs.renameSync(path.join(app.dir, 'away'), installed);
    }
  });
});
