'use strict';

/**
 * A process of its own for store/ending.test.js: brings a client into a state, destroys the store that has
 * it, and has nothing else to do. So it ends by itself, unless the client goes on, and with 0, unless it
 * throws.
 */

const { once } = require('node:events');
const net = require('node:net');

const { RedisStore } = require('../..');
const { families } = require('./client-families.js');

const HOST = '127.0.0.1';
const [, , name, state, port] = process.argv;
const family = families.find((one) => one.name === name);

/** Passes everything on to Redis, until it is gone. */
async function startProxy() {
  const sockets = new Set();
  const proxy = net.createServer((socket) => {
    const peer = net.connect(Number(port), HOST);
    for (const one of [socket, peer]) sockets.add(one.on('error', () => {}));
    socket.pipe(peer).pipe(socket);
  });
  await once(proxy.listen(0, HOST), 'listening');
  return {
    port: proxy.address().port,
    stop() {
      proxy.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A port at which nothing listens. */
async function closedPort() {
  const server = net.createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port: free } = server.address();
  server.close();
  await once(server, 'close');
  return free;
}

const start = (client) => family.start(client)?.catch?.(() => {});

/** @returns {Promise<any>} a client in that state */
const states = {
  idle: async () => family.create({ port: await closedPort() }),
  async connecting() {
    const client = family.create({ port: await closedPort() });
    start(client);
    return client;
  },
  async reconnecting() {
    const client = family.create({ port: await closedPort() });
    const failed = new Promise((resolve) => client.once('error', resolve));
    start(client);
    await failed;
    return client;
  },
  async connected() {
    const client = family.create({ port });
    await start(client);
    return client;
  },
  async lost() {
    const proxy = await startProxy();
    const client = family.create({ port: proxy.port });
    await start(client);
    const gone = new Promise((resolve) => ['error', 'end', 'close'].forEach((event) => client.once(event, resolve)));
    proxy.stop();
    await gone;
    return client;
  },
  async ended() {
    const client = await states.connected();
    if (client.disconnect) await client.disconnect();
    else client.end(true);
    return client;
  },
};

(async () => {
  const client = await states[state]();
  const store = new RedisStore({ redisPub: client, redisSub: client, redisClient: client, commandTimeout: 10 });
  store.on('error', () => {});
  store.client('id').set('key', 'value', () => {});
  const closed = new Promise((resolve) => {
    store.on('close', resolve);
  });
  store.destroy();
  await closed;
  if (!family.isEnded(client)) throw new Error('the client is not ended');
})();
