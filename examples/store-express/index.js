'use strict';

/**
 * Socket.IO 0.9 beside express 4. Express has the pages and routes, and Socket.IO has `/socket.io`. A route tells
 * something to the clients of all servers.
 *
 *     npm install
 *     PORT=3000 npm start
 *     curl -d text=hello http://localhost:3000/say
 *
 * Start several servers, each on a port of its own. REDIS_URL says where Redis is.
 */

const http = require('node:http');
const path = require('node:path');
const express = require('express');
const socketio = require('socket.io');
const { RedisStore } = require('socket.io-redis-native');

const { PORT = '3000', REDIS_URL = 'redis://localhost:6379' } = process.env;

const app = express();
const server = http.createServer(app); // not app.listen(): Socket.IO needs the server
// On today's Node, a reset of a connection that 0.9 has given up would end the process.
server.on('connection', (connection) => connection.on('error', () => {}));

const io = socketio.listen(server, { 'log level': 1 });
io.set('transports', ['websocket']);
io.set('store', new RedisStore({ redisPub: REDIS_URL, redisSub: REDIS_URL, redisClient: REDIS_URL }));

io.sockets.on('connection', (socket) => {
  socket.on('say', (text) => io.sockets.emit('said', { name: 'guest', text, node: process.pid }));
  socket.emit('welcome', { node: process.pid });
});

app.get('/', (request, response) => response.sendFile(path.join(__dirname, 'page.html')));
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
