'use strict';

/**
 * The smallest chat on Socket.IO 0.9. Start several servers, each on a port of its own: what is said on one is heard on
 * all.
 *
 *     npm install
 *     PORT=3000 npm start
 *     PORT=3001 npm start
 *
 * REDIS_URL says where Redis is.
 */

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const socketio = require('socket.io');
const { RedisStore } = require('socket.io-redis-native');

const { PORT = '3000', REDIS_URL = 'redis://localhost:6379' } = process.env;

const page = fs.readFileSync(path.join(__dirname, 'page.html'));
const server = http.createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html');
  response.end(page);
});
// On today's Node, a reset of a connection that 0.9 has given up would end the process.
server.on('connection', (connection) => connection.on('error', () => {}));

const io = socketio.listen(server, { 'log level': 1 });
io.set('transports', ['websocket']);
io.set('store', new RedisStore({ redisPub: REDIS_URL, redisSub: REDIS_URL, redisClient: REDIS_URL }));

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
