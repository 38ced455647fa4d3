'use strict';

/** What a user's machine has: npm and Node, no Rust, and a fresh app in a directory of its own. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { which } = require('../../dev/redis-server');
const { ROOT, packAll, thisPlatform } = require('../../scripts/packages');

const RUST = ['cargo', 'rustc', 'rustup'];
const SOCKET_IO = 'socket.io@0.9.19';

/** @returns {string} a directory that is gone when this process is */
function temporary() {
  const dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'sio-redis-package-')));
  process.on('exit', () => fs.rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Packs the main package and this platform's. */
function packLocal() {
  const out = temporary();
  const [platform, main] = packAll({ out, binaries: path.join(ROOT, 'lib/native'), only: [thisPlatform()] });
  return { platform, main };
}

/**
 * @param {string} bin a directory of the app's, first on PATH
 * @returns {NodeJS.ProcessEnv} this process's environment without Rust, and without what `npm run` puts there
 */
function environment(bin) {
  const env = { ...process.env };
  for (const key of Object.keys(env)) {
    if (/^(npm_|CARGO|RUST|NODE_TEST|NAPI_RS_)/i.test(key) && !/^npm_config_(registry|cache|userconfig)$/i.test(key)) {
      delete env[key];
    }
  }
  const hasRust = (/** @type {string} */ dir) => RUST.some((tool) => fs.existsSync(path.join(dir, tool)));
  const dirs = (process.env.PATH ?? '').split(path.delimiter).filter((dir) => dir && !hasRust(dir));
  env.PATH = [bin, ...dirs].join(path.delimiter);
  return env;
}

/** @returns {string} npm's own program */
function npmCli() {
  const given = process.env.npm_execpath;
  const found = which('npm');
  const program = given?.endsWith('npm-cli.js') ? given : found && fs.realpathSync(found);
  if (!program?.endsWith('npm-cli.js'))
    throw new Error("npm's program is not found: start this with `npm run test:package`");
  return program;
}

/** A user's app. */
class App {
  constructor() {
    this.dir = path.join(temporary(), 'app');
    const bin = path.join(this.dir, 'bin');
    fs.mkdirSync(bin, { recursive: true });
    // Node may live beside Rust, in a directory that is not on the app's PATH.
    fs.symlinkSync(process.execPath, path.join(bin, 'node'));
    this.env = environment(bin);
    this.write('package.json', JSON.stringify({ name: 'app', version: '1.0.0', private: true }));
  }

  /** @param {string} file @param {string} text */
  write(file, text) {
    fs.writeFileSync(path.join(this.dir, file), text);
    return path.join(this.dir, file);
  }

  /** @param {...string} args of node @returns {{ status: number | null, stdout: string, stderr: string }} */
  node(...args) {
    return spawnSync(process.execPath, args, { cwd: this.dir, env: this.env, encoding: 'utf8' });
  }

  /**
   * What the checkout's own `npm ci` brought is in npm's cache; only where that is gone, the
   * registry is asked.
   * @param {string[]} tarballs
   * @param {string[]} [packages] what else the app depends on
   */
  install(tarballs, packages = [SOCKET_IO]) {
    const copies = tarballs.map((file) => {
      fs.copyFileSync(file, path.join(this.dir, path.basename(file)));
      return `./${path.basename(file)}`;
    });
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--logs-max=0'];
    for (const source of ['--offline', '--prefer-offline']) {
      const result = this.node(npmCli(), 'install', source, ...flags, ...copies, ...packages);
      if (result.status === 0) return;
      if (source === '--prefer-offline') throw new Error(`npm install failed:\n${result.stdout}${result.stderr}`);
    }
  }
}

module.exports = { App, RUST, packLocal };
