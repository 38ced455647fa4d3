'use strict';

/**
 * A chat on Socket.IO 0.9 and Redis Sentinel. The Sentinels say which server is the master: messages and what clients
 * have `set` go there. When another server becomes the master, the store follows. You can say in two ways where the
 * Sentinels are: by addresses, or by a client of `ioredis`. Start several servers, each on a port of its own.
 *
 *     npm install
 *     SENTINELS=127.0.0.1:26379 PORT=3000 npm start
 *     SENTINELS=127.0.0.1:26379 PORT=3001 CLIENT=ioredis npm start
 */

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { Redis } = require('ioredis');
const socketio = require('socket.io');
const { RedisStore } = require('socket.io-redis-native');

const { PORT = '3000', SENTINELS = '127.0.0.1:26379', MASTER = 'mymaster', CLIENT = 'addresses' } = process.env;
/** The master and its replicas have the first one. The Sentinels have the second one, or none. */
const { REDIS_PASSWORD: password, SENTINEL_PASSWORD: sentinelPassword } = process.env;

/** Some Sentinels are enough: they know the others. */
const sentinels = SENTINELS.split(',').map((sentinel) => {
  const [host, port] = sentinel.split(':');
  return { host, port: Number(port) };
});

// The store only reads from a client where the Sentinels are, so the client need not be connected.
const masters = {
  addresses: () => ({ sentinels, name: MASTER, password, sentinelPassword }),
  ioredis: () => new Redis({ sentinels, name: MASTER, password, sentinelPassword, lazyConnect: true }),
};

const page = fs.readFileSync(path.join(__dirname, 'page.html'));
const server = http.createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html');
  response.end(page);
});
// On today's Node, a reset of a connection that 0.9 has given up would end the process.
server.on('connection', (connection) => connection.on('error', () => {}));

const master = masters[CLIENT]();
const store = new RedisStore({ redisPub: master, redisSub: master, redisClient: master });
store.on('error', (error) => console.error(error.code, error.message));
// The master has changed: what others sent meanwhile may be lost.
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
