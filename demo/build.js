'use strict';

/**
 * Compiles the native part, unless it is up to date: `napi build` compiles a second time after the first, as it sets
 * another environment then. Says before how long it takes.
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const ROOT = path.join(__dirname, '..');
const SOURCES = ['src', 'Cargo.toml', 'Cargo.lock', 'build.rs', '.cargo'];
/** Minutes of one core that the first build takes, and how far more cores help: the last step runs on one. */
const CORE_MINUTES = 8;
const LEAST_MINUTES = 2;

/**
 * @param {string} file
 * @returns {number} when it, or what is newest in it, was changed: ms since the epoch; 0 where it is not there
 */
function changedAt(file) {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(0, ...fs.readdirSync(file).map((name) => changedAt(path.join(file, name))));
}

/**
 * @param {string} root where the sources and `lib/native` are
 * @returns {boolean} whether there is a native part for this machine that is newer than what it is made from
 */
function isUpToDate(root) {
  const directory = path.join(root, 'lib', 'native');
  const names = fs.existsSync(directory) ? fs.readdirSync(directory) : [];
  const built = names.filter((name) => name.includes(`.${process.platform}-${process.arch}`) && name.endsWith('.node'));
  if (built.length === 0) return false;
  const oldest = Math.min(...built.map((name) => changedAt(path.join(directory, name))));
  return SOURCES.every((name) => changedAt(path.join(root, name)) <= oldest);
}

/** @param {number} cores @returns {string} what is said before it is compiled */
function announcement(cores) {
  const minutes = Math.max(LEAST_MINUTES, Math.round(CORE_MINUTES / cores));
  return `Compiling once: about ${minutes} minutes on ${cores} ${cores === 1 ? 'core' : 'cores'}`;
}

function main() {
  if (isUpToDate(ROOT)) return console.log('The native part is up to date: nothing is compiled');
  console.log(announcement(os.availableParallelism?.() ?? os.cpus().length));
  const { status, error } = spawnSync('npm', ['run', 'build'], {
    cwd: ROOT,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (error) console.error(`npm run build did not start: ${error.message}`);
  process.exitCode = status ?? 1;
}

if (require.main === module) main();

module.exports = { announcement, isUpToDate };
