'use strict';

/**
 * The article's app, in a process of its own: HTTP and Socket.IO 0.9 with the Redis store. The
 * installed app calls it with what it has required or imported itself. The parent sends texts to
 * broadcast, and ends it by disconnecting.
 */

const http = require('node:http');

/**
 * @param {any} SocketIO
 * @param {any} redis
 * @param {any} RedisStore
 */
module.exports = function app(SocketIO, redis, RedisStore) {
  const port = Number(process.env.REDIS_PORT);
  const server = http.createServer((request, response) => response.end('hello'));
  /** @type {Set<import('node:net').Socket>} */
  const connections = new Set();
  server.on('connection', (connection) => {
    connections.add(connection);
    connection.on('close', () => connections.delete(connection));
    connection.on('error', () => {});
  });
  const io = SocketIO.listen(server, { log: false });
  io.set(
    'store',
    new RedisStore({
      redisPub: redis.createClient(port, '127.0.0.1'),
      redisSub: redis.createClient(port, '127.0.0.1'),
      redisClient: redis.createClient(port, '127.0.0.1'),
    }),
  );
  io.store.on('connect', (/** @type {any} */ { connection }) => {
    if (connection === 'sub') server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
  });
  process.on('message', (text) => io.sockets.emit('news', text));
  // Then nothing may keep the process alive.
  process.on('disconnect', () => {
    io.store.destroy();
    server.close();
    for (const connection of connections) connection.destroy();
  });
};
