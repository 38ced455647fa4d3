'use strict';

/**
 * The smallest chat: one node of a cluster that Redis holds together. Start several, each on a port
 * of its own; what is said on one is heard on all.
 *
 *     PORT=3000 node examples/store-chat
 *     PORT=3001 node examples/store-chat
 *
 * To take it away: npm install socket.io@0.9 redis@0.12 socket.io-redis-native
 */

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const redis = require('redis');
const socketio = require('socket.io');
const { RedisStore } = require('socket.io-redis-native');

const { PORT = '3000', REDIS_HOST = '127.0.0.1', REDIS_PORT = '6379' } = process.env;

const page = fs.readFileSync(path.join(__dirname, '..', 'store-page.html'));
const server = http.createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html');
  response.end(page);
});
// 0.9 on today's Node: a reset of a connection that it has given up must not end the process.
server.on('connection', (connection) => connection.on('error', () => {}));

// As in 0.9: three clients. The store asks them only where they point.
function redisClient() {
  const client = redis.createClient(Number(REDIS_PORT), REDIS_HOST);
  client.on('error', () => {}); // the store reports what happens to its own connections
  return client;
}

const io = socketio.listen(server, { 'log level': 1 });
io.set('transports', ['websocket']);
io.set('store', new RedisStore({ redisPub: redisClient(), redisSub: redisClient(), redisClient: redisClient() }));

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
