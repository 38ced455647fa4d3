/**
 * A chat on Socket.IO 4 that misses nothing. Messages cross in a Redis stream. When a server ends or crashes, its
 * clients go on at another one: with their name, their room, and what was said meanwhile.
 *
 *     npm install
 *     PORT=3000 npm start
 *     PORT=3001 npm start
 *
 * REDIS_URL says where Redis is. A balancer in front of the servers leads a client to the one that is left.
 */

import fs from 'node:fs';
import http from 'node:http';
import { Server } from 'socket.io';
import { createStreamsAdapter } from 'socket.io-redis-native';

const { PORT = '3000', REDIS_URL = 'redis://localhost:6379' } = process.env;

// A server that crashes writes nothing. With 'always', Redis has a client's session as long as it is connected.
const adapter = createStreamsAdapter(REDIS_URL, { persistSessions: 'always' });
const page = fs.readFileSync(new URL('page.html', import.meta.url));
const server = http.createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html');
  response.end(page);
});
const io = new Server(server, {
  adapter,
  connectionStateRecovery: { maxDisconnectionDuration: 2 * 60 * 1000 }, // ms
});

io.on('connection', (socket) => {
  if (!socket.recovered) {
    // This client is new. One that comes back has all this, whatever server it was on before.
    socket.data.name = socket.handshake.auth.name ?? 'guest';
    socket.join('chat');
  }
  socket.on('say', (text) => io.to('chat').emit('said', { name: socket.data.name, text, node: process.pid }));
  socket.emit('welcome', { node: process.pid, recovered: socket.recovered });
});

await adapter.ready();
server.listen(Number(PORT), () => console.log(`node ${process.pid} is on http://localhost:${server.address().port}`));
