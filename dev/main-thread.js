'use strict';

const fs = require('node:fs');

/**
 * Nanoseconds that the event loop's thread of this process has spent on a CPU so far.
 * @returns {number} outside Linux, those of all its threads
 */
function mainThreadNs() {
  try {
    return Number(fs.readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ', 1)[0]);
  } catch {
    const { user, system } = process.cpuUsage();
    return (user + system) * 1000;
  }
}

module.exports = { mainThreadNs };
