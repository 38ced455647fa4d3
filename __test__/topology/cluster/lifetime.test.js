'use strict';

/** A process with stores and adapters on a cluster ends by itself, and leaves nothing. */

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const path = require('node:path');
const { it } = require('node:test');
const { promisify } = require('node:util');

const { LIMIT, PATIENCE } = require('../../support/limits');
const { connections, startCluster, until } = require('./fixture');

const PROGRAM = `
  const { once } = require('node:events');
  const { Server } = require('socket.io-4');
  const { RedisStore, createAdapter } = require('./index.js');
  const cluster = { cluster: JSON.parse(process.argv[1]) };
  (async () => {
    const store = new RedisStore({ redisPub: cluster, redisSub: cluster, redisClient: cluster });
    const io = new Server(0, { adapter: createAdapter(cluster, {}) });
    await new Promise((resolve) => store.client('id').set('key', 'value', resolve));
    await new Promise((resolve) => store.subscribe('news', () => {}, resolve));
    console.log(await io.of('/').adapter.serverCount());
    await io.close();
    store.destroy();
    await once(store, 'close');
  })();
`;

it('a process ends when all is closed', LIMIT, async (t) => {
  const cluster = await startCluster();
  t.after(() => cluster.stop());
  const cwd = path.join(__dirname, '../../..');
  const args = ['-e', PROGRAM, JSON.stringify(cluster.urls)];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd, timeout: PATIENCE });
  assert.match(stdout, /^[01]\n$/);
  assert.equal(stderr, '');
  await until('all connections to be closed', async () => (await connections(cluster)).length === 0);
});
