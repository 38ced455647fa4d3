'use strict';

/** Clients that are faster than Redis brings their handshakes from another server. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');
const { describe, it } = require('node:test');
const SocketIO = require('socket.io');
const { holdTimers } = require('../support/held-timers');
/** Has half a second be over. */
const halfASecond = holdTimers(500);
const { RedisStore } = require('../..');
const { LIMIT } = require('../support/limits');
const { PollingClient, WebSocketClient, request } = require('../support/store-client');
const { redisOfFile } = require('../support/redis-of-file');
const { subscribersOf } = require('../support/store-cluster');

/** More than may wait at a time. */
const MANY = 1100;

const file = redisOfFile();

/** A server whose store hears Redis. @param {{ isNative?: boolean }} [options] */
async function listen({ isNative = false } = {}) {
  const server = http.createServer();
  server.on('connection', (connection) => connection.on('error', () => {}));
  const io = SocketIO.listen(server, { log: false });
  const store = new RedisStore({ redisPub: file.redis.url, redisSub: file.redis.url, redisClient: file.redis.url });
  io.set('store', store);
  if (isNative) store.engine(io);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await subscribersOf(file.redis, ['handshake', 'disconnect-force'], 1);
  file.ends.push(async () => {
    const closed = once(store, 'close');
    server.close();
    store.destroy();
    server.closeAllConnections();
    await closed;
  });
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return { io, server, store, port };
}

/** Another server tells of a client's handshake. */
function tell(id) {
  const data = { headers: {}, address: {}, time: '', query: {}, url: '', xdomain: false, secure: false, issued: 1 };
  return file.redis.command('PUBLISH', 'handshake', JSON.stringify({ nodeId: 'other', args: [id, data] }));
}

describe('late handshakes', LIMIT, () => {
  for (const isNative of [false, true]) {
    it(`a WebSocket waits for its handshake${isNative ? ', and becomes native' : ''}`, async () => {
      const { io, server, store, port } = await listen({ isNative });
      const client = new WebSocketClient({ port }, 'late');
      file.ends.push(() => client.close());
      await once(server, 'upgrade');
      assert.equal(io.connected.late, undefined);
      // Called behind the manager's, for the same message.
      const isThere = new Promise((resolve) => {
        io.store.subscribe('handshake', () => resolve(io.connected.late));
      });
      await tell('late');
      assert.equal(await isThere, true);
      await client.connected();
      if (isNative) assert.deepEqual(store.stats().webSockets, { native: 1, fallbacks: {} });
      io.sockets.emit('news', 1);
      assert.deepEqual(await client.event('news'), [1]);
    });
  }

  it('so do polls and what is posted, in the order in which they came', async () => {
    const { io, server, port } = await listen();
    const client = new PollingClient({ port }, 'late');
    file.ends.push(() => client.close());
    client.hang({ port });
    await once(server, 'request');
    const sent = client.send('5:::{"name":"note","args":["early"]}');
    await once(server, 'request');
    const noted = new Promise((resolve) => {
      io.sockets.on('connection', (/** @type {any} */ socket) => socket.on('note', resolve));
    });
    await tell('late');
    await client.connected();
    await sent;
    assert.equal(await noted, 'early');
  });

  it('who is not known after a while is refused, as 0.9 does', async () => {
    const { server, port } = await listen();
    const poll = request({ port }, 'xhr-polling/nobody');
    await once(server, 'request');
    halfASecond();
    assert.deepEqual(await poll, { status: 200, body: '7:::1+0' });
    const client = new WebSocketClient({ port }, 'nobody');
    await once(server, 'upgrade');
    halfASecond();
    const { reason } = await client.inbox.take(({ type }) => type === 'error');
    assert.equal(reason, 'client not handshaken');
    await client.close();
  });

  it('a client that has gone meanwhile is not there', async () => {
    const { io, server, port } = await listen();
    const outgoing = http.get({ port, path: '/socket.io/1/xhr-polling/late' });
    const [incoming] = await once(server, 'request');
    outgoing.on('error', () => {}).destroy();
    await once(incoming.socket, 'close');
    const known = new Promise((resolve) => {
      io.store.subscribe('handshake', resolve);
    });
    await tell('late');
    assert.equal(await known, 'late');
    assert.notEqual(io.handshaken.late, undefined);
    assert.equal(io.connected.late, undefined);
  });

  it('a good-bye of nobody, and an unknown transport, do not wait', async () => {
    const { server, port } = await listen();
    http.get({ port, path: '/socket.io/1/xhr-polling/nobody?disconnect=1' });
    const [, goodbye] = await once(server, 'request');
    assert.equal(goodbye.writableEnded, true);
    http.get({ port, path: '/socket.io/1/carrier-pigeon/nobody' }).on('error', () => {});
    const [unknown] = await once(server, 'request');
    assert.equal(unknown.socket.writableEnded, true);
  });

  it('no more than a thousand wait at a time', async () => {
    const { server, port } = await listen();
    /** @type {http.ServerResponse[]} */
    const responses = [];
    let most = 0;
    const all = new Promise((resolve) => {
      server.on('request', (_, response) => {
        responses.push(response);
        most = Math.max(most, responses.filter(({ writableEnded }) => !writableEnded).length);
        if (responses.length === MANY) resolve(undefined);
      });
    });
    // So that they come all at once.
    const socket = net.connect(port, '127.0.0.1');
    file.ends.push(() => socket.destroy());
    const requests = Array.from(
      { length: MANY },
      (_, i) => `GET /socket.io/1/xhr-polling/${i} HTTP/1.1\r\nHost: a\r\n`,
    );
    socket.resume().write(`${requests.join('\r\n')}\r\n`);
    await all;
    assert.ok(most <= 1000, `${most} have waited`);
  });
});
