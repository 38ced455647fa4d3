'use strict';

const fs = require('node:fs');

/**
 * What this process has used so far.
 * @returns {{ mainNs: number, cpuUs: number, rss: number }} `mainNs`: nanoseconds that the event
 *   loop's thread spent on a CPU; `cpuUs`: microseconds of all threads; `rss`: bytes
 */
function reading() {
  const schedstat = fs.readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8');
  const { user, system } = process.cpuUsage();
  return { mainNs: Number(schedstat.split(' ', 1)[0]), cpuUs: user + system, rss: process.memoryUsage.rss() };
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
  };
}

module.exports = { reading, since };
