'use strict';

/** How a process ends that has a server of Socket.IO 0.9, or a reply under way. */

const assert = require('node:assert/strict');
const path = require('node:path');
const { after, before, it } = require('node:test');

const { NO_PORT, startRedis } = require('../../dev/redis-server.js');
const { LIMIT } = require('../support/limits.js');
const { run } = require('../support/runtimes.js');

const ROOT = path.join(__dirname, '../..');
const STORE = `const { RedisStore } = require('.'); const [, url] = process.argv;
  const store = new RedisStore({ redisPub: url, redisSub: url, redisClient: url }); store.on('error', () => {});`;
const SERVER = `${STORE}
  const server = require('http').createServer(); const manager = require('socket.io').listen(server, { log: false });
  manager.set('store', store);
  const leave = () => { store.destroy(); server.close(); };`;

let server;
let nowhere;
before(async () => {
  server = await startRedis();
  nowhere = `redis://127.0.0.1:${NO_PORT}`;
});
after(() => server.stop());

const runScript = (t, script, url) =>
  run(process.execPath, ['--no-deprecation', '-e', script, url], { cwd: ROOT, signal: t.signal });
const WELL = { code: 0, signal: null, stdout: '', stderr: '' };

it('ends by itself when its server and store are closed', LIMIT, async (t) => {
  const script = `${SERVER} server.listen(0, '127.0.0.1', () => store.client('id').get('key', leave));`;
  assert.deepEqual(await runScript(t, script, server.url), WELL);
});

it('ends by itself when its server and store are closed though Redis is absent', LIMIT, async (t) => {
  for (const when of [
    "server.listen(0, '127.0.0.1', leave);",
    "server.listen(0, '127.0.0.1'); store.once('reconnecting', leave);",
  ]) {
    assert.deepEqual(await runScript(t, `${SERVER} ${when}`, nowhere), WELL);
  }
});

it('ends with the code of process.exit() in the callback of a reply', LIMIT, async (t) => {
  const script = `${STORE} for (let i = 0; i < 1000; i++) {
    store.publish('message', i); store.client('id').get('key', () => { if (i === 500) process.exit(7); }); }`;
  assert.deepEqual(await runScript(t, script, server.url), { ...WELL, code: 7 });
});

it('goes on after an exception in the callback of a reply, when the application says so', LIMIT, async (t) => {
  const script = `${STORE} process.on('uncaughtException', (error) => console.log(error.message));
    store.client('id').get('key', () => { throw new Error('of the callback'); });
    store.client('id').get('key', () => store.destroy());`;
  assert.deepEqual(await runScript(t, script, server.url), { ...WELL, stdout: 'of the callback\n' });
});
