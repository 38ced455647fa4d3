'use strict';

/** Servers that are closed, listen again, or get another adapter. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { describe, it } = require('node:test');
const { RedisStore, createAdapter } = require('../../..');
const { AdapterClient } = require('../../support/adapter-client');
const { LIMIT } = require('../../support/limits');
const { until } = require('../../support/load');
const { catchUncaught } = require('../../support/uncaught');
const { createFixture, stub } = require('./fixture');

const CLOSED = { code: 'ERR_CLOSED' };
const SOCKET_IO = ['socket.io-4.3', 'socket.io-4.4', 'socket.io-4.5', 'socket.io-4'];

/** Whether no connection to Redis but the test's own is left. */
const isIdle = async (fixture) => (await fixture.redis.command('CLIENT', 'LIST')).trim().split('\n').length === 1;

/** @returns {any} a server of a version, that is closed with the test */
function serverOf(t, version, settings) {
  const { Server } = require(version);
  const io = new Server(0, settings);
  // Redis may be gone before it is closed.
  io.of('/').adapter.on('error', () => {});
  t.after(() => io.close());
  return io;
}

const urlOf = (io) => `http://127.0.0.1:${io.httpServer.address().port}`;

/** A client of a server that is no node of the fixture. */
async function clientOf(t, io) {
  const client = await new AdapterClient(/** @type {any} */ ({ io, url: urlOf(io) }), '/').open();
  t.after(() => client.manager._close());
  return client;
}

describe('after io.close()', LIMIT, () => {
  it('what this server knows is answered, all else is ERR_CLOSED', async (t) => {
    const fixture = await createFixture(t);
    const [node, other] = [await fixture.node(), await fixture.node()];
    stub(other, 'elsewhere', ['there'], () => {});
    await node.io.close();
    const adapter = node.adapter();
    stub(node, 'here', ['room'], () => {});
    assert.equal(await adapter.serverCount(), 1);
    assert.deepEqual([...(await adapter.allRooms())], ['here', 'room']);
    assert.deepEqual(
      (await adapter.fetchSockets({ rooms: new Set(), except: new Set() })).map(({ id }) => id),
      ['here'],
    );
    assert.deepEqual([...(await adapter.fetchSocketIds())], ['here']);
    assert.equal(await adapter.countSockets(), 1);
    await assert.rejects(node.io.serverSideEmitWithAck('ask'), CLOSED);
    await assert.rejects(adapter.ready(), CLOSED);
    const error = new Promise((resolve) => {
      adapter.once('error', resolve);
    });
    node.io.serverSideEmit('news');
    assert.equal((await error).code, 'ERR_CLOSED');
    adapter.removeAllListeners('error');
    // Without a listener, that is nothing.
    node.io.serverSideEmit('news');
    assert.equal(await adapter.close(), undefined);
  });

  for (const [what, freeze] of /** @type {[string, (fixture: any, other: any) => void][]} */ ([
    ['for another server', (_, other) => other.freeze()],
    ['for Redis', (fixture) => fixture.redis.pause()],
  ])) {
    it(`what waits ${what} meanwhile is ERR_CLOSED at once`, async (t) => {
      const fixture = await createFixture(t);
      const node = await fixture.node({ opts: { requestsTimeout: 2 ** 30, commandTimeout: 1000 } });
      // Connections stay open for the other namespace.
      const kept = node.io.of('/kept').adapter;
      await kept.ready();
      const other = await fixture.official();
      assert.equal(await node.adapter().serverCount(), 2);
      freeze(fixture, other);
      const adapter = node.adapter();
      const waiting = [
        adapter.allRooms(),
        node.io.fetchSockets(),
        adapter.countSockets(),
        adapter.fetchSocketIds({ except: ['room'] }),
        node.io.serverSideEmitWithAck('ask'),
      ];
      const rejected = waiting.map((each) => assert.rejects(each, CLOSED));
      for (let i = 0; i < 20; i++) await new Promise(setImmediate);
      await adapter.close();
      await Promise.all(rejected);
      fixture.redis.resume();
    });
  }

  it('broadcasts and changes are those of this server, and acknowledgements are counted', async (t) => {
    const fixture = await createFixture(t);
    const [node, other] = [await fixture.node(), await fixture.node()];
    const written = [];
    await node.io.close();
    stub(node, 'here', ['room'], (packets) => written.push(...packets));
    Object.assign(/** @type {any} */ (node.io.of('/').sockets.get(/** @type {any} */ ('here'))), {
      acks: new Map(),
      join: (room) => node.adapter().addAll('here', new Set([room].flat())),
    });
    node.io.to('room').emit('news', 1);
    node.io.socketsJoin('joined');
    node.io.to('joined').emit('news', 2);
    await assert.rejects(node.io.timeout(50).emitWithAck('ask'), (error) => error.responses.length === 0);
    assert.deepEqual(written, ['2["news",1]', '2["news",2]', '20["ask"]']);
    assert.equal(await other.adapter().serverCount(), 1);
  });

  it('of a store that is destroyed, too', async (t) => {
    const fixture = await createFixture(t);
    const { url } = fixture.redis;
    const store = new RedisStore({ redisPub: url, redisSub: url, redisClient: url });
    const io = serverOf(t, 'socket.io-4', { adapter: store.adapter() });
    const { adapter } = io.of('/');
    await adapter.ready();
    const closed = once(adapter, 'close');
    store.destroy();
    assert.equal(await adapter.serverCount(), 1);
    assert.deepEqual(await io.fetchSockets(), []);
    await assert.rejects(adapter.ready(), CLOSED);
    await closed;
    await assert.rejects(io.serverSideEmitWithAck('ask'), CLOSED);
  });

  for (const subscriptionMode of ['pattern', 'dynamic']) {
    it(`${subscriptionMode}: a server that listens again works again`, async (t) => {
      const fixture = await createFixture(t);
      const other = await fixture.node();
      const adapter = createAdapter(fixture.redis.url, { subscriptionMode });
      const io = serverOf(t, 'socket.io-4', { adapter });
      const namespace = io.of('/').adapter;
      for (let round = 1; round <= 3; round++) {
        const client = await clientOf(t, io);
        assert.equal(io.of('/').adapter, namespace);
        await adapter.ready();
        await client.peer.join(['room', 'kept']);
        other.io.to('room').emit('news', round);
        assert.deepEqual(await client.event('news'), [round]);
        io.to('room').emit('own', round);
        assert.deepEqual(await client.event('own'), [round]);
        assert.equal(await other.adapter().serverCount(), 2);
        await io.close();
        await adapter.close();
        assert.equal(await other.adapter().serverCount(), 1);
        io.listen(0);
      }
    });
  }

  it('a namespace that is closed alone stays so', async (t) => {
    const fixture = await createFixture(t);
    const node = await fixture.node();
    await node.adapter().close();
    const client = await fixture.client(node);
    await client.peer.join('room');
    node.io.to('room').emit('news');
    await client.event('news');
    assert.equal(await fixture.subscribers('socket.io-request#/#'), 0);
    await assert.rejects(node.adapter().ready(), CLOSED);
  });
});

describe('close() of what createAdapter returns', LIMIT, () => {
  for (const version of SOCKET_IO) {
    it(`${version}: leaves nothing, and may be used again`, async (t) => {
      const fixture = await createFixture(t);
      const adapter = createAdapter(fixture.redis.url);
      await adapter.close();
      for (let round = 0; round < 2; round++) {
        const io = serverOf(t, version, { adapter });
        io.of('/chat');
        await adapter.ready();
        assert.equal(await fixture.subscribers('socket.io-request#/chat#'), 1);
        await io.close();
        await adapter.close();
        assert.deepEqual(await fixture.channels(), []);
        await until('no connection', () => isIdle(fixture));
      }
    });
  }

  it('of a store leaves the connections to the store', async (t) => {
    const fixture = await createFixture(t);
    const { url } = fixture.redis;
    const store = new RedisStore({ redisPub: url, redisSub: url, redisClient: url });
    t.after(() => store.destroy());
    const adapter = store.adapter();
    const io = serverOf(t, 'socket.io-4', { adapter });
    await adapter.ready();
    await adapter.close();
    await until('nothing but its own to be subscribed', async () => (await fixture.channels()).length === 1);
    assert.deepEqual(await fixture.channels(), ['socket.io-heartbeat']);
    assert.equal(store.stats().connections.sub.state, 'connected');
    assert.equal(await io.of('/').adapter.serverCount(), 1);
  });
});

describe('an adapter that io.adapter() has replaced', LIMIT, () => {
  for (const version of SOCKET_IO) {
    it(`${version}: by one of ours closes`, async (t) => {
      const fixture = await createFixture(t);
      const [first, second] = [createAdapter(fixture.redis.url), createAdapter(fixture.redis.url)];
      const io = serverOf(t, version, { adapter: first });
      await first.ready();
      const replaced = io.of('/').adapter;
      const closed = once(replaced, 'close');
      io.adapter(second);
      await closed;
      await second.ready();
      assert.equal(await io.of('/').adapter.serverCount(), 1);
      // By the same, whose connections stay.
      io.adapter(second);
      await second.ready();
      assert.equal(await io.of('/').adapter.serverCount(), 1);
      await second.close();
      await until('no connection', () => isIdle(fixture));
    });

    it(`${version}: by another one closes when it hears something`, async (t) => {
      const fixture = await createFixture(t);
      const other = await fixture.node();
      const adapter = createAdapter(fixture.redis.url);
      const io = serverOf(t, version, { adapter });
      await adapter.ready();
      other.io.emit('seen');
      await until('it to be seen', () => io.of('/').adapter.stats().delivered > 0);
      const { Adapter } = require('socket.io-adapter');
      io.adapter(Adapter);
      other.io.emit('news');
      await until('one server', async () => (await other.adapter().serverCount()) === 1);
    });
  }
});

describe('events of connections', LIMIT, () => {
  it('reach every namespace though a listener throws, which is uncaught', async (t) => {
    const fixture = await createFixture(t);
    const uncaught = [];
    catchUncaught(t, (error) => uncaught.push(error.message));
    const adapter = createAdapter(fixture.redis.url);
    const io = serverOf(t, 'socket.io-4', { adapter });
    const [first, second] = ['/', '/chat'].map((name) => io.of(name).adapter);
    const heard = [];
    for (const event of ['connect', 'close']) {
      for (const each of [first, second]) {
        each.on(event, () => {
          heard.push(event);
          throw new Error(event);
        });
      }
    }
    await adapter.ready();
    await until('both connections to be told on both', () => heard.length === 4);
    await io.close();
    await adapter.close();
    // The last one that is closed tells it.
    assert.deepEqual(heard, [...Array(4).fill('connect'), 'close']);
    await until('all to be uncaught', () => uncaught.length === 5);
  });

  it("a store's are those of its adapters too, errors as well, and leave no listener on the store", async (t) => {
    const fixture = await createFixture(t);
    const { url } = fixture.redis;
    const store = new RedisStore({ redisPub: url, redisSub: url, redisClient: url });
    t.after(() => store.destroy());
    for (let i = 0; i < 20; i++) store.adapter();
    assert.deepEqual(store.eventNames(), []);
    const adapter = store.adapter();
    const io = serverOf(t, 'socket.io-4', { adapter });
    const namespaces = ['/', '/chat'].map((name) => io.of(name).adapter);
    await adapter.ready();
    const errors = namespaces.map(
      (each) =>
        new Promise((resolve) => {
          each.once('error', resolve);
        }),
    );
    namespaces.forEach((each) => each.on('error', () => {}));
    await fixture.redis.kill();
    for (const error of await Promise.all(errors)) assert.equal(error.code, 'ERR_CONNECT');
    assert.deepEqual(store.eventNames(), []);
    await fixture.redis.restart();
    await adapter.ready();
    await adapter.close();
  });
});
