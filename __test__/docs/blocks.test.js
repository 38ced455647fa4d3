'use strict';

/** Every block of code of README and of the guides is run, type-checked or parsed. */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, describe, it } = require('node:test');
const esbuild = require('esbuild');
const { startCluster } = require('../../dev/redis-cluster.js');
const { startRedis } = require('../../dev/redis-server.js');
const { LIMIT } = require('../support/limits.js');
const { ROOT, allBlocks, blocksOf, where } = require('./markdown.js');
const { folder, run, versionOf } = require('./sandbox.js');
const { faults } = require('./shell.js');

const JAVASCRIPT = ['js', 'mjs', 'cjs'];
const TYPESCRIPT = ['ts', 'mts'];
const SHELL = ['sh', 'bash', 'shell', 'console'];
/** Data, or something for which there is nothing to check. */
const OTHER = ['json', 'diff', 'text', 'html', 'yaml', 'toml', 'promql'];

/** What cannot be installed here. */
const NOT_IN_NPM = /'uWebSockets\.js'/;

/** @param {string} text @param {'js' | 'ts'} loader @returns {string[]} its errors of syntax */
function syntax(text, loader) {
  try {
    esbuild.transformSync(text, { loader, format: 'esm', target: 'esnext', logLevel: 'silent' });
    return [];
  } catch (/** @type {any} */ error) {
    return error.errors.map((/** @type {any} */ { text: what, location }) => `line ${location?.line}: ${what}`);
  }
}

/** @param {string} text of a diff @returns {string[]} what was, and what is then */
function sides(text) {
  const lines = text.split('\n').filter((line) => !/^(---|\+\+\+|@@) /.test(line));
  return ['-', '+'].map((other, i, signs) =>
    lines
      .filter((line) => !line.startsWith(signs[1 - i]))
      .map((line) => line.slice(1))
      .join('\n'),
  );
}

/** A side of a diff is JavaScript, a part of a package.json, or commands. @param {string} side @param {string} file */
function parses(side, file) {
  const errors = syntax(side, 'ts');
  if (errors.length === 0) return [];
  try {
    JSON.parse(`{${side.trim().replace(/^\{|\}$|,$/g, '')}}`);
    return [];
  } catch {
    return /^\s*(npm|npx|node) /.test(side)
      ? faults({ file, text: side, line: 0, lang: 'sh', fragment: false })
      : errors;
  }
}

/** A client's first request, at a server of Socket.IO. @param {number[]} ports @param {string} text */
async function handshake(ports, text) {
  const route = versionOf(text) === 4 ? 'socket.io/?EIO=4&transport=polling' : 'socket.io/1/';
  for (const port of ports) {
    const response = await fetch(`http://127.0.0.1:${port}/${route}`);
    assert.equal(response.status, 200, await response.text());
  }
}

describe('the code of the pages', LIMIT, async () => {
  const blocks = await allBlocks();
  const of = (/** @type {string[]} */ langs) => blocks.filter(({ lang }) => langs.includes(lang));
  /** @type {Awaited<ReturnType<typeof startRedis>>} */
  let redis;
  /** @type {Awaited<ReturnType<typeof startCluster>>} */
  let cluster;
  before(async () => {
    [redis, cluster] = await Promise.all([startRedis(), startCluster()]);
  });
  after(() => Promise.all([redis?.stop(), cluster?.stop()]));
  const servers = () => ({ redis, cluster: cluster.running.map(({ host, port }) => `${host}:${port}`) });

  it('is in languages that are checked here', () => {
    const known = [...JAVASCRIPT, ...TYPESCRIPT, ...SHELL, ...OTHER];
    assert.deepEqual(blocks.filter(({ lang }) => !known.includes(lang)).map(where), []);
  });

  for (const block of of(JAVASCRIPT)) {
    if (block.fragment) it(`${where(block)} parses`, () => assert.deepEqual(syntax(block.text, 'js'), []));
    else it(`${where(block)} runs`, () => run(block, servers(), ({ ports }) => handshake(ports, block.text)));
  }

  it('is TypeScript that type-checks', () => {
    const dir = folder(4, { real: true });
    const whole = of(TYPESCRIPT).filter(({ fragment }) => !fragment);
    for (const [i, { text }] of whole.entries())
      fs.writeFileSync(path.join(dir, `block${i}.mts`), `${text}\nexport {};\n`);
    const types = {
      strict: true,
      noEmit: true,
      target: 'es2022',
      module: 'nodenext',
      types: ['node'],
      skipLibCheck: true,
    };
    fs.writeFileSync(path.join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions: types, include: ['*.mts'] }));
    if (whole.length === 0) return;
    const { status, stdout } = spawnSync(
      process.execPath,
      [path.join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', dir],
      { encoding: 'utf8' },
    );
    const named = stdout.replace(/\S*block(\d+)\.mts/g, (_, i) => `${where(whole[i])}: block`);
    assert.equal(status, 0, named);
  });

  for (const block of of(TYPESCRIPT).filter(({ fragment }) => fragment))
    it(`${where(block)} parses`, () => assert.deepEqual(syntax(block.text, 'ts'), []));
  for (const block of of(SHELL)) it(`${where(block)} names what is there`, () => assert.deepEqual(faults(block), []));
  for (const block of of(['json'])) it(`${where(block)} parses`, () => assert.ok(JSON.parse(block.text)));
  for (const block of of(['diff'])) {
    for (const [i, side] of sides(block.text).entries()) {
      const title = `${where(block)} ${['before', 'after'][i]}`;
      const runs = syntax(side, 'js').length === 0 && !block.fragment && !NOT_IN_NPM.test(side);
      if (runs) it(`${title} runs`, () => run({ ...block, lang: 'js', text: side }, servers()));
      else it(`${title} parses`, () => assert.deepEqual(parses(side, block.file), [], side));
    }
  }
});

describe('a page with a fault', LIMIT, () => {
  /** @type {Awaited<ReturnType<typeof startRedis>>} */
  let redis;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis?.stop());

  for (const [what, text, wanted] of [
    ['throws', "const { nothing } = require('socket.io-redis-native');\nnothing();", /nothing is not a function/],
    ['rejects', "Promise.reject(new Error('no one listens'));", /no one listens/],
    ['says something on stderr', 'adapter.emit("error", new Error("it is broken"));', /it is broken/],
    ['does not parse', 'const = 1;', /SyntaxError/],
  ]) {
    it(`is found where its block ${what}`, async () => {
      const [block] = await blocksOf(`\`\`\`js\n${text}\n\`\`\``, 'page.md');
      await assert.rejects(run(block, { redis }), /** @type {RegExp} */ (wanted));
    });
  }

  it('is found where a command names what is not there', async () => {
    const [block] = await blocksOf(
      '```sh\nnpm ci && npm run nothing # comment\nX=1 node nowhere.js\nfrobnicate\n```',
      'page.md',
    );
    assert.deepEqual(faults(block), [
      'npm has no script nothing',
      'there is no nowhere.js',
      'frobnicate is not known here',
    ]);
  });

  it('is found where one side of a diff does not parse', () => {
    const [before, then] = sides(' const a = [\n-  1,\n+  2\n+  3,\n ];');
    assert.deepEqual(parses(before, 'page.md'), []);
    assert.notDeepEqual(parses(then, 'page.md'), []);
  });
});
