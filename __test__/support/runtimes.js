'use strict';

/**
 * The JavaScript runtimes that the package promises to run on, each from a package of the registry
 * that brings the binary. They are kept outside the tree, for the next run.
 */

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const versions = require('../../versions.json');

const CACHE = path.join(os.tmpdir(), 'socket.io-redis-native-runtimes');
const MAJORS = versions.node.tested;
const NODE_PACKAGE = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
/** Bun's own names; for processors of every age where there is such a build. */
const BUN_PACKAGE = `@oven/bun-${process.platform === 'win32' ? 'windows' : process.platform}-${
  { x64: 'x64-baseline', arm64: 'aarch64' }[process.arch] ?? process.arch
}`;
const EXE = process.platform === 'win32' ? '.exe' : '';

/**
 * @typedef {object} Runtime
 * @property {string} name
 * @property {string} [file] the binary; without it
 * @property {string} [missing] why there is none
 */

/**
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<{ code: number | null, signal: string | null, stdout: string, stderr: string }>} how it ended
 */
async function run(command, args, options = {}) {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  for (const stream of /** @type {const} */ (['stdout', 'stderr'])) {
    child[stream].setEncoding('utf8').on('data', (text) => {
      said[stream] += text;
    });
  }
  const [code, signal] = await once(child, 'close');
  return { code, signal, ...said };
}

/**
 * The binary of a package, which is installed unless it is in the cache.
 * @param {string} name of the runtime
 * @param {string} packageName
 * @param {string} version
 * @param {string} binary
 * @returns {Promise<Runtime>}
 */
async function install(name, packageName, version, binary) {
  const home = path.join(CACHE, name);
  const file = path.join(home, 'node_modules', packageName, 'bin', binary + EXE);
  if (!fs.existsSync(file)) {
    fs.mkdirSync(CACHE, { recursive: true });
    // Elsewhere, and moved when it is whole: another run may be at the same.
    const draft = fs.mkdtempSync(path.join(CACHE, 'draft-'));
    const flags = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund'];
    const { code, stderr } = await run('npm', ['install', '--prefix', draft, ...flags, `${packageName}@${version}`], {
      shell: process.platform === 'win32',
    });
    try {
      if (code === 0) fs.renameSync(draft, home);
    } catch {
      /* the other run was faster */
    }
    fs.rmSync(draft, { recursive: true, force: true });
    if (!fs.existsSync(file)) return unavailable(name, `${packageName}@${version} cannot be installed: ${stderr}`);
  }
  const { code, stderr } = await run(file, ['--version']);
  return code === 0 ? { name, file } : unavailable(name, `it does not run here: ${stderr}`);
}

/** In CI every runtime has to be there; elsewhere its tests are skipped, with this reason. */
function unavailable(name, missing) {
  if (process.env.CI) throw new Error(`${name}: ${missing}`);
  return { name, missing };
}

/** @param {number} major */
function node(major) {
  return install(`node-${major}`, NODE_PACKAGE, String(major), 'node');
}

function bun() {
  return install('bun-1', BUN_PACKAGE, '1', 'bun');
}

module.exports = { MAJORS, bun, node, run };
