'use strict';

const fs = require('node:fs');
const { mainThreadNs } = require('../dev/main-thread');

const HIGH_WATER = /VmHWM:\s+(\d+) kB/;
const SLEEP = new Int32Array(new SharedArrayBuffer(4));

/** The kernel accounts for a thread's time when it leaves a CPU, else only every few milliseconds. */
function leaveCpu() {
  Atomics.wait(SLEEP, 0, 0, 1);
}

/**
 * What this process has used so far.
 * @returns {{ mainNs: number, cpuUs: number, rss: number, peak: number }} `mainNs`: nanoseconds that the event
 *   loop's thread spent on a CPU; `cpuUs`: microseconds of all threads; `rss`, `peak`: bytes of
 *   memory, now and at the most
 */
function reading() {
  leaveCpu();
  const { user, system } = process.cpuUsage();
  return {
    mainNs: mainThreadNs(),
    cpuUs: user + system,
    rss: process.memoryUsage.rss(),
    // Not `process.resourceUsage()`: its peak may be that of the process which forked this one.
    peak: Number(HIGH_WATER.exec(fs.readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024,
  };
}

/**
 * What was used between two readings, for each of `count` messages.
 * @param {ReturnType<typeof reading>} before
 * @param {number} count
 */
function since(before, count) {
  const now = reading();
  return {
    main: (now.mainNs - before.mainNs) / 1000 / count,
    cpu: (now.cpuUs - before.cpuUs) / count,
    rss: now.rss,
    peak: now.peak,
  };
}

module.exports = { reading, since };
