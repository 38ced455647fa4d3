'use strict';

/**
 * A chat on Socket.IO 4 that forgets nothing: messages cross in a Redis stream, and a client whose server has ended, or
 * crashed, goes on at another one, with its name, its room, and what was said meanwhile.
 *
 *     PORT=3000 node examples/adapter-recovery
 *     PORT=3001 node examples/adapter-recovery
 *
 * To take it away: npm install socket.io@4 socket.io-redis-native
 * (Here socket.io is 0.9; to run it here: node -r ./__test__/examples/adapter-modules.js examples/adapter-recovery)
 */

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { Server } = require('socket.io');
const { createStreamsAdapter } = require('socket.io-redis-native');

const { PORT = '3000', REDIS_HOST = '127.0.0.1', REDIS_PORT = '6379' } = process.env;

const adapter = createStreamsAdapter(
  { host: REDIS_HOST, port: REDIS_PORT },
  // What a client needs to go on is in Redis as long as it is connected: a server that crashes writes nothing.
  { persistSessions: 'always' },
);
const page = fs.readFileSync(path.join(__dirname, '..', 'adapter-page.html'));
const server = http.createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html');
  response.end(page);
});
const io = new Server(server, {
  adapter,
  connectionStateRecovery: { maxDisconnectionDuration: 2 * 60 * 1000 },
});

io.on('connection', (socket) => {
  if (!socket.recovered) {
    // A new client. One that comes back has all this, on whatever server it was before.
    socket.data.name = socket.handshake.auth.name ?? 'guest';
    socket.join('chat');
  }
  socket.on('say', (text) => io.to('chat').emit('said', { name: socket.data.name, text, node: process.pid }));
  socket.emit('welcome', { node: process.pid, recovered: socket.recovered });
});

adapter.ready().then(() => {
  server.listen(Number(PORT), () => {
    console.log(`node ${process.pid} is on http://localhost:${server.address().port}`);
  });
});
