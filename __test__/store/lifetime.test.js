'use strict';

/** What a store means for the life of its process and its threads. */

const assert = require('node:assert/strict');
const { after, afterEach, before, describe, it } = require('node:test');

const { RedisStore } = require('../..');
const { NO_PORT, startRedis } = require('../../dev/redis-server.js');
const { LIMIT } = require('../support/limits.js');
const { ask, clientList, inbox, opener, subscribe, until } = require('../support/stores.js');
const { runProgram } = require('./programs.js');

const WELL = { code: 0, signal: null, output: '' };

let server;
let nowhere; // where no Redis is
before(async () => {
  server = await startRedis();
  nowhere = `redis://127.0.0.1:${NO_PORT}`;
});
after(() => server.stop());
afterEach(() => server.command('FLUSHALL'));

const open = opener(RedisStore, () => server);

/** Publishes numbers until it is told to stop. */
function flood(store, channel) {
  let i = 0;
  let going = true;
  (function more() {
    if (!going) return;
    for (let n = 0; n < 200; n++) store.publish(channel, i++);
    // No more than Redis has taken: this process has other things to do as well.
    store.client('flood').has('key', more);
  })();
  return () => {
    going = false;
  };
}

describe('a process', LIMIT, () => {
  it('ends by itself after destroy()', async (t) => {
    assert.deepEqual(await runProgram(t, 'use', { url: server.url }).ended, WELL);
    assert.equal(await server.command('DBSIZE'), 0);
  });

  it('ends by itself after unref(), and after destroy() of a store without listeners', async (t) => {
    assert.deepEqual(await runProgram(t, 'unref', { url: server.url }).ended, WELL);
    assert.deepEqual(await runProgram(t, 'deafen', { url: server.url }).ended, WELL);
  });

  it('ends by itself when the store is destroyed in the tick that made it', async (t) => {
    const { reported, ended } = runProgram(t, 'destroy', { url: server.url, publishes: 10 });
    assert.deepEqual(await ended, WELL);
    assert.equal((await reported.next())[0], 0);
  });

  it('ends by itself though Redis is absent: at once with nothing queued', async (t) => {
    for (const later of [undefined, 'reconnecting']) {
      const { reported, ended } = runProgram(t, 'destroy', { url: nowhere, later });
      assert.deepEqual(await ended, WELL);
      assert.equal((await reported.next())[0], 0);
    }
  });

  it('ends by itself though Redis is absent: what was queued is counted as dropped', async (t) => {
    for (const later of [undefined, 'reconnecting']) {
      const { reported, ended } = runProgram(t, 'destroy', { url: nowhere, later, publishes: 10 });
      assert.deepEqual(await ended, WELL);
      assert.equal((await reported.next())[0], 10);
    }
  });

  it('lives as long as its store, until it is killed', async (t) => {
    const { child, ended } = runProgram(t, 'answer', { url: server.url });
    const answers = inbox();
    const store = open();
    await subscribe(store, 'answer', answers);
    await until(async () => (await server.command('PUBSUB', 'NUMSUB', 'ask'))[1] === 1);
    for (let i = 0; i < 3; i++) {
      store.publish('ask', i);
      assert.deepEqual(await answers.next(), [i]);
    }
    child.kill('SIGTERM');
    assert.deepEqual(await ended, { code: null, signal: 'SIGTERM', output: '' });
  });

  it('lives as long as its store, though Redis is absent', async (t) => {
    const { child, reported, ended } = runProgram(t, 'reconnect', { url: nowhere });
    assert.deepEqual(
      await reported.take(3),
      [1, 2, 3].map((attempt) => [attempt, undefined]),
    );
    child.kill('SIGTERM');
    assert.equal((await ended).signal, 'SIGTERM');
  });

  it('ends with its exit code when a consumer calls process.exit() under a flood', async (t) => {
    const store = open();
    for (const [at, code] of [
      [1, 7],
      [5000, 0],
      [5001, 3],
    ]) {
      const { reported, ended } = runProgram(t, 'exit', { url: server.url, at, code });
      await reported.next();
      const stop = flood(store, 'message');
      assert.deepEqual(await ended, { code, signal: null, output: '' });
      stop();
    }
  });
});

describe('an exception', LIMIT, () => {
  it('of a consumer or callback is an uncaught one, and the rest is delivered', async (t) => {
    const { reported, ended } = runProgram(t, 'throw', { url: server.url, caught: true });
    await reported.next();
    const store = open();
    for (let i = 0; i < 100; i++) store.publish('message', i);
    store.publish('end');
    const [{ seen, errors }] = await reported.next();
    const all = Array.from({ length: 100 }, (_, i) => i);
    assert.deepEqual(
      seen,
      all.flatMap((i) => [i, `and ${i}`]),
    );
    assert.deepEqual(errors, [...all.filter((i) => i % 2).map((i) => `consumer ${i}`), 'callback']);
    assert.deepEqual(await ended, WELL);
  });

  it('of a consumer ends the process when nobody catches it', async (t) => {
    const { reported, ended } = runProgram(t, 'throw', { url: server.url });
    await reported.next();
    open().publish('message', 1);
    const { code, output } = await ended;
    assert.equal(code, 1);
    assert.match(output, /Error: consumer 1\n +at .*programs\.js/);
  });

  it('of a listener ends the process when nobody catches it', async (t) => {
    const { code, output } = await runProgram(t, 'throwInListener', { url: server.url }).ended;
    assert.equal(code, 1);
    assert.match(output, /Error: listener\n +at .*programs\.js/);
  });
});

describe('memory stays flat', LIMIT, () => {
  const MiB = 1024 * 1024;
  // V8 would enlarge the young generation under load, and hide what the native side keeps.
  const NODE = ['--expose-gc', '--max-semi-space-size=1'];
  const PROGRAMS = {
    // Nothing is left over for a clock to clean up: it does not ring here.
    'over 200,000 clients with data': [
      'churnClients',
      {
        warmUps: 5,
        rounds: 20,
        clients: 10_000,
        options: { commandTimeout: 2 ** 31 - 1 },
      },
    ],
    'over 100,000 channels': ['churnChannels', { warmUps: 5, rounds: 10, channels: 10_000 }],
    'over 200,000 messages': ['churnMessages', { warmUps: 5, rounds: 20, messages: 10_000 }],
    'over 600 stores': ['churnStores', { warmUps: 4, rounds: 12, stores: 50 }],
  };

  for (const [name, [program, settings]] of Object.entries(PROGRAMS)) {
    it(name, async (t) => {
      const { reported, ended } = runProgram(t, program, { url: server.url, ...settings }, NODE);
      const [grown] = await Promise.race([reported.next(), ended.then((how) => assert.fail(how.output))]);
      t.diagnostic(JSON.stringify(grown));
      assert.ok(grown.heapUsed < MiB, `${grown.heapUsed} bytes more in the heap`);
      assert.ok(grown.rss < 6 * MiB, `${grown.rss} bytes more of the process`);
      assert.deepEqual(await ended, WELL);
      assert.equal(await server.command('DBSIZE'), 0);
    });
  }
});

describe('several stores in one process', LIMIT, () => {
  it('do not know of each other', async () => {
    const [one, two] = [open(), open()];
    const seen = inbox();
    await subscribe(one, 'message', (text) => seen('one', text));
    await subscribe(two, 'message', (text) => seen('two', text));
    one.publish('message', 'from one');
    assert.deepEqual(await seen.next(), ['two', 'from one']);
    two.publish('message', 'from two');
    assert.deepEqual(await seen.next(), ['one', 'from two']);
    one.client('id').set('key', 'of one');
    assert.notEqual(one.client('id'), two.client('id'));
    one.destroy();
    await until(async () => (await server.command('EXISTS', 'id')) === 0);
    assert.deepEqual(await ask(two.client('id'), 'set', 'key', 'of two'), [null, 1]);
    const three = open();
    three.publish('message', 'from three');
    assert.deepEqual(await seen.next(), ['two', 'from three']);
  });
});

describe('a thread', LIMIT, () => {
  it('that is terminated under a flood takes its stores along', async (t) => {
    const store = open();
    const { child, reported, ended } = runProgram(t, 'terminate', { url: server.url, threads: 5 });
    const stop = flood(store, 'message');
    assert.deepEqual(await reported.next(), ['terminated', undefined]);
    stop();
    // The process goes on; of its threads' stores nothing does.
    await until(async () => (await server.command('PUBSUB', 'NUMSUB', 'message'))[1] === 0);
    store.destroy();
    await until(async () => (await clientList(server)).length === 0);
    child.send('end');
    assert.deepEqual(await ended, WELL);
  });

  it('ends by itself after destroy(), and with its store open by process.exit()', async (t) => {
    const { reported, ended } = runProgram(t, 'threads', { url: server.url });
    assert.deepEqual(await ended, WELL);
    assert.deepEqual(
      (await reported.take(2)).map(([args]) => args),
      [
        ['use', 0],
        ['exitThread', 5],
      ],
    );
    await until(async () => (await clientList(server)).length === 0);
  });
});
