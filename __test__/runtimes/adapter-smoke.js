'use strict';

/** What the package does for Socket.IO 4, once; parts of the smoke test, see smoke.js. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');

const { Server } = require('socket.io-4');
const { io: connect } = require('socket.io-client-4');

const { RedisStore, createAdapter } = require('../..');

const ADDRESS = '127.0.0.1';
/** What is broadcast, and must arrive equal. */
const ARGS = [1, 'é\u{1f600}', { list: [null, true, 0.5] }];
const BYTES = Buffer.from([0, 128, 255]);

/** @param {any} adapter what makes adapters */
async function serve(adapter) {
  const server = http.createServer();
  const io = new Server(server, { adapter });
  io.on('connection', (socket) => {
    socket.join('room');
    socket.data.name = `of ${socket.id}`;
    socket.on('double', (number, done) => done(number * 2));
  });
  // Exclusive: workers of a cluster would get the same port.
  server.listen({ port: 0, host: ADDRESS, exclusive: true });
  await once(server, 'listening');
  return { io, url: `http://${ADDRESS}:${server.address().port}`, adapter: io.of('/').adapter };
}

async function client({ url }) {
  const socket = connect(url, { transports: ['websocket'], forceNew: true, reconnection: false });
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve).once('connect_error', reject);
  });
  return socket;
}

const event = (socket, name) =>
  new Promise((resolve) => {
    socket.once(name, (...args) => resolve(args));
  });

/** Resolves once these servers, and no other of the cluster, know of each other. */
async function together(nodes) {
  for (const { adapter } of nodes) {
    while ((await adapter.serverCount()) !== nodes.length || adapter.stats().connections.sub.state !== 'connected') {
      await new Promise(setImmediate);
    }
  }
}

/** Two servers and a client of each speak, ask and leave. */
async function meet(nodes) {
  await together(nodes);
  const sockets = [];
  for (const node of nodes) sockets.push(await client(node));
  for (const { io } of nodes) {
    for (const target of [io, io.to('room')]) {
      const heard = sockets.map((socket) => event(socket, 'said'));
      target.emit('said', ...ARGS, BYTES);
      for (const [bytes, ...args] of (await Promise.all(heard)).map((all) => all.reverse())) {
        assert.deepEqual(args.reverse(), ARGS);
        assert.ok(BYTES.equals(bytes));
      }
    }
    const found = await io.fetchSockets();
    const names = found.map(({ id, data }) => [id, data.name]).sort();
    assert.deepEqual(names, sockets.map(({ id }) => [id, `of ${id}`]).sort());
  }
  assert.equal(await nodes[0].adapter.countSockets(), sockets.length);
  assert.deepEqual((await nodes[1].adapter.allRooms()).has('room'), true);
  const gone = sockets.map((socket) => event(socket, 'disconnect'));
  nodes[0].io.disconnectSockets(true);
  await Promise.all(gone);
}

const parts = {
  /** Servers with connections of their own, which end with them. */
  async adapter({ url, prefix }) {
    const nodes = [];
    for (const subscriptionMode of ['pattern', 'dynamic']) {
      nodes.push(await serve(createAdapter(url, { key: `${prefix}own`, subscriptionMode })));
    }
    await meet(nodes);
    for (const { io, adapter } of nodes) {
      const closed = event(adapter, 'close');
      await io.close();
      await closed;
      assert.equal(adapter.stats().connections.sub.state, 'closed');
    }
  },

  /** Servers on the connections of a store. */
  async adapterOfStore({ url, prefix }) {
    const stores = [1, 2].map(() => new RedisStore({ redisPub: url, redisSub: url, redisClient: url }));
    const nodes = [];
    for (const store of stores) nodes.push(await serve(store.adapter({ key: `${prefix}store` })));
    await meet(nodes);
    for (const { io } of nodes) await io.close();
    for (const store of stores) {
      const closed = event(store, 'close');
      store.destroy();
      await closed;
    }
  },

  /** Nothing is closed: what was said last still leaves, and then the process has to end. */
  async adapterLeftOpen({ url, prefix }) {
    const factory = createAdapter(url, { key: `${prefix}open` });
    const adapter = new Server({ adapter: factory }).of('/').adapter;
    assert.equal(await adapter.serverCount(), 1);
    adapter.nsp.emit('last words');
  },

  adapterOptions() {
    assert.throws(() => createAdapter('redis://localhost', { key: 5 }), {
      name: 'TypeError',
      code: 'ERR_INVALID_OPTION',
    });
    assert.throws(() => createAdapter(5), { name: 'TypeError', code: 'ERR_INVALID_OPTION' });
  },
};

module.exports = { parts };
