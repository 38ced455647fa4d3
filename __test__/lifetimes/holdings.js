'use strict';

const { readdirSync } = require('node:fs');

/** Collects garbage, and what only that garbage kept. */
async function collect() {
  for (let i = 0; i < 10; i++) {
    global.gc();
    await new Promise(setImmediate);
  }
}

/** What this process has, in bytes and in numbers. */
async function holdings() {
  await collect();
  const { rss, heapUsed } = process.memoryUsage();
  return {
    rss,
    heapUsed,
    files: readdirSync('/proc/self/fd').length,
    threads: readdirSync('/proc/self/task').length,
  };
}

module.exports = { collect, holdings };
