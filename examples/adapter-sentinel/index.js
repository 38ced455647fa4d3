'use strict';

/**
 * A chat on Socket.IO 4, on the Redis master that Sentinels name. When another server becomes the master, the adapter
 * follows. Start several servers, each on a port of its own.
 *
 *     SENTINELS=127.0.0.1:26379 PORT=3000 node examples/adapter-sentinel
 *     SENTINELS=127.0.0.1:26379 PORT=3001 CLIENT=ioredis node examples/adapter-sentinel
 *
 * To take it away: npm install socket.io@4 socket.io-redis-native, and ioredis or redis 6 if you have their clients
 * (Here socket.io is 0.9; to run it here: node -r ./__test__/examples/adapter-modules.js examples/adapter-sentinel)
 */

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { Server } = require('socket.io');
const { createAdapter } = require('socket.io-redis-native');

const { PORT = '3000', SENTINELS = '127.0.0.1:26379', MASTER = 'mymaster', CLIENT = 'options' } = process.env;
/** Of the master and its replicas, and of the Sentinels, which have one of their own or none. */
const { REDIS_PASSWORD: password, SENTINEL_PASSWORD: sentinelPassword } = process.env;

/** Some Sentinels; these know the others. */
const sentinels = SENTINELS.split(',').map((sentinel) => {
  const [host, port] = sentinel.split(':');
  return { host, port: Number(port) };
});

// The adapter asks a client only where it points, so it need not be connected.
const masters = {
  options: () => ({ sentinels, name: MASTER, password, sentinelPassword }),
  ioredis() {
    const { Redis } = require('ioredis');
    return new Redis({ sentinels, name: MASTER, password, sentinelPassword, lazyConnect: true });
  },
  redis() {
    const { createSentinel } = require('redis');
    return createSentinel({
      name: MASTER,
      sentinelRootNodes: sentinels,
      nodeClientOptions: { password },
      sentinelClientOptions: { password: sentinelPassword },
    });
  },
};

const page = fs.readFileSync(path.join(__dirname, '..', 'adapter-page.html'));
const server = http.createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html');
  response.end(page);
});

const io = new Server(server, { adapter: createAdapter(masters[CLIENT]()) });
const { adapter } = io.of('/');
adapter.on('error', (error) => console.error(error.code, error.message));
// When the master changes: what was sent meanwhile may not have come.
adapter.on('gap', ({ connection, duration }) =>
  console.error(`${connection}: messages of ${duration} ms may be missing`),
);

io.on('connection', (socket) => {
  socket.on('say', (text) => io.emit('said', { name: 'guest', text, node: process.pid }));
  socket.emit('welcome', { node: process.pid });
});

server.listen(Number(PORT), () => console.log(`node ${process.pid} is on http://localhost:${server.address().port}`));
