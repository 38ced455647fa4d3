'use strict';

/**
 * An app of Socket.IO 4 and this package in one bundle: it works, or what the bundler or the bundle says has
 * the words to look for. Each bundle runs where nothing is installed but what it was told is external.
 */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, describe, it } = require('node:test');
const { startRedis } = require('../../dev/redis-server');
const { thisPlatform } = require('../../scripts/packages');
const { OURS, asNext, nodeLoader, withEsbuild, withNcc, withRollup, withWebpack } = require('./bundlers');
const { LIMIT } = require('../support/limits');
const { App, packLocal } = require('./support');

const KEEP_EXTERNAL = /keep[ -]socket\.io-redis-native[ -]external/;
/** What is installed beside a bundle that keeps the package external, and neither Socket.IO nor its adapter. */
const EXTERNAL = [OURS, `${OURS}-${thisPlatform()}`, 'notepack.io'];

/** Two servers, of which one asks and the other answers, with the base class that Socket.IO itself uses. */
const APP = `
  const alive = setInterval(() => {}, 1e6);
  const servers = [1, 2].map(() => new Server({ adapter: createAdapter(process.env.REDIS_URL) }));
  const up = ({ sockets }) => new Promise((resolve) => sockets.adapter.on('connect', ({ connection }) => {
    if (connection === 'sub') resolve();
  }));
  Promise.all(servers.map(up)).then(() => {
    servers[1].on('question', (answer) => answer('ünï'));
    servers[0].serverSideEmit('question', (error, answers) => {
      const atHome = servers[0].sockets.adapter instanceof new Server().adapter();
      console.log(JSON.stringify({ error, answers, atHome }));
      clearInterval(alive);
    });
  });`;
const ENTRIES = {
  'cjs.js': `const { Server } = require('socket.io'); const { createAdapter } = require('${OURS}');${APP}`,
  'esm.mjs': `import { Server } from 'socket.io'; import { createAdapter } from '${OURS}';${APP}`,
};
const WORKS = { error: null, answers: ['ünï'], atHome: true };

/** The banner that esbuild's users put before ES modules with CommonJS in them. */
const REQUIRE = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;

/** Those that hold everything. @type {Record<string, import('./bundlers').Bundle>} */
const WHOLE = {
  'webpack, with node-loader': withWebpack(nodeLoader),
  'esbuild, with --loader:.node=copy': withEsbuild({ loader: { '.node': 'copy' } }),
  'esbuild, with --loader:.node=file': withEsbuild({ loader: { '.node': 'file' } }),
  'esbuild, to ES modules': withEsbuild({ loader: { '.node': 'copy' }, format: 'esm', banner: { js: REQUIRE } }),
  ncc: withNcc({}),
};
/** Those that keep the package external, and have Socket.IO inside. @type {Record<string, import('./bundlers').Bundle>} */
const KEEPING = {
  'webpack, with externals': withWebpack({ externals: { [OURS]: `commonjs ${OURS}` } }),
  'webpack as Next uses it, with serverExternalPackages': withWebpack(asNext),
  'esbuild, with --external': withEsbuild({ external: [OURS] }),
  'rollup, with external': withRollup({ external: [OURS] }, { format: 'cjs' }),
  'rollup, with external, to ES modules': withRollup({ external: [OURS] }, { format: 'es' }),
  'ncc, with -e': withNcc({ externals: [OURS] }),
};
/** Those that cannot take `.node` files. @type {Record<string, import('./bundlers').Bundle>} */
const FAILING = {
  'webpack, without a loader': withWebpack({}),
  'esbuild, without a loader': withEsbuild({}),
};
/** Those that leave the platform's package outside without a word. @type {Record<string, import('./bundlers').Bundle>} */
const LACKING = {
  rollup: withRollup({}, { format: 'cjs' }),
  'rollup, to ES modules': withRollup({}, { format: 'es' }),
};

describe('a bundle', LIMIT, () => {
  /** @type {Awaited<ReturnType<typeof startRedis>>} */
  let redis;
  /** @type {App} */
  let app;
  let bundles = 0;
  before(async () => {
    const { platform, main } = packLocal();
    app = new App();
    app.install([main.tarball, platform.tarball], ['socket.io@4.8']);
    for (const [file, text] of Object.entries(ENTRIES)) app.write(file, text);
    redis = await startRedis();
  });
  after(() => redis?.stop());

  /**
   * Builds in a folder from which no package is seen.
   * @param {import('./bundlers').Bundle} bundle
   * @param {string} name
   */
  async function build(bundle, name) {
    const out = path.join(path.dirname(app.dir), `bundle-${bundles++}`);
    fs.mkdirSync(out);
    const isModule = name.includes('ES modules');
    fs.writeFileSync(path.join(out, 'package.json'), JSON.stringify({ type: isModule ? 'module' : 'commonjs' }));
    await bundle(path.join(app.dir, name.includes('rollup') ? 'esm.mjs' : 'cjs.js'), out);
    return out;
  }

  /** @param {string} out */
  function run(out) {
    const env = { ...app.env, REDIS_URL: redis.url };
    return spawnSync(process.execPath, ['main.js'], { cwd: out, env, encoding: 'utf8' });
  }

  for (const [name, bundle] of Object.entries(WHOLE)) {
    it(`of ${name}, works on its own`, async () => {
      const { stdout, stderr } = run(await build(bundle, name));
      assert.deepEqual(JSON.parse(stdout || stderr), WORKS);
    });
  }

  for (const [name, bundle] of Object.entries(KEEPING)) {
    it(`of ${name}, works beside the package`, async () => {
      const out = await build(bundle, name);
      for (const each of EXTERNAL) {
        fs.cpSync(path.join(app.dir, 'node_modules', each), path.join(out, 'node_modules', each), { recursive: true });
      }
      const { stdout, stderr } = run(out);
      assert.deepEqual(JSON.parse(stdout || stderr), WORKS);
    });
  }

  for (const [name, bundle] of Object.entries(FAILING)) {
    it(`of ${name}, is not made, and the bundler says what to do`, async () => {
      await assert.rejects(build(bundle, name), ({ message }) => {
        assert.match(message, KEEP_EXTERNAL);
        return true;
      });
    });
  }

  for (const [name, bundle] of Object.entries(LACKING)) {
    it(`of ${name}, says what to do where the platform's package is missing`, async () => {
      const { status, stderr } = run(await build(bundle, name));
      assert.notEqual(status, 0);
      assert.match(stderr, KEEP_EXTERNAL);
    });
  }
});
