'use strict';

/** `store.engine(io)`: 0.9's WebSockets on native connections. What they do in a cluster is in store/interop. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const https = require('node:https');
const { describe, it } = require('node:test');
const SocketIO = require('socket.io');
const WebSocket = require('ws');
const { RedisStore } = require('../../..');
const { Certificates } = require('../../../dev/tls');
const { LIMIT } = require('../../support/limits');
const { TRANSPORTS, connect: connectClient } = require('../../support/store-client');
const { redisOfFile } = require('../../support/redis-of-file');
const { subscribersOf } = require('../../support/store-cluster');

const BURST = 20_000;
/** In bytes: more than kernels take of what nobody has read. */
const HISTORY = 12 * 2 ** 20;
const EVENT = `5:::${JSON.stringify({ name: 'count', args: [] })}`;

// What a test opens ends with it: the managers of 0.9 in a process have their transports in one place.
const file = redisOfFile();

/**
 * A server with the engine.
 * @param {{ tls?: { key: string, cert: string }, settings?: Record<string, unknown> }} [options]
 */
async function listen({ tls, settings = {} } = {}) {
  const server = tls ? https.createServer(tls) : http.createServer();
  server.on('connection', (connection) => connection.on('error', () => {}));
  const io = SocketIO.listen(server, { log: false });
  const store = new RedisStore({ redisPub: file.redis.url, redisSub: file.redis.url, redisClient: file.redis.url });
  for (const [name, value] of Object.entries(settings)) io.set(name, value);
  io.set('store', store);
  assert.equal(store.engine(io), store);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  file.ends.push(async () => {
    const closed = once(store, 'close');
    server.close();
    store.destroy();
    await closed;
  });
  return { io, store, port, host: `${tls ? 's' : ''}://127.0.0.1:${port}` };
}

/** Connects a client. @param {{ host: string }} server @param {any} [options] */
async function connect({ host }, options) {
  const id = await new Promise((resolve, reject) => {
    const { get } = host.startsWith('s') ? https : http;
    get(`http${host}/socket.io/1/`, { rejectUnauthorized: false }, async (response) => {
      const [text] = await once(response.setEncoding('utf8'), 'data');
      resolve(text.split(':')[0]);
    }).on('error', reject);
  });
  const client = new WebSocket(`ws${host}/socket.io/1/websocket/${id}`, { rejectUnauthorized: false, ...options });
  file.ends.push(() => client.terminate());
  assert.equal(String((await once(client, 'message'))[0]), '1::');
  return client;
}

/** Connects a client of another kind. @param {{ port: number }} server @param {string} [transport] */
async function meet(server, transport) {
  const client = await connectClient(server, { transport });
  file.ends.push(() => client.close());
  return client;
}

/** Has another server send to a room, or to all. @param {string} room @param {...string} packets */
async function dispatch(room, ...packets) {
  await subscribersOf(file.redis, 'dispatch', 1);
  for (const packet of packets) {
    const args = [room, packet, false, []];
    await file.redis.command('PUBLISH', 'dispatch', JSON.stringify({ nodeId: 'other', args }));
  }
}

describe('native WebSockets of 0.9', LIMIT, () => {
  it('a burst of frames in one packet arrives whole, where 0.9 runs out of stack', async () => {
    const server = await listen();
    let count = 0;
    const all = new Promise((resolve) => {
      server.io.sockets.on('connection', (/** @type {any} */ socket) => {
        socket.on('count', () => ++count === BURST && resolve(undefined));
      });
    });
    const client = /** @type {any} */ (await connect(server));
    client._socket.cork();
    for (let i = 0; i < BURST; i++) client.send(EVENT);
    client._socket.uncork();
    await all;
    assert.equal(count, BURST);
    assert.deepEqual(server.store.stats().webSockets, { native: 1, fallbacks: {} });
  });

  it('what breaks a rule ends the client, and nothing else', async () => {
    const server = await listen({ settings: { 'destroy buffer size': 1000 } });
    const [good, long, wrong] = [await connect(server), await connect(server), await connect(server)];
    const closed = [once(long, 'close'), once(wrong, 'close')];
    long.send(`3:::${'x'.repeat(2000)}`);
    /** @type {any} */ (wrong)._socket.write(Buffer.from([0xf1, 0x80, 0, 0, 0, 0]));
    assert.deepEqual(
      (await Promise.all(closed)).map(([code]) => code),
      [1009, 1002],
    );
    const arrived = once(good, 'message');
    server.io.sockets.emit('still', 'here');
    assert.equal(String((await arrived)[0]), '5:::{"name":"still","args":["here"]}');
    assert.equal(server.store.stats().webSockets?.native, 1);
  });

  it('disconnects from both sides, with the reasons of 0.9', async () => {
    const server = await listen();
    const reasons = () =>
      new Promise((resolve) => {
        server.io.sockets.once('connection', (/** @type {any} */ socket) => {
          socket.once('disconnect', resolve);
          socket.on('bye', () => socket.disconnect());
        });
      });
    let reason = reasons();
    (await connect(server)).send('0::');
    assert.equal(await reason, 'booted');
    reason = reasons();
    const booted = await connect(server);
    const closed = once(booted, 'close');
    booted.send(`5:::${JSON.stringify({ name: 'bye' })}`);
    await closed;
    assert.equal(await reason, 'booted');
    reason = reasons();
    (await connect(server)).terminate();
    assert.equal(await reason, 'socket end');
    assert.equal(server.store.stats().webSockets?.native, 0);
  });

  for (const transport of TRANSPORTS) {
    it(`what is broadcast while a client connects reaches it, in order: ${transport}`, async () => {
      const server = await listen();
      const history = 'x'.repeat(HISTORY);
      server.io.sockets.on('connection', (/** @type {any} */ socket) => {
        socket.emit('history', history);
        socket.join('room');
        server.io.sockets.emit('all');
        server.io.sockets.in('room').emit('room');
        socket.broadcast.emit('others');
        socket.emit('end');
      });
      const client = await meet(server, transport);
      assert.deepEqual(await client.until('end'), [[':history', history], [':all'], [':room']]);
      // That so much was written at once did not keep a WebSocket from being native.
      const native = transport === 'websocket' ? 1 : 0;
      assert.deepEqual(server.store.stats().webSockets, { native, fallbacks: {} });
    });
  }

  it('half a surrogate pair from another server arrives, as without the engine', async () => {
    const server = await listen();
    const client = await meet(server);
    await dispatch('', '3:::half \ud83d', '5:::{"name":"end"}');
    assert.deepEqual(await client.until('end'), [[':message', 'half \ufffd']]);
  });

  it('rooms whose names hold surrogates, whole pairs or halves, are told apart', async () => {
    const server = await listen();
    const rooms = ['a\ud800', 'a\ud801', 'a\ufffd', '😀'];
    const joins = [...rooms];
    server.io.sockets.on('connection', (/** @type {any} */ socket) => socket.join(joins.shift()));
    const clients = [];
    while (joins.length > 0) clients.push(await meet(server));
    for (const [i, room] of rooms.entries()) server.io.sockets.in(room).emit('room', i);
    for (const [i, room] of rooms.entries()) await dispatch(`/${room}`, `5:::{"name":"remote","args":[${i}]}`);
    await dispatch('', '5:::{"name":"end"}');
    for (const [i, client] of clients.entries()) {
      assert.deepEqual(await client.until('end'), [
        [':room', i],
        [':remote', i],
      ]);
    }
  });

  it("what a consumer of the application's own on 'dispatch' broadcasts is written", async () => {
    const server = await listen();
    // After the manager's consumer.
    server.store.subscribe('dispatch', () => server.io.sockets.emit('end'));
    // A client that JavaScript writes to has it called.
    const [client, other] = [await meet(server), await meet(server, 'xhr-polling')];
    await dispatch('', '5:::{"name":"remote"}');
    for (const each of [client, other]) assert.deepEqual(await each.until('end'), [[':remote']]);
  });

  it('under TLS in Node, 0.9 writes, and it is counted', async () => {
    const certificates = new Certificates();
    file.ends.push(() => certificates.remove());
    const server = await listen({ tls: certificates.server });
    const client = await connect(server);
    const arrived = once(client, 'message');
    server.io.sockets.emit('hello');
    assert.equal(String((await arrived)[0]), '5:::{"name":"hello"}');
    assert.deepEqual(server.store.stats().webSockets, { native: 0, fallbacks: { tls: 1 } });
  });

  it('what is no 0.9 server is a TypeError that says so', () => {
    const store = new RedisStore({ redisPub: file.redis.url, redisSub: file.redis.url, redisClient: file.redis.url });
    file.ends.push(() => store.destroy());
    for (const io of [undefined, {}, http.createServer()]) {
      assert.throws(() => store.engine(/** @type {any} */ (io)), { code: 'ERR_INVALID_OPTION', option: 'io' });
    }
  });
});
