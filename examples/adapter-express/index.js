'use strict';

/**
 * Socket.IO 4 beside express: pages and routes are express's, `/socket.io` is Socket.IO's. A route
 * can tell the clients of all nodes something, and ask all nodes who is there.
 *
 *     PORT=3000 node examples/adapter-express
 *     curl -d text=hello http://localhost:3000/say
 *     curl http://localhost:3000/people
 *
 * To take it away: npm install express socket.io@4 socket.io-redis-native
 * (Here socket.io is 0.9; to run it here: node -r ./__test__/examples/adapter-modules.js examples/adapter-express)
 */

const http = require('node:http');
const path = require('node:path');
const express = require('express');
const { Server } = require('socket.io');
const { createAdapter } = require('socket.io-redis-native');

const { PORT = '3000', REDIS_HOST = '127.0.0.1', REDIS_PORT = '6379' } = process.env;

const app = express();
const server = http.createServer(app); // not app.listen(): Socket.IO needs the server
const io = new Server(server, { adapter: createAdapter({ host: REDIS_HOST, port: REDIS_PORT }) });
const { adapter } = io.of('/');
adapter.on('error', (error) => console.error(error.code, error.message));

io.on('connection', (socket) => {
  socket.data.node = process.pid;
  socket.on('say', (text) => io.emit('said', { name: 'guest', text, node: process.pid }));
  socket.emit('welcome', { node: process.pid });
});

app.get('/', (request, response) => response.sendFile(path.join(__dirname, '..', 'adapter-page.html')));
app.post('/say', express.urlencoded({ extended: false }), (request, response) => {
  io.emit('said', { name: 'the server', text: request.body.text, node: process.pid });
  response.sendStatus(204);
});
app.get('/people', (request, response, next) => {
  const describe = ({ id, data }) => ({ id, node: data.node });
  io.fetchSockets().then((sockets) => response.json(sockets.map(describe)), next);
});
app.get('/health', (request, response) => {
  const { pub, sub } = adapter.stats().connections;
  const up = pub.state === 'connected' && sub.state === 'connected';
  response.status(up ? 200 : 503).json({ pub, sub });
});

server.listen(Number(PORT), () => console.log(`node ${process.pid} is on http://localhost:${server.address().port}`));
