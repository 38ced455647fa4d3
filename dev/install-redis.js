'use strict';

/**
 * Finds a Redis server on this machine, or installs one. As a program it does that before anything that takes
 * long; with `--unless-url`, only where REDIS_URL names none:
 *
 *     node dev/install-redis.js [--unless-url]
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const WANTED = ['redis-server', 'valkey-server'];
const MISSING = `No ${WANTED.join(' or ')} on PATH`;
/** How to do without what is installed here. */
const INSTEAD = 'set REDIS_SERVER to the path of another one (or, for the demo alone, REDIS_URL to where one runs)';

/**
 * @param {string} file
 * @returns {boolean} whether it is a program
 */
function isProgram(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * @param {string} name
 * @returns {string | null} the first program of that name on PATH
 */
function which(name) {
  const dirs = (process.env.PATH ?? '').split(path.delimiter).filter(Boolean);
  return dirs.map((dir) => path.join(dir, name)).find(isProgram) ?? null;
}

/**
 * @returns {string | null} path of the server that REDIS_SERVER names, else of `redis-server` or `valkey-server`
 * @throws {Error} when REDIS_SERVER names none
 */
function findRedisServer() {
  const asked = process.env.REDIS_SERVER;
  if (!asked) return WANTED.map(which).find(Boolean) ?? null;
  const found = isProgram(asked) ? path.resolve(asked) : which(asked);
  if (found) return found;
  throw new Error(`REDIS_SERVER is "${asked}", which is no program: let it be the path of a redis-server.`);
}

/**
 * How this machine installs Redis.
 * @returns {{ shown: string, commands: string[][] } | null}
 * @throws {Error} when that would ask for a password
 */
function installer() {
  if (which('apt-get')) return aptInstaller();
  if (which('brew')) return { shown: 'brew install redis', commands: [['brew', 'install', 'redis']] };
  return null;
}

function aptInstaller() {
  const install = 'apt-get install redis-server';
  const asRoot = process.getuid?.() === 0;
  if (!asRoot && !which('sudo')) throw new Error(`${MISSING}: run "${install}" as root and try again, or ${INSTEAD}.`);
  // Only with -n does it fail where it would ask.
  if (!asRoot && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status !== 0) {
    throw new Error(
      `${MISSING}, and sudo would ask for a password here: run "sudo ${install}" and try again, or ${INSTEAD}.`,
    );
  }
  const sudo = asRoot ? [] : ['sudo', '-n'];
  // Runlevel 1: Debian would start the service, and no Redis is needed on 6379 here. Another apt-get may be at work.
  const apt = ['env', 'DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1', 'apt-get', '-o', 'DPkg::Lock::Timeout=600'];
  return {
    shown: [...sudo, install].join(' '),
    commands: [
      [...sudo, ...apt, 'update'],
      [...sudo, ...apt, 'install', '-y', 'redis-server'],
    ],
  };
}

/**
 * @returns {string} path of a Redis server, which is installed when there is none
 * @throws {Error} that says in words what to do
 */
function ensureRedisServer() {
  const found = findRedisServer();
  if (found) return found;
  const way = installer();
  if (!way)
    throw new Error(`${MISSING}, nor apt-get or brew to install it: install Redis and try again, or ${INSTEAD}.`);
  // It goes to stderr with what follows: stdout may be a test report.
  console.error(`${MISSING}: installing it by "${way.shown}"; to use another one, stop this and ${INSTEAD}.`);
  for (const [command, ...args] of way.commands) spawnSync(command, args, { stdio: ['ignore', 2, 2] });
  const installed = findRedisServer();
  if (installed) return installed;
  throw new Error(`"${way.shown}" has failed: install Redis and try again, or ${INSTEAD}.`);
}

module.exports = { ensureRedisServer, findRedisServer, which };

if (require.main === module && !(process.argv.includes('--unless-url') && process.env.REDIS_URL)) {
  try {
    ensureRedisServer();
  } catch (error) {
    console.error(/** @type {Error} */ (error).message);
    process.exitCode = 1;
  }
}
