'use strict';

/** What a store means for the life of its process and its threads. */

const assert = require('node:assert/strict');
const { after, afterEach, before, describe, it } = require('node:test');

const { RedisStore } = require('../..');
const { freePort, startRedis } = require('../support/redis-server.js');
const { ask, clientList, inbox, opener, subscribe, until } = require('../support/stores.js');
const { play } = require('../support/stores-scenes.js');

/** For scenes that should come to an end by themselves and do not. */
const LIMIT = { timeout: 60_000 };
const WELL = { code: 0, signal: null, output: '' };

let server;
let nowhere; // where no Redis is
before(async () => {
  server = await startRedis();
  nowhere = `redis://127.0.0.1:${await freePort()}`;
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
  return () => { going = false; };
}

describe('a process', LIMIT, () => {
  it('ends by itself after destroy()', async (t) => {
    assert.deepEqual(await play(t, 'use', { url: server.url }).ended, WELL);
    assert.equal(await server.command('DBSIZE'), 0);
  });

  it('ends by itself after unref(), and after destroy() of a store without listeners', async (t) => {
    assert.deepEqual(await play(t, 'unref', { url: server.url }).ended, WELL);
    assert.deepEqual(await play(t, 'deafen', { url: server.url }).ended, WELL);
  });

  it('ends by itself when the store is destroyed in the tick that made it', async (t) => {
    const { told, ended } = play(t, 'destroy', { url: server.url, publishes: 10 });
    assert.deepEqual(await ended, WELL);
    assert.equal((await told.next())[0], 0);
  });

  it('ends by itself though Redis is absent: at once with nothing queued', async (t) => {
    for (const later of [undefined, 'reconnecting']) {
      const { told, ended } = play(t, 'destroy', { url: nowhere, later });
      assert.deepEqual(await ended, WELL);
      assert.equal((await told.next())[0], 0);
    }
  });

  it('ends by itself though Redis is absent: what was queued is counted as dropped', async (t) => {
    for (const later of [undefined, 'reconnecting']) {
      const { told, ended } = play(t, 'destroy', { url: nowhere, later, publishes: 10 });
      assert.deepEqual(await ended, WELL);
      assert.equal((await told.next())[0], 10);
    }
  });

  it('lives as long as its store, until it is killed', async (t) => {
    const { child, ended } = play(t, 'answer', { url: server.url });
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
    const { child, told, ended } = play(t, 'reconnect', { url: nowhere });
    assert.deepEqual(await told.take(3), [1, 2, 3].map((attempt) => [attempt, undefined]));
    child.kill('SIGTERM');
    assert.equal((await ended).signal, 'SIGTERM');
  });

  it('ends with its exit code when a consumer calls process.exit() under a flood', async (t) => {
    const store = open();
    for (const [at, code] of [[1, 7], [5000, 0], [5001, 3]]) {
      const { told, ended } = play(t, 'exit', { url: server.url, at, code });
      await told.next();
      const stop = flood(store, 'message');
      assert.deepEqual(await ended, { code, signal: null, output: '' });
      stop();
    }
  });
});

describe('an exception', LIMIT, () => {
  it('of a consumer or callback is an uncaught one, and the rest is delivered', async (t) => {
    const { told, ended } = play(t, 'throw', { url: server.url, caught: true });
    await told.next();
    const store = open();
    for (let i = 0; i < 100; i++) store.publish('message', i);
    store.publish('end');
    const [{ seen, errors }] = await told.next();
    const all = Array.from({ length: 100 }, (_, i) => i);
    assert.deepEqual(seen, all.flatMap((i) => [i, `and ${i}`]));
    assert.deepEqual(errors, [...all.filter((i) => i % 2).map((i) => `consumer ${i}`), 'callback']);
    assert.deepEqual(await ended, WELL);
  });

  it('of a consumer ends the process when nobody catches it', async (t) => {
    const { told, ended } = play(t, 'throw', { url: server.url });
    await told.next();
    open().publish('message', 1);
    const { code, output } = await ended;
    assert.equal(code, 1);
    assert.match(output, /Error: consumer 1\n +at .*stores-scenes\.js/);
  });

  it('of a listener ends the process when nobody catches it', async (t) => {
    const { code, output } = await play(t, 'throwInListener', { url: server.url }).ended;
    assert.equal(code, 1);
    assert.match(output, /Error: listener\n +at .*stores-scenes\.js/);
  });
});

describe('memory stays flat', LIMIT, () => {
  const MiB = 1024 * 1024;
  // V8 would enlarge the young generation under load, and hide what the native side keeps.
  const NODE = ['--expose-gc', '--max-semi-space-size=1'];
  const SCENES = {
    // Nothing is left over for a clock to clean up: it does not ring here.
    'over 200,000 clients with data': ['churnClients', {
      warmUps: 5, rounds: 20, clients: 10_000, options: { commandTimeout: 2 ** 31 - 1 },
    }],
    'over 100,000 channels': ['churnChannels', { warmUps: 5, rounds: 10, channels: 10_000 }],
    'over 200,000 messages': ['churnMessages', { warmUps: 5, rounds: 20, messages: 10_000 }],
    'over 600 stores': ['churnStores', { warmUps: 4, rounds: 12, stores: 50 }],
  };

  for (const [name, [scene, settings]] of Object.entries(SCENES)) {
    it(name, async (t) => {
      const { told, ended } = play(t, scene, { url: server.url, ...settings }, NODE);
      const [grown] = await Promise.race([told.next(), ended.then((how) => assert.fail(how.output))]);
      t.diagnostic(JSON.stringify(grown));
      assert.ok(grown.heapUsed < MiB, `${grown.heapUsed} bytes more in the heap`);
      assert.ok(grown.rss < 6 * MiB, `${grown.rss} bytes more of the process`);
      assert.deepEqual(await ended, WELL);
      assert.equal(await server.command('DBSIZE'), 0);
    });
  }
});

describe('several stores in one process', () => {
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
    await until(async () => await server.command('EXISTS', 'id') === 0);
    assert.deepEqual(await ask(two.client('id'), 'set', 'key', 'of two'), [null, 1]);
    const three = open();
    three.publish('message', 'from three');
    assert.deepEqual(await seen.next(), ['two', 'from three']);
  });
});

describe('a thread', LIMIT, () => {
  it('that is terminated under a flood takes its stores along', async (t) => {
    const store = open();
    const { child, told, ended } = play(t, 'terminate', { url: server.url, threads: 5 });
    const stop = flood(store, 'message');
    assert.deepEqual(await told.next(), ['terminated', undefined]);
    stop();
    // The process goes on; of its threads' stores nothing does.
    await until(async () => (await server.command('PUBSUB', 'NUMSUB', 'message'))[1] === 0);
    store.destroy();
    await until(async () => (await clientList(server)).length === 0);
    child.send('end');
    assert.deepEqual(await ended, WELL);
  });

  it('ends by itself after destroy(), and with its store open by process.exit()', async (t) => {
    const { told, ended } = play(t, 'threads', { url: server.url });
    assert.deepEqual(await ended, WELL);
    assert.deepEqual((await told.take(2)).map(([args]) => args), [['use', 0], ['exitThread', 5]]);
    await until(async () => (await clientList(server)).length === 0);
  });
});
