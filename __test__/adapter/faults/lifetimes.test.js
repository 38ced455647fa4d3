'use strict';

/** What is left of servers and namespaces when they are closed, and how their process ends. */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { describe, it } = require('node:test');
const { Server } = require('socket.io-4');
const { RedisStore, createAdapter } = require('../../..');
const { closeClient, createClients } = require('../../support/adapter-node');
const { LIMIT } = require('../../support/limits');
const { until } = require('../../support/load');
const { run } = require('../../support/runtimes');
const { broadcast, createFixture, range } = require('./fixture');

const ROOT = path.join(__dirname, '../../..');
const WELL = { code: 0, signal: null, stdout: '', stderr: '' };
const NAMESPACES = range(1, 200).map((number) => `/n${number}`);
const MODES = ['pattern', 'dynamic', 'dynamic-private'];

/** Channels and patterns that Redis knows of. */
const known = async (fixture) => [await fixture.channels(), await fixture.redis.command('PUBSUB', 'NUMPAT')];

describe('namespaces', LIMIT, () => {
  for (const subscriptionMode of MODES) {
    it(`${subscriptionMode}: 200 that are opened and closed leave nothing`, async (t) => {
      const fixture = await createFixture(t);
      const node = await fixture.node({ opts: { subscriptionMode } });
      const client = await fixture.client(node);
      await client.peer.join('room');
      const before = await known(fixture);
      for (let round = 0; round < 2; round++) {
        const adapters = NAMESPACES.map((name) => node.adapter(name));
        for (const adapter of adapters) adapter.addAll('stub', new Set(['stub', 'room', 1]));
        await until(
          'their subscriptions',
          async () => (await fixture.channels('socket.io-request#/n*')).length === 200,
        );
        if (subscriptionMode !== 'pattern') {
          await until('their rooms', async () => (await fixture.channels('socket.io#/n*#room#')).length === 200);
        }
        // In all ways: at once or one by one, empty or not, and twice.
        for (const adapter of adapters.slice(0, 50)) adapter.delAll('stub');
        await Promise.all(adapters.map((adapter) => adapter.close()));
        for (const adapter of adapters.slice(100)) await adapter.close();
        for (const name of NAMESPACES) node.io._nsps.delete(name);
        await until('nothing to be left', async () => JSON.stringify(await known(fixture)) === JSON.stringify(before));
      }
      // The connections are still those of the namespace that is there.
      await fixture.publish('socket.io#/#', broadcast(['end']));
      assert.deepEqual(await client.until('end'), []);
      assert.equal(await node.adapter().serverCount(), 1);
    });

    it(`${subscriptionMode}: dynamic ones go with their last socket`, async (t) => {
      const fixture = await createFixture(t);
      const node = await fixture.node({ opts: { subscriptionMode }, server: { cleanupEmptyChildNamespaces: true } });
      node.io.of(/^\/dynamic-\d+$/);
      const before = await known(fixture);
      for (let round = 0; round < 2; round++) {
        const clients = await Promise.all(range(1, 10).map((number) => fixture.client(node, `/dynamic-${number}`)));
        await Promise.all(clients.map(({ peer }) => peer.join('room')));
        node.io.of('/dynamic-7').to('room').emit('news');
        await clients[6].event('news');
        await until(
          'their subscriptions',
          async () => (await fixture.channels('socket.io-request#/dynamic-*')).length === 10,
        );
        for (const client of clients) client.socket.disconnect();
        await until('nothing to be left', async () => JSON.stringify(await known(fixture)) === JSON.stringify(before));
      }
      assert.deepEqual([...node.io._nsps.keys()], ['/']);
    });
  }

  it('the parent of dynamic ones is heard and hears', async (t) => {
    const fixture = await createFixture(t);
    const [a, b] = [await fixture.node(), await fixture.node()];
    const [parent] = [a, b].map(({ io }) => io.of(/^\/dynamic-\d+$/));
    const clients = [
      await fixture.client(a, '/dynamic-1'),
      await fixture.client(b, '/dynamic-1'),
      await fixture.client(b, '/dynamic-2'),
    ];
    // Only those namespaces that it has here are its children.
    await until(
      'the namespace to be heard',
      async () => (await fixture.subscribers('socket.io-request#/dynamic-1#')) === 2,
    );
    parent.emit('news', 1);
    a.io.of('/dynamic-1').emit('end');
    b.io.of('/dynamic-2').emit('end');
    assert.deepEqual(await Promise.all(clients.map((client) => client.until('end'))), [
      [['news', 1]],
      [['news', 1]],
      [],
    ]);
  });

  it("on a store: its connections are the store's, and tell on every namespace", async (t) => {
    const fixture = await createFixture(t);
    const store = new RedisStore({
      redisPub: fixture.redis.url,
      redisSub: fixture.redis.url,
      redisClient: fixture.redis.url,
    });
    t.after(() => store.destroy());
    const codes = [];
    store.on('error', ({ code }) => codes.push(code));
    const io = new Server(0, { adapter: /** @type {any} */ (store.adapter({ key: 'own' })) });
    const adapters = ['/', '/chat'].map((name) => io.of(name).adapter);
    const heard = (event) =>
      Promise.all(
        adapters.map(
          (adapter) =>
            new Promise((resolve) => {
              adapter.on(event, ({ connection }) => {
                if (connection === 'sub') resolve(undefined);
              });
            }),
        ),
      );
    await heard('connect');
    const events = ['disconnect', 'reconnecting', 'connect', 'gap'].map(heard);
    await fixture.redis.kill();
    await events[1];
    await fixture.redis.restart();
    await Promise.all(events);
    assert.ok(codes.every((code) => code === 'ERR_CONNECT'));
    assert.equal(await adapters[1].serverCount(), 1);
    await io.close();
    const OF_THE_STORE = '[["socket.io-heartbeat"],0]';
    await until('nothing to be left', async () => JSON.stringify(await known(fixture)) === OF_THE_STORE);
    assert.deepEqual(
      Object.values(store.stats().connections).map(({ state }) => state),
      Array(3).fill('connected'),
    );
  });

  it('the last one that is closed takes the connections along, and the next one opens others', async (t) => {
    const fixture = await createFixture(t);
    const adapter = /** @type {any} */ (createAdapter(fixture.redis.url));
    const idle = async () => (await fixture.redis.command('CLIENT', 'LIST')).trim().split('\n').length === 1;
    for (let round = 0; round < 3; round++) {
      const io = new Server(0, { adapter });
      const connected = once(io.of('/').adapter, 'connect');
      io.of('/chat');
      await connected;
      await io.close();
      await until('no connection', idle);
      assert.deepEqual(await fixture.channels(), []);
    }
  });
});

describe('close()', LIMIT, () => {
  it('resolves at once, and that of the factory after all that was published has left', async (t) => {
    const fixture = await createFixture(t);
    const spy = await fixture.spy([], ['socket.io#*']);
    const adapter = createAdapter(fixture.redis.url);
    const io = new Server(0, { adapter });
    io.of('/chat').emit('chat');
    for (const number of range(1, 3000)) io.emit('news', number);
    await io.close();
    await adapter.close();
    await fixture.publish('socket.io#end#', 'end');
    const items = await spy.through(({ channel }) => channel === 'socket.io#end#');
    assert.equal(items.length, 3002);
  });

  for (const [what, away] of /** @type {const} */ ([
    ['away', 'kill'],
    ['stopped', 'pause'],
  ])) {
    it(`does not wait for a Redis that is ${what}`, async (t) => {
      const fixture = await createFixture(t);
      const node = await fixture.node({ opts: { commandTimeout: 3000 } });
      await fixture.redis[away]();
      node.io.emit('news');
      let turns = 0;
      const count = () => {
        turns++;
        counting = setImmediate(count);
      };
      let counting = setImmediate(count);
      await node.adapter().close();
      clearImmediate(counting);
      assert.equal(turns, 0);
      await node.io.close();
      if (away === 'pause') fixture.redis.resume();
    });
  }

  it('that of the factory resolves while Redis is away, after commandTimeout', async (t) => {
    const fixture = await createFixture(t);
    const adapter = createAdapter(fixture.redis.url, { commandTimeout: 200 });
    const io = new Server(0, { adapter });
    const namespace = io.of('/').adapter;
    namespace.on('error', () => {});
    await adapter.ready();
    await fixture.redis.kill();
    io.emit('news');
    const closed = new Promise((resolve) => {
      namespace.once('close', resolve);
    });
    await io.close();
    await adapter.close();
    await closed;
    assert.equal(namespace.stats().dropped + namespace.stats().unconfirmed, 1);
  });

  for (const family of ['redis-6', 'redis-4', 'redis-3', 'ioredis-6', 'ioredis-4']) {
    it(`leaves clients of ${family} open and without a listener of ours`, async (t) => {
      const fixture = await createFixture(t);
      const clients = await createClients(family, fixture.redis.port);
      const [pub, sub] = clients;
      const counts = () => clients.map((client) => client.listenerCount('error'));
      const before = counts();
      const io = new Server(0, { adapter: /** @type {any} */ (createAdapter(pub, sub)) });
      const chat = io.of('/chat').adapter;
      await once(chat, 'connect');
      assert.deepEqual(
        counts(),
        before.map((count) => count + 1),
      );
      await io.close();
      assert.deepEqual(counts(), before);
      for (const client of clients) {
        const pong =
          family === 'redis-3'
            ? new Promise((resolve) => {
                client.ping((_, reply) => resolve(reply));
              })
            : client.ping();
        assert.equal(await pong, 'PONG');
        await closeClient(client);
      }
    });
  }
});

describe('a process', LIMIT, () => {
  const HEAD = `const { createAdapter } = require('.'); const { Server } = require('socket.io-4'); const [, url] = process.argv;`;
  const runScript = (t, script, url) =>
    run(process.execPath, ['-e', `${HEAD} ${script}`, url], { cwd: ROOT, signal: t.signal });

  it('ends by itself when its server is closed', async (t) => {
    const fixture = await createFixture(t);
    const script = `const io = new Server(0, { adapter: createAdapter(url) });
      io.of('/').adapter.once('connect', () => { io.emit('news'); io.close(); });`;
    assert.deepEqual(await runScript(t, script, fixture.redis.url), WELL);
    const store = `const store = new (require('.').RedisStore)({ redisPub: url, redisSub: url, redisClient: url });
      const io = new Server(0, { adapter: store.adapter() });
      store.once('connect', async () => { await io.close(); store.destroy(); });`;
    assert.deepEqual(await runScript(t, store, fixture.redis.url), WELL);
  });

  it('without a listening server ends once all has left', async (t) => {
    const fixture = await createFixture(t);
    const spy = await fixture.spy([], ['socket.io#*']);
    const script =
      'const io = new Server({ adapter: createAdapter(url) }); for (let i = 0; i < 100; i++) io.emit("news", i);';
    assert.deepEqual(await runScript(t, script, fixture.redis.url), WELL);
    await fixture.publish('socket.io#end#', 'end');
    const items = await spy.through(({ channel }) => channel === 'socket.io#end#');
    const numbers = items.slice(0, -1).map(({ message }) => require('notepack.io').decode(message)[1].data[1]);
    assert.deepEqual(numbers, range(0, 99));
  });

  for (const [what, end] of [
    ['at once', 'process.exit();'],
    ['after io.close()', 'io.close().then(() => process.exit());'],
  ]) {
    it(`that exits ${what} takes along what it has published`, async (t) => {
      const fixture = await createFixture(t);
      const spy = await fixture.spy([], ['socket.io#*']);
      const script = `const adapter = createAdapter(url); const io = new Server(0, { adapter });
        adapter.ready().then(() => { for (let i = 0; i < 3000; i++) io.emit("news", i); ${end} });`;
      assert.deepEqual(await runScript(t, script, fixture.redis.url), WELL);
      await fixture.publish('socket.io#end#', 'end');
      assert.equal((await spy.through(({ channel }) => channel === 'socket.io#end#')).length, 3001);
    });
  }

  it('that exits does not wait for a Redis that does not answer', async (t) => {
    const fixture = await createFixture(t);
    const script = `const { freeze } = require('./dev/freeze');
      const adapter = createAdapter(url); const io = new Server(0, { adapter });
      adapter.ready().then(() => { freeze(${fixture.redis.pid}); io.emit('news'); process.exit(); });`;
    const result = await runScript(t, script, fixture.redis.url);
    fixture.redis.resume();
    assert.deepEqual(result, WELL);
  });

  it('with a listening server lives on', async (t) => {
    const fixture = await createFixture(t);
    const script = `${HEAD} new Server(0, { adapter: createAdapter(url) }); process.on('SIGUSR2', () => console.log('alive'));
      process.on('beforeExit', () => console.log('ends')); setImmediate(() => console.log('ready'));`;
    const child = spawn(process.execPath, ['-e', script, fixture.redis.url], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
      signal: t.signal,
    });
    child.on('error', () => {});
    assert.equal(String((await once(child.stdout, 'data'))[0]), 'ready\n');
    await until('its subscriptions', async () => (await fixture.channels()).length > 0);
    child.kill('SIGUSR2');
    assert.equal(String((await once(child.stdout, 'data'))[0]), 'alive\n');
    child.kill('SIGKILL');
  });

  it('ends by itself though Redis is away, in a few seconds', async (t) => {
    const fixture = await createFixture(t);
    await fixture.redis.kill();
    const script =
      'const io = new Server(0, { adapter: createAdapter(url, { commandTimeout: 100 }) }); io.emit("news"); io.close();';
    const { code, signal, stdout } = await runScript(t, script, fixture.redis.url);
    assert.deepEqual([code, signal, stdout], [0, null, '']);
  });

  for (const family of ['redis-6', 'ioredis-6']) {
    it(`whose clients (${family}) have no error handler survives the end of Redis`, async (t) => {
      const fixture = await createFixture(t);
      const create =
        family === 'redis-6'
          ? `require('redis-6').createClient({ url })`
          : `new (require('ioredis-6'))(url, { lazyConnect: true })`;
      const script = `const pub = ${create}, sub = ${create}; let attempts = 0;
        Promise.all([pub.connect(), sub.connect()]).then(() => {
          const io = new Server({ adapter: createAdapter(pub, sub) });
          const { adapter } = io.of('/');
          adapter.on('error', () => {});
          // Each attempt that fails is an 'error'.
          sub.on('reconnecting', () => { if (++attempts === 3) { console.log('alive'); process.exit(0); } });
          adapter.on('connect', ({ connection }) => { if (connection === 'sub') console.log('ready'); });
        });`;
      const child = spawn(process.execPath, ['-e', `${HEAD} ${script}`, fixture.redis.url], {
        cwd: ROOT,
        signal: t.signal,
      });
      child.on('error', () => {});
      const said = { stdout: '', stderr: '' };
      for (const name of ['stdout', 'stderr'])
        child[name].on('data', (data) => {
          said[name] += data;
        });
      await until('it to be ready', () => said.stdout === 'ready\n');
      const closed = once(child, 'close');
      await fixture.redis.kill();
      assert.deepEqual(await closed, [0, null], said.stderr);
      assert.equal(said.stdout, 'ready\nalive\n');
      const warnings = said.stderr.match(/missing 'error' handler on this Redis client/g) ?? [];
      assert.ok(warnings.length === 1 || warnings.length === 2, said.stderr);
    });
  }
});
