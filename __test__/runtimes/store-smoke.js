'use strict';

/** What the package does for Socket.IO 0.9, once; parts of the smoke test, see smoke.js. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');

const redis = require('redis-0.7');
const SocketIO = require('socket.io');

const { RedisStore } = require('../..');

/** What it publishes, and must get back equal. */
const ARGS = [1, 'é\u{1f600}', { list: [null, true, 0.5] }];
const ADDRESS = '127.0.0.1';

const open = (url, options) => new RedisStore({ redisPub: url, redisSub: url, redisClient: url, ...options });
const ask = (object, method, ...args) =>
  new Promise((resolve) => {
    object[method](...args, (...answer) => resolve(answer));
  });
const subscribe = (store, name, consumer) =>
  new Promise((resolve) => {
    store.subscribe(name, consumer, resolve);
  });

/** A consumer, and the arguments of its calls to come. */
function mailbox() {
  const calls = [];
  let wake = () => {};
  const consumer = (...args) => {
    calls.push(args);
    wake();
  };
  const next = async () => {
    while (calls.length === 0)
      await new Promise((resolve) => {
        wake = resolve;
      });
    return calls.shift();
  };
  return Object.assign(consumer, { next, calls });
}

/** Destroys one of our stores, and resolves when it has closed. */
async function close(store) {
  // Not by `once`, which an error would reject.
  const closed = new Promise((resolve) => {
    store.once('close', resolve);
  });
  store.destroy();
  await closed;
}

function createClient(url) {
  const client = redis.createClient(Number(new URL(url).port), ADDRESS);
  client.on('error', () => {});
  return client;
}

/** As text: what a store from another context makes has other prototypes. */
const assertSame = (actual, expected) => assert.equal(JSON.stringify(actual), JSON.stringify(expected));

/** Both hear each other, and themselves not. */
async function converse(one, other, channel) {
  const [ones, others] = [mailbox(), mailbox()];
  await subscribe(one, channel, ones);
  await subscribe(other, channel, others);
  one.publish(channel, 'of one', ...ARGS);
  assertSame(await others.next(), ['of one', ...ARGS]);
  other.publish(channel, 'of the other', ...ARGS);
  assertSame(await ones.next(), ['of the other', ...ARGS]);
  one.publish(channel);
  assertSame(await others.next(), []);
  assert.deepEqual([ones.calls, others.calls], [[], []]);
}

const parts = {
  async pubsub({ url, prefix }) {
    const codecs = { pack: JSON.stringify, unpack: (text) => JSON.parse(text) };
    for (const options of [{}, { codec: 'json' }, { codec: 'msgpack' }, codecs]) {
      const [one, other] = [open(url, options), open(url)];
      await converse(one, other, `${prefix}message`);
      await close(one);
      await close(other);
    }
    const [one, other] = [open(url), open(url)];
    const [heard, again] = [mailbox(), mailbox()];
    await subscribe(other, 'dispatch', heard);
    await subscribe(other, `${prefix}end`, again);
    const room = `${prefix}/room`;
    for (const rest of [
      [null, []],
      [true, ['a', 'b']],
    ])
      one.publish('dispatch', room, '5:::{"name":"é"}', ...rest);
    for (const rest of [
      [null, []],
      [true, ['a', 'b']],
    ]) {
      let call;
      // Others may use this channel as well.
      do call = await heard.next();
      while (call[0] !== room);
      assert.deepEqual(call, [room, '5:::{"name":"é"}', ...rest]);
    }
    await ask(other, 'unsubscribe', 'dispatch');
    one.publish('dispatch', room, '', null, []);
    one.publish(`${prefix}end`);
    await again.next();
    assert.equal(heard.calls.filter(([to]) => to === room).length, 0);
    await close(one);
    await close(other);
  },

  async data({ url, prefix }) {
    const store = open(url);
    const client = store.client(`${prefix}id`);
    assert.equal(store.client(`${prefix}id`), client);
    assert.deepEqual(await ask(client, 'get', 'key'), [null, null]);
    assert.deepEqual(await ask(client, 'has', 'key'), [null, false]);
    assert.deepEqual(await ask(client, 'set', 'key', 'é'), [null, 1]);
    assert.deepEqual(await ask(client, 'set', 'key', Buffer.from('\u{1f600}')), [null, 0]);
    assert.deepEqual(await ask(client, 'get', 'key'), [null, '\u{1f600}']);
    assert.deepEqual(await ask(client, 'has', 'key'), [null, true]);
    assert.deepEqual(await ask(client, 'del', 'key'), [null, 1]);
    assert.deepEqual(await ask(client, 'del', 'key'), [null, 0]);
    assert.deepEqual(await ask(client, 'set', 'key', 5), [null, 1]);
    store.destroyClient(`${prefix}id`);
    assert.deepEqual(await ask(store.client(`${prefix}id`), 'has', 'key'), [null, false]);
    await close(store);
  },

  async eventsAndStats({ url, prefix }) {
    const store = open(url, { nodeId: () => `${prefix}node` });
    const connections = mailbox();
    store.on('connect', connections);
    const up = [];
    // Commands share the connection that publishes, where both lead to the same place.
    while (up.length < 2) up.push((await connections.next())[0].connection);
    assert.deepEqual(up.sort(), ['pub', 'sub']);
    const heard = mailbox();
    await subscribe(store, `${prefix}own`, heard);
    const said = once(store, 'publish');
    store.publish(`${prefix}own`, 1);
    assert.deepEqual(await said, [`${prefix}own`, 1]);
    while (store.stats().filteredOwn < 1 || store.stats().published < 1) await new Promise(setImmediate);
    const stats = store.stats();
    assert.deepEqual([stats.nodeId, stats.received, stats.delivered, stats.dropped], [`${prefix}node`, 1, 0, 0]);
    assert.deepEqual(stats.connections.pub, { state: 'connected', endpoint: `${ADDRESS}:${new URL(url).port}` });
    assert.deepEqual(stats.queues.mailbox, { messages: 0, bytes: 0 });
    assert.deepEqual(heard.calls, []);
    await close(store);
    assert.equal(store.stats().connections.sub.state, 'closed');
  },

  async errors({ url, nowhere, prefix }) {
    const plain = createClient(url);
    await ask(plain, 'set', `${prefix}text`, 'no hash');
    const store = open(url);
    const [refused] = await ask(store.client(`${prefix}text`), 'get', 'key');
    assert.ok(refused instanceof Error);
    assert.equal(refused.code, 'ERR_REDIS_REPLY');
    await close(store);
    const [late] = await ask(store.client('late'), 'get', 'key');
    assert.equal(late.code, 'ERR_CLOSED');
    await ask(plain, 'del', `${prefix}text`);
    plain.end();

    const lost = open(nowhere, { commandTimeout: 50 });
    const told = mailbox();
    lost.on('error', told);
    const retry = await new Promise((resolve) => {
      lost.once('reconnecting', resolve);
    });
    assert.equal(retry.attempt, 1);
    const [error] = await told.next();
    assert.equal(error.code, 'ERR_CONNECT');
    const [timeout] = await ask(lost.client('id'), 'get', 'key');
    assert.equal(timeout.code, 'ERR_COMMAND_TIMEOUT');
    await close(lost);
  },

  options() {
    const bad = {
      redisPub: 5,
      redisSub: 'http://localhost',
      redisClient: { port: 'none' },
      nodeId: 'id',
      codec: 'xml',
      commandTimeout: 0,
      pack: JSON.stringify,
      unknown: 1,
    };
    for (const [name, value] of Object.entries(bad)) {
      assert.throws(
        () => new RedisStore({ [name]: value }),
        (error) => {
          assert.ok(error instanceof TypeError, name);
          assert.equal(error.code, 'ERR_INVALID_OPTION');
          return true;
        },
      );
    }
    assert.throws(() => new RedisStore(null), { code: 'ERR_INVALID_OPTION' });
  },

  /** With the store that socket.io@0.9.19 brings along, and with its kind of client objects. */
  async javascriptStore({ url, prefix }) {
    const clients = () => ({
      redis,
      redisPub: createClient(url),
      redisSub: createClient(url),
      redisClient: createClient(url),
    });
    const [ours, theirs] = [new RedisStore(clients()), new SocketIO.RedisStore(clients())];
    await converse(ours, theirs, `${prefix}both`);
    await ask(theirs.client(`${prefix}both`), 'set', 'key', 'value');
    assert.deepEqual(await ask(ours.client(`${prefix}both`), 'get', 'key'), [null, 'value']);
    ours.destroyClient(`${prefix}both`);
    theirs.destroy();
    await close(ours);
  },

  /** An unmodified server of socket.io@0.9.19 and a client with a WebSocket. */
  async server({ url, prefix }) {
    const { connect } = require('../support/store-client');
    const server = http.createServer();
    const io = SocketIO.listen(server, { log: false });
    io.set('store', open(url));
    io.set('client store expiration', 0);
    io.sockets.on('connection', (socket) => {
      socket.on('keep', (value, done) => socket.set(`${prefix}key`, value, () => socket.get(`${prefix}key`, done)));
      socket.on('join', (room, done) => done(Boolean(socket.join(room))));
    });
    // Exclusive: workers of a cluster would get the same port.
    server.listen({ port: 0, host: ADDRESS, exclusive: true });
    await once(server, 'listening');
    const client = await connect(server.address());
    assert.deepEqual(await client.ask('keep', 'é'), [null, 'é']);
    await client.ask('join', `${prefix}room`);
    io.sockets.in(`${prefix}room`).emit('here', 1);
    assert.deepEqual(await client.event('here'), [1]);

    // Another node speaks to the room; it is told when this one has the room's channel.
    const other = open(url);
    const packet = `5:::${JSON.stringify({ name: 'there', args: [2] })}`;
    other.publish('dispatch', `/${prefix}room`, packet, false, []);
    assert.deepEqual(await client.event('there'), [2]);
    await client.close();
    await close(other);
    await close(io.store);
    server.close();
    server.closeAllConnections?.();
  },
};

module.exports = { close, converse, open, parts, subscribe };
