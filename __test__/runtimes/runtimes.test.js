'use strict';

/** The package on every runtime that it promises, and in every way of running several of it. */

const assert = require('node:assert/strict');
const path = require('node:path');
const { after, afterEach, before, describe, it } = require('node:test');

const { NO_PORT, startRedis } = require('../../dev/redis-server.js');
const { LIMIT } = require('../support/limits.js');
const { MAJORS, bun, node, run } = require('../support/runtimes.js');
const { clientList, until } = require('../support/stores.js');

const SCRIPTS = {
  'passes the smoke test': 'smoke.js',
  'passes it in several threads at once': 'threads.js',
  'passes it in a cluster, whose servers share a port': 'cluster.js',
  'loads the package several times': 'twice.js',
};
/** Socket.IO 0.9 uses what is deprecated by now. */
const NODE_FLAGS = ['--no-deprecation', '--no-warnings', '--experimental-vm-modules'];

let server;
let settings;
before(async () => {
  server = await startRedis();
  settings = JSON.stringify({ url: server.url, nowhere: `redis://127.0.0.1:${NO_PORT}` });
});
after(() => server.stop());
afterEach(async () => {
  // The processes are gone, and left nothing.
  assert.equal(await server.command('DBSIZE'), 0);
  await until(async () => (await clientList(server)).length === 0);
});

const RUNTIMES = [
  ...MAJORS.map((major) => ({ name: `Node ${major}`, get: () => node(major), flags: NODE_FLAGS })),
  { name: 'Bun', get: bun, flags: [] },
];

for (const { name, get, flags } of RUNTIMES) {
  describe(name, LIMIT, () => {
    let runtime;
    before(async () => {
      runtime = await get();
    });

    for (const [does, script] of Object.entries(SCRIPTS)) {
      it(does, async (t) => {
        if (runtime.missing) return t.skip(runtime.missing);
        const ended = await run(runtime.file, [...flags, path.join(__dirname, script), settings], { signal: t.signal });
        assert.deepEqual(ended, { code: 0, signal: null, stdout: 'ok\n', stderr: '' });
      });
    }
  });
}
