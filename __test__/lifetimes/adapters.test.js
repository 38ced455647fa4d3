'use strict';

/** Adapters of Socket.IO 4: threads terminated in mid-flight, and namespaces that come and go. */

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const { after, afterEach, before, it } = require('node:test');

const { startRedis } = require('../../dev/redis-server.js');
const { LIMIT } = require('../support/limits.js');
const { clientList, until } = require('../support/stores.js');

const PROGRAMS = require.resolve('./adapter-programs.js');
/** V8 would enlarge the young generation under load, and hide what the native side keeps. */
const FLAGS = ['--expose-gc', '--max-semi-space-size=1'];

/** How many before the first look, in all, and at once. */
const THREADS = { first: 20, all: 70, together: 5 };
const NAMESPACES = { first: 1000, all: 4000 };
/** Less than the buffers of one adapter's connections take, so that none of each can be left. */
const EACH_THREAD = 128 * 1024;
/** Less than one namespace takes with its adapter, its channels and its rooms on both sides. */
const EACH_NAMESPACE = 2 * 1024;

let server;
before(async () => {
  server = await startRedis();
});
after(() => server.stop());
afterEach(() => until(async () => (await clientList(server)).length === 0));

/**
 * Starts a program in a process of its own.
 * @param {import('node:test').TestContext} t
 * @param {string} program
 * @param {object} settings
 */
function runProgram(t, program, settings) {
  const child = fork(PROGRAMS, [program, JSON.stringify({ url: server.url, ...settings })], { execArgv: FLAGS });
  const ended = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const early = ended.then((how) => {
    throw new Error(`it ended and reported nothing: ${how}`);
  });
  return { child, ended, reported: Promise.race([once(child, 'message').then(([message]) => message), early]) };
}

it('nothing is left of 70 threads that are terminated while their adapters are in use', LIMIT, async (t) => {
  const { child, ended, reported } = runProgram(t, 'threads', THREADS);
  const { early, late } = await reported;
  t.diagnostic(JSON.stringify({ early, late }));
  // All connections to Redis are gone but those of the process itself.
  await until(async () => (await clientList(server)).length === 2);
  assert.deepEqual(await server.command('PUBSUB', 'NUMSUB', 'socket.io-request#/#'), ['socket.io-request#/#', 1]);
  assert.deepEqual([late.files, late.threads], [early.files, early.threads]);
  const most = (THREADS.all - THREADS.first) * EACH_THREAD;
  assert.ok(late.rss - early.rss < most, `${late.rss - early.rss} bytes more of the process`);
  assert.ok(late.heapUsed - early.heapUsed < most / 4, `${late.heapUsed - early.heapUsed} bytes more in the heap`);
  child.send('end');
  assert.deepEqual(await ended, [0, null]);
});

for (const subscriptionMode of ['pattern', 'dynamic', 'dynamic-private']) {
  it(`${subscriptionMode}: nothing is left of 4,000 namespaces that are opened and closed`, LIMIT, async (t) => {
    const { ended, reported } = runProgram(t, 'namespaces', { ...NAMESPACES, subscriptionMode });
    const { early, late } = await reported;
    t.diagnostic(JSON.stringify({ early, late }));
    assert.deepEqual([late.files, late.threads], [early.files, early.threads]);
    const most = (NAMESPACES.all - NAMESPACES.first) * EACH_NAMESPACE;
    assert.ok(late.rss - early.rss < most, `${late.rss - early.rss} bytes more of the process`);
    assert.ok(late.heapUsed - early.heapUsed < most / 4, `${late.heapUsed - early.heapUsed} bytes more in the heap`);
    assert.deepEqual(await ended, [0, null]);
  });
}

it('servers and adapters that are closed are collected', LIMIT, async (t) => {
  const { ended, reported } = runProgram(t, 'servers', { count: 20 });
  assert.equal(await reported, 'collected');
  assert.deepEqual(await ended, [0, null]);
});
