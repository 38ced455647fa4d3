/**
 * Socket.IO 4 beside express. Express has the pages and routes, and Socket.IO has `/socket.io`. One route tells something
 * to the clients of all servers, and another one asks all servers who is there.
 *
 *     npm install
 *     PORT=3000 npm start
 *     curl -d text=hello http://localhost:3000/say
 *     curl http://localhost:3000/people
 *
 * Start several servers, each on a port of its own. REDIS_URL says where Redis is.
 */

import http from 'node:http';
import { fileURLToPath } from 'node:url';
import express from 'express';
import { Server } from 'socket.io';
import { createAdapter } from 'socket.io-redis-native';

const { PORT = '3000', REDIS_URL = 'redis://localhost:6379' } = process.env;
const PAGE = fileURLToPath(new URL('page.html', import.meta.url));

const app = express();
const server = http.createServer(app); // not app.listen(): Socket.IO needs the server
const io = new Server(server, { adapter: createAdapter(REDIS_URL) });
const { adapter } = io.of('/');
adapter.on('error', (error) => console.error(error.code, error.message));

io.on('connection', (socket) => {
  socket.data.node = process.pid;
  socket.on('say', (text) => io.emit('said', { name: 'guest', text, node: process.pid }));
  socket.emit('welcome', { node: process.pid });
});

app.get('/', (request, response) => response.sendFile(PAGE));
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
