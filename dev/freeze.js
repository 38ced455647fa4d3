'use strict';

const fs = require('node:fs');
const { spawnSync } = require('node:child_process');

const POLL = 1;
const clock = new Int32Array(new SharedArrayBuffer(4));

/**
 * Stops a process as SIGSTOP does, and returns once it stands still: on a busy machine its threads go on for some tens
 * of ms after the signal.
 * @param {number} pid of a process that has not been waited for; SIGCONT lets it go on
 */
function freeze(pid) {
  process.kill(pid, 'SIGSTOP');
  while (statesOf(pid).some((state) => !/[TZX]/.test(state))) Atomics.wait(clock, 0, 0, POLL);
}

/**
 * @param {number} pid
 * @returns {string[]} the state of each thread on Linux, of the process elsewhere; none where it is gone
 */
function statesOf(pid) {
  if (process.platform !== 'linux') {
    return spawnSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' }).stdout.match(/\S+/g) ?? [];
  }
  return fs.readdirSync(`/proc/${pid}/task`).map((thread) => stateOf(`/proc/${pid}/task/${thread}/stat`));
}

/** @param {string} file what Linux says of a thread @returns {string} */
function stateOf(file) {
  try {
    const stat = fs.readFileSync(file, 'latin1');
    return stat.charAt(stat.lastIndexOf(')') + 2); // its name, before, can hold anything
  } catch {
    return 'X'; // it has ended meanwhile
  }
}

module.exports = { freeze };
