'use strict';

/**
 * Everything the package does, once, with plain asserts and no test runner, so that it runs on
 * any runtime: `node smoke.js '{"url": "redis://…", "nowhere": "redis://…"}'`. Prints `ok`, and
 * then has to end by itself. Without arguments it starts a Redis of its own.
 */

const { parts: adapterParts } = require('./adapter-smoke');
const { parts: storeParts } = require('./store-smoke');

/**
 * @typedef {object} Settings
 * @property {string} url Redis'
 * @property {string} nowhere where no Redis is
 * @property {string} [prefix] of channels and ids, so that several can run on one Redis
 * @property {string[]} [parts] only these
 */

const parts = { ...adapterParts, ...storeParts };

/** @param {Settings} settings */
async function smoke(settings) {
  const all = { prefix: `${process.pid}:${Math.random()}:`, ...settings };
  for (const name of settings.parts ?? Object.keys(parts)) {
    try {
      await parts[name](all);
    } catch (error) {
      error.message = `${name}: ${error.message}`;
      throw error;
    }
  }
}

async function main(argument) {
  if (argument) {
    await smoke(JSON.parse(argument));
  } else {
    const { NO_PORT, startRedis } = require('../../dev/redis-server');
    const server = await startRedis();
    await smoke({ url: server.url, nowhere: `redis://127.0.0.1:${NO_PORT}` });
    await server.stop();
  }
  console.log('ok');
}

// In a worker there is a main module too, and it is this one.
if (require.main === module) main(process.argv[2]);

module.exports = { main, parts };
