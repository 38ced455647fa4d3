'use strict';

/**
 * A process of its own for store/tls-environment.test.js, with Node's flags and variables: prints whether Node
 * and we connect to a port with the same options, and what ours has warned of.
 */

const tls = require('node:tls');

const { RedisStore } = require('../..');

const HOST = '127.0.0.1';
const [, , port, text] = process.argv;
const options = JSON.parse(text);

/** @type {{ code?: string, message: string }[]} */
const warnings = [];
process.on('warning', (warning) => warnings.push(warning));

function nodes() {
  return new Promise((resolve) => {
    const socket = tls.connect({ host: HOST, port, ...options });
    socket.once('error', () => resolve(null));
    socket.once('secureConnect', () => {
      resolve([socket.getProtocol(), socket.getCipher().standardName]);
      socket.destroy();
    });
  });
}

function ours() {
  const endpoint = { host: HOST, port, tls: options };
  const store = new RedisStore({ redisPub: endpoint, redisSub: endpoint, redisClient: endpoint });
  return new Promise((resolve) => {
    store.on('connect', () => resolve(true)).on('error', () => resolve(false));
  }).finally(() => store.destroy());
}

(async () => {
  const verdicts = { node: await nodes(), our: await ours() };
  // Warnings come a tick later.
  setImmediate(() => {
    const told = warnings
      .filter(({ code }) => code?.startsWith('WARN_'))
      .map(({ code, message }) => `${code} ${message}`);
    process.stdout.write(JSON.stringify({ ...verdicts, told }));
  });
})();
