'use strict';

/** A thousand threads with a store each, terminated in mid-flight. */

const assert = require('node:assert/strict');
const { after, before, it } = require('node:test');

const { startRedis } = require('../../dev/redis-server.js');
const { LIMIT } = require('../support/limits.js');
const { clientList, until } = require('../support/stores.js');
const { runProgram } = require('./store-programs.js');

/** How many before the first look, in all, and at once. */
const LOAD = { first: 200, all: 1000, together: 8 };
/**
 * Less than the native side of one store takes (its sockets' buffers alone take more), so that no
 * store, and no part of its tasks, can be left of each. Measured: 1 to 3 KB each, with all that Node
 * itself may keep of a thread; once 13 KB on a busy machine, where the first look came before a peak.
 */
const EACH = 16 * 1024;

let server;
before(async () => {
  server = await startRedis();
});
after(() => server.stop());

it('leaves nothing of 1,000 threads that are terminated while messages pour in', LIMIT, async (t) => {
  const { child, reported, ended } = runProgram(t, 'threads', { url: server.url, ...LOAD });
  const { before: early, after: late } = await reported;
  t.diagnostic(JSON.stringify({ early, late }));
  // All connections to Redis are gone but those of the store that has published.
  await until(async () => (await clientList(server)).length === 2);
  assert.deepEqual([late.files, late.threads], [early.files, early.threads]);
  const most = (LOAD.all - LOAD.first) * EACH;
  assert.ok(late.rss - early.rss < most, `${late.rss - early.rss} bytes more of the process`);
  assert.ok(late.heapUsed - early.heapUsed < most / 4, `${late.heapUsed - early.heapUsed} bytes more in the heap`);
  child.send('end');
  assert.deepEqual(await ended, { code: 0, signal: null, output: '' });
  await until(async () => (await clientList(server)).length === 0);
});
