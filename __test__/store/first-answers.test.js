'use strict';

/** The first answers to clients that poll: they wait until other servers can know of the clients. */

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
const { startProxy } = require('../../dev/proxy');
const { LIMIT, PATIENCE } = require('../support/limits');
const { PollingClient, request } = require('../support/store-client');
const { redisOfFile } = require('../support/redis-of-file');
const { subscribersOf } = require('../support/store-cluster');

/** More than may wait at a time. */
const MANY = 1100;
/** Everything that the store publishes about a client that polls for the first time, as far as its `connect`. */
const PUBLISHED = 2;

const file = redisOfFile();

/**
 * A server that knows of clients, whose store reaches Redis through a proxy.
 * @param {string[]} ids the clients'
 * @param {object} [options] the store's
 */
async function listen(ids, options) {
  const server = http.createServer();
  server.on('connection', (connection) => connection.on('error', () => {}));
  const proxy = await startProxy(file.redis.port);
  const io = SocketIO.listen(server, { log: false });
  const store = new RedisStore({
    redisPub: proxy.url,
    redisSub: file.redis.url,
    redisClient: file.redis.url,
    // Longer than any test: nothing but what is tested ends a wait.
    commandTimeout: PATIENCE,
    ...options,
  });
  io.set('store', store);
  io.set('transports', ['htmlfile', 'xhr-polling', 'jsonp-polling']);
  server.listen(0, '127.0.0.1');
  await Promise.all([once(server, 'listening'), ofPublisher(store, 'connect')]);
  await subscribersOf(file.redis, ['handshake', 'disconnect-force'], 1);
  for (const id of ids) io.onHandshake(id, { headers: {}, address: {}, time: '', query: {}, url: '' });
  file.ends.push(async () => {
    // Not by `once()`, for which an error is an end, too.
    const closed = new Promise((resolve) => store.once('close', resolve));
    server.close();
    proxy.thaw();
    // 0.9 waits a minute for the next poll.
    for (const id of ids) io.onDisconnect(id);
    store.destroy();
    server.closeAllConnections();
    await closed;
    await proxy.close();
  });
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return { io, server, store, proxy, port };
}

/**
 * Resolves with the next event of the connection that publishes. Errors are no end of waiting.
 * @param {any} store
 * @param {'connect' | 'disconnect'} event
 */
function ofPublisher(store, event) {
  return new Promise((resolve) => {
    store.on(event, (/** @type {any} */ { connection }) => connection === 'pub' && resolve(undefined));
  });
}

/**
 * The response to the next request, as it is when 0.9 has dealt with the request.
 * @param {http.Server} server
 * @returns {Promise<{ response: http.ServerResponse, isAnswered: boolean }>}
 */
function dealtWith(server) {
  return new Promise((resolve) => {
    server.once('request', (_, response) => resolve({ response, isAnswered: response.writableEnded }));
  });
}

describe('first answers', LIMIT, () => {
  for (const options of [{}, { pack: JSON.stringify, unpack: JSON.parse }]) {
    const packing = options.pack ? ', packed by the application' : '';
    it(`waits until Redis has the message that tells others of the client${packing}`, async () => {
      const { server, store, port } = await listen(['new'], options);
      const poll = request({ port }, 'xhr-polling/new');
      const { isAnswered } = await dealtWith(server);
      assert.equal(isAnswered, false);
      assert.deepEqual(await poll, { status: 200, body: '1::' });
      assert.ok(store.stats().published >= PUBLISHED, `${store.stats().published} messages were published`);
    });
  }

  it('so it does with jsonp-polling', async () => {
    const { server, port } = await listen(['new']);
    const poll = request({ port }, 'jsonp-polling/new?i=3');
    const { isAnswered } = await dealtWith(server);
    assert.equal(isAnswered, false);
    assert.deepEqual(await poll, { status: 200, body: 'io.j[3]("1::");' });
  });

  it('what follows comes with the next poll, in order, and no other answer waits', async () => {
    const { io, server, port } = await listen(['new']);
    io.sockets.on('connection', (/** @type {any} */ socket) => socket.emit('news', 1).emit('end'));
    const client = new PollingClient({ port }, 'new');
    file.ends.push(() => client.close());
    assert.equal(await client.poll({ port }), '1::');
    const second = client.poll({ port });
    const { isAnswered } = await dealtWith(server);
    assert.equal(isAnswered, true);
    await second;
    assert.deepEqual(await client.until('end'), [[':connect'], [':news', 1]]);
  });

  it('waits a while only where Redis is silent', async () => {
    const { server, store, proxy, port } = await listen(['new']);
    proxy.holdReplies();
    const poll = request({ port }, 'xhr-polling/new');
    const { isAnswered } = await dealtWith(server);
    assert.equal(isAnswered, false);
    halfASecond();
    assert.deepEqual(await poll, { status: 200, body: '1::' });
    assert.equal(store.stats().published, 0);
  });

  it('does not wait where Redis is away', async () => {
    const { server, store, proxy, port } = await listen(['new']);
    store.on('error', () => {});
    proxy.refuse();
    await ofPublisher(store, 'disconnect');
    const poll = request({ port }, 'xhr-polling/new');
    const { isAnswered } = await dealtWith(server);
    assert.equal(isAnswered, true);
    assert.deepEqual(await poll, { status: 200, body: '1::' });
    proxy.accept();
  });

  it('waits no longer than the connection to Redis lasts', async () => {
    const { server, store, proxy, port } = await listen(['new']);
    store.on('error', () => {});
    proxy.holdReplies();
    const poll = request({ port }, 'xhr-polling/new');
    const { isAnswered } = await dealtWith(server);
    assert.equal(isAnswered, false);
    proxy.cut();
    assert.deepEqual(await poll, { status: 200, body: '1::' });
  });

  it('does not wait on a transport that streams', async () => {
    const { io, server, port } = await listen(['new']);
    const outgoing = http.get({ port, path: '/socket.io/1/htmlfile/new' });
    outgoing.on('error', () => {});
    file.ends.push(() => outgoing.destroy());
    const { response } = await dealtWith(server);
    assert.equal(io.transports.new.response, response);
    assert.equal(response.headersSent, true);
  });

  it('a client that goes meanwhile does no harm', async () => {
    const { server, proxy, port } = await listen(['new', 'next']);
    proxy.holdReplies();
    const outgoing = http.get({ port, path: '/socket.io/1/xhr-polling/new' });
    const { response } = await dealtWith(server);
    outgoing.on('error', () => {}).destroy();
    await once(response, 'close');
    proxy.thaw();
    assert.deepEqual(await request({ port }, 'xhr-polling/next'), { status: 200, body: '1::' });
  });

  it('no more than a thousand wait at a time', async () => {
    const ids = Array.from({ length: MANY }, (_, i) => `new${i}`);
    const { server, port } = await listen(ids);
    let [waiting, most, answered] = [0, 0, 0];
    const all = new Promise((resolve) => {
      server.on('request', (_, response) => {
        if (response.writableEnded) answered++;
        else most = Math.max(most, ++waiting);
        response.on('finish', () => answered + --waiting);
        if (answered + waiting === MANY) resolve(undefined);
      });
    });
    // So that they come all at once.
    const socket = net.connect(port, '127.0.0.1');
    file.ends.push(() => socket.destroy());
    const requests = ids.map((id) => `GET /socket.io/1/xhr-polling/${id} HTTP/1.1\r\nHost: a\r\n`);
    socket.resume().write(`${requests.join('\r\n')}\r\n`);
    await all;
    assert.ok(most <= 1000, `${most} have waited`);
  });
});
