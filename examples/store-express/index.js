'use strict';

/**
 * Beside express 4: pages and routes are express's, `/socket.io` is Socket.IO's. A route can tell
 * the clients of all nodes something, not only those of its own.
 *
 *     PORT=3000 node examples/store-express
 *     curl -d text=hello http://localhost:3000/say
 *
 * To take it away: npm install express@4 socket.io@0.9 socket.io-redis-native
 */

const http = require('node:http');
const path = require('node:path');
const express = require('express');
const socketio = require('socket.io');
const { RedisStore } = require('socket.io-redis-native');

const { PORT = '3000', REDIS_HOST = '127.0.0.1', REDIS_PORT = '6379' } = process.env;

const app = express();
const server = http.createServer(app); // not app.listen(): Socket.IO needs the server
// 0.9 on today's Node: a reset of a connection that it has given up must not end the process.
server.on('connection', (connection) => connection.on('error', () => {}));

const io = socketio.listen(server, { 'log level': 1 });
const redis = { host: REDIS_HOST, port: REDIS_PORT };
io.set('transports', ['websocket']);
io.set('store', new RedisStore({ redisPub: redis, redisSub: redis, redisClient: redis }));

io.sockets.on('connection', (socket) => {
  socket.on('say', (text) => io.sockets.emit('said', { name: 'guest', text, node: process.pid }));
  socket.emit('welcome', { node: process.pid });
});

app.get('/', (request, response) => response.sendFile(path.join(__dirname, '..', 'store-page.html')));
app.post('/say', express.urlencoded({ extended: false }), (request, response) => {
  io.sockets.emit('said', { name: 'the server', text: request.body.text, node: process.pid });
  response.sendStatus(204);
});
app.get('/health', (request, response) => {
  const { pub, sub } = io.store.stats().connections;
  const up = pub.state === 'connected' && sub.state === 'connected';
  response.status(up ? 200 : 503).json({ pub, sub });
});

server.listen(Number(PORT), () => console.log(`node ${process.pid} is on http://localhost:${server.address().port}`));
