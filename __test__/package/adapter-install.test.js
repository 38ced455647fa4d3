'use strict';

/** The packages beside Socket.IO 4, installed as a user does it, in apps of several kinds. */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { after, afterEach, before, describe, it } = require('node:test');
const { io } = require('socket.io-client-4');
const { startRedis } = require('../../dev/redis-server');
const { ROOT, thisPlatform } = require('../../scripts/packages');
const { hearing } = require('../examples/adapter');
const { App, packLocal } = require('./support');
const { LIMIT } = require('../support/limits');

const TSC = path.join(ROOT, 'node_modules/typescript/bin/tsc');
const OURS = ['socket.io-redis-native', `socket.io-redis-native-${thisPlatform()}`, 'notepack.io'];
const TEXT = 'ünï';

/** How the app gets hold of the package, and of the official adapter. */
const ENTRIES = {
  'main.js': `require('./app')(require('socket.io').Server, require('socket.io-redis-native').createAdapter(process.env.REDIS_URL));`,
  'main.mjs': `import { Server } from 'socket.io';
    import { createAdapter } from 'socket.io-redis-native';
    import app from './app.js';
    app(Server, createAdapter(process.env.REDIS_URL));`,
};
const OFFICIAL = `
  const { createAdapter } = require('@socket.io/redis-adapter');
  const clients = [1, 2].map(() => require('redis').createClient({ url: process.env.REDIS_URL }));
  Promise.all(clients.map((client) => client.connect())).then(() => {
    const close = () => clients.forEach((client) => client.quit());
    require('./app')(require('socket.io').Server, createAdapter(...clients), close);
  });`;

/** Prints what the package says where there is no Socket.IO 4. */
const ALONE = `
  const { createAdapter, RedisStore } = require('socket.io-redis-native');
  const store = new RedisStore({ redisPub: process.env.REDIS_URL, redisSub: process.env.REDIS_URL, redisClient: process.env.REDIS_URL });
  const factories = [createAdapter(process.env.REDIS_URL), store.adapter()];
  // As in Socket.IO 2 and 3, its base class knows nothing of other servers.
  class Server { adapter() { return class Adapter {}; } }
  const codes = [{}, new Server()].flatMap((server) => factories.map((factory) => {
    try {
      new factory({ name: '/', server });
    } catch ({ code, message }) {
      return [code, message.includes('npm install socket.io')];
    }
  }));
  store.ref();
  store.client('id').get('key', (error, value) => {
    console.log(JSON.stringify({ codes, error, value }));
    store.destroy();
  });`;

/** @type {Awaited<ReturnType<typeof startRedis>>} */
let redis;
/** @type {string[]} */
let tarballs;
/** @typedef {{ port: number, atHome: boolean, child: import('node:child_process').ChildProcess, early: Promise<never> }} Started */
/** @type {import('node:child_process').ChildProcess[]} */
const children = [];

before(async () => {
  const { platform, main } = packLocal();
  tarballs = [main.tarball, platform.tarball];
  redis = await startRedis();
});

afterEach(async () => {
  // Those of a test that failed.
  const left = children.splice(0).filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  const exits = left.map((child) => once(child, 'exit'));
  for (const child of left) child.kill('SIGKILL');
  await Promise.all(exits);
});

after(() => redis?.stop());

/** @param {string[]} packages of the registry */
function install(packages) {
  const app = new App();
  app.install(tarballs, packages);
  fs.copyFileSync(path.join(__dirname, 'adapter-app.js'), path.join(app.dir, 'app.js'));
  for (const [file, text] of Object.entries(ENTRIES)) app.write(file, text);
  return app;
}

/**
 * @param {App} app
 * @param {string} entry
 * @param {string} [cwd]
 * @returns {Promise<Started>} `early`: rejects if it ends before the test has ended it
 */
async function start(app, entry, cwd = app.dir) {
  const child = spawn(process.execPath, [path.join(app.dir, entry)], {
    cwd,
    env: { ...app.env, APP: app.dir, REDIS_URL: redis.url },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  children.push(child);
  const early = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`${entry} has ended: ${signal ?? code}`);
  });
  early.catch(() => {}); // or it was time
  const [message] = await Promise.race([once(child, 'message'), early]);
  return { ...message, child, early };
}

/**
 * A text of each server reaches the clients of all, and then all end by themselves.
 * @param {Started[]} nodes
 */
async function converse(nodes) {
  await Promise.race([talk(nodes), ...nodes.map(({ early }) => early)]);
  const exits = nodes.map(({ child }) => once(child, 'exit'));
  for (const { child } of nodes) child.disconnect();
  assert.deepEqual(
    await Promise.all(exits),
    nodes.map(() => [0, null]),
  );
}

/** @param {Started[]} nodes */
async function talk(nodes) {
  await hearing(redis, nodes.length);
  const sockets = nodes.map(({ port }) =>
    io(`http://127.0.0.1:${port}`, { transports: ['websocket'], forceNew: true, reconnection: false }),
  );
  await Promise.all(sockets.map((socket) => once(/** @type {any} */ (socket), 'ready')));
  for (const [i, { child }] of nodes.entries()) {
    const heard = sockets.map((socket) => once(/** @type {any} */ (socket), 'news'));
    child.send(TEXT + i);
    for (const args of await Promise.all(heard)) assert.deepEqual(args, [TEXT + i, Buffer.from(TEXT + i)]);
  }
}

describe('an installed app with socket.io 4.8', LIMIT, () => {
  /** @type {App} */
  let app;
  before(() => {
    app = install(['socket.io@4.8', '@socket.io/redis-adapter@8', 'redis@4']);
    app.write('official.js', OFFICIAL);
  });

  it('broadcasts between a process that requires, one that imports, and one with the official adapter', async () => {
    const nodes = await Promise.all([...Object.keys(ENTRIES), 'official.js'].map((entry) => start(app, entry)));
    assert.deepEqual(
      nodes.map(({ atHome }) => atHome),
      [true, true, true],
    );
    await converse(nodes);
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
        ...flags,
        ...files,
      );
      assert.equal(status, 0, stdout + stderr);
    }

    before(() => {
      const source = fs.readFileSync(path.join(ROOT, '__test__/types/adapter.ts'), 'utf8');
      const text = source.replaceAll("'../..'", "'socket.io-redis-native'").replaceAll("'socket.io-4'", "'socket.io'");
      assert.match(text, /new Server\(createServer\(\), \{ adapter: createAdapter\(/);
      for (const file of ['app.ts', 'module.mts', 'common.cts']) app.write(file, text);
    });

    it('type-checks under moduleResolution node16', () => {
      check(['app.ts', 'module.mts', 'common.cts'], '--module', 'node16', '--moduleResolution', 'node16');
    });

    it('type-checks under moduleResolution bundler', () => {
      check(['app.ts', 'module.mts'], '--module', 'esnext', '--moduleResolution', 'bundler');
    });
  });
});

describe('an installed app with socket.io 4.3.1', LIMIT, () => {
  /** @type {App} */
  let app;
  // A newer base class beside it, which is not that of this socket.io.
  before(() => {
    app = install(['socket.io@4.3.1', 'socket.io-adapter@^2.5.5']);
  });

  it('broadcasts between a process that requires and one that imports', async () => {
    const nodes = await Promise.all(Object.keys(ENTRIES).map((entry) => start(app, entry)));
    assert.deepEqual(
      nodes.map(({ atHome }) => atHome),
      [true, true],
    );
    await converse(nodes);
  });

  describe('laid out as pnpm does it, each package among its own dependencies only', () => {
    /** @type {App} */
    let linked;
    before(() => {
      linked = new App();
      const store = path.join(path.dirname(linked.dir), 'store/ours/node_modules');
      for (const name of OURS)
        fs.cpSync(path.join(app.dir, 'node_modules', name), path.join(store, name), { recursive: true });
      fs.mkdirSync(path.join(linked.dir, 'node_modules'));
      fs.symlinkSync(path.join(store, OURS[0]), path.join(linked.dir, 'node_modules', OURS[0]), 'junction');
      fs.symlinkSync(
        path.join(app.dir, 'node_modules/socket.io'),
        path.join(linked.dir, 'node_modules/socket.io'),
        'junction',
      );
      for (const file of ['app.js', ...Object.keys(ENTRIES)])
        fs.copyFileSync(path.join(app.dir, file), path.join(linked.dir, file));
    });

    for (const where of ['in the app', 'elsewhere']) {
      it(`finds the base class of the app's socket.io when started ${where}`, async () => {
        const cwd = where === 'elsewhere' ? path.dirname(linked.dir) : undefined;
        const nodes = await Promise.all(Object.keys(ENTRIES).map((entry) => start(linked, entry, cwd)));
        assert.deepEqual(
          nodes.map(({ atHome }) => atHome),
          [true, true],
        );
        await converse(nodes);
      });
    }
  });
});

it('an app without Socket.IO has a RedisStore; its adapters say what is missing', LIMIT, () => {
  const app = new App();
  app.install(tarballs, []);
  for (const name of ['socket.io', 'socket.io-adapter'])
    assert.ok(!fs.existsSync(path.join(app.dir, 'node_modules', name)), name);
  app.env.REDIS_URL = redis.url;
  const { stdout, stderr, status } = app.node('-e', ALONE);
  assert.equal(stderr, '');
  const missing = ['ERR_SOCKET_IO_MISSING', true];
  assert.deepEqual(JSON.parse(stdout), { codes: Array(4).fill(missing), error: null, value: null });
  assert.equal(status, 0);
});
