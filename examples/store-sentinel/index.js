'use strict';

/**
 * The chat of examples/store-chat on the Redis master that Sentinels name: messages and what clients have `set` are
 * there. When another server becomes the master, the store follows.
 *
 *     SENTINELS=127.0.0.1:26379 PORT=3000 node examples/store-sentinel
 *     SENTINELS=127.0.0.1:26379 PORT=3001 CLIENT=ioredis node examples/store-sentinel
 *
 * To take it away: npm install socket.io@0.9 socket.io-redis-native, and ioredis if you have its client
 * (To run it here with CLIENT=ioredis: node -r ./__test__/examples/client-modules.js examples/store-sentinel)
 */

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const socketio = require('socket.io');
const { RedisStore } = require('socket.io-redis-native');

const { PORT = '3000', SENTINELS = '127.0.0.1:26379', MASTER = 'mymaster', CLIENT = 'options' } = process.env;
/** Of the master and its replicas, and of the Sentinels, which have one of their own or none. */
const { REDIS_PASSWORD: password, SENTINEL_PASSWORD: sentinelPassword } = process.env;

/** Some Sentinels; these know the others. */
const sentinels = SENTINELS.split(',').map((sentinel) => {
  const [host, port] = sentinel.split(':');
  return { host, port: Number(port) };
});

// The store asks a client only where it points, so it need not be connected.
const masters = {
  options: () => ({ sentinels, name: MASTER, password, sentinelPassword }),
  ioredis() {
    const { Redis } = require('ioredis');
    return new Redis({ sentinels, name: MASTER, password, sentinelPassword, lazyConnect: true });
  },
};

const page = fs.readFileSync(path.join(__dirname, '..', 'store-page.html'));
const server = http.createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html');
  response.end(page);
});
// 0.9 on today's Node: a reset of a connection that it has given up must not end the process.
server.on('connection', (connection) => connection.on('error', () => {}));

const master = masters[CLIENT]();
const store = new RedisStore({ redisPub: master, redisSub: master, redisClient: master });
store.on('error', (error) => console.error(error.code, error.message));
// When the master changes: what was sent meanwhile may not have come.
store.on('gap', ({ connection, duration }) =>
  console.error(`${connection}: messages of ${duration} ms may be missing`),
);

const io = socketio.listen(server, { 'log level': 1 });
io.set('transports', ['websocket']);
io.set('store', store);

io.sockets.on('connection', (socket) => {
  socket.on('name', (name, done) => socket.set('name', name, done));
  socket.on('say', (text) =>
    socket.get('name', (error, name) => {
      io.sockets.emit('said', { name: name ?? 'guest', text, node: process.pid });
    }),
  );
  socket.emit('welcome', { node: process.pid });
});

server.listen(Number(PORT), () => console.log(`node ${process.pid} is on http://localhost:${server.address().port}`));
