/**
 * A chat on Socket.IO 4 and Redis Sentinel. The Sentinels say which server is the master. When another server becomes
 * the master, the adapter follows. You can say in three ways where the Sentinels are: by addresses, or by a client of
 * `redis` or of `ioredis`. Start several servers, each on a port of its own.
 *
 *     npm install
 *     SENTINELS=127.0.0.1:26379 PORT=3000 npm start
 *     SENTINELS=127.0.0.1:26379 PORT=3001 CLIENT=ioredis npm start
 */

import fs from 'node:fs';
import http from 'node:http';
import { Redis } from 'ioredis';
import { createSentinel } from 'redis';
import { Server } from 'socket.io';
import { createAdapter } from 'socket.io-redis-native';

const { PORT = '3000', SENTINELS = '127.0.0.1:26379', MASTER = 'mymaster', CLIENT = 'addresses' } = process.env;
/** The master and its replicas have the first one. The Sentinels have the second one, or none. */
const { REDIS_PASSWORD: password, SENTINEL_PASSWORD: sentinelPassword } = process.env;

/** Some Sentinels are enough: they know the others. */
const sentinels = SENTINELS.split(',').map((sentinel) => {
  const [host, port] = sentinel.split(':');
  return { host, port: Number(port) };
});

// The adapter only reads from a client where the Sentinels are, so the client need not be connected.
const masters = {
  addresses: () => ({ sentinels, name: MASTER, password, sentinelPassword }),
  ioredis: () => new Redis({ sentinels, name: MASTER, password, sentinelPassword, lazyConnect: true }),
  redis: () =>
    createSentinel({
      name: MASTER,
      sentinelRootNodes: sentinels,
      nodeClientOptions: { password },
      sentinelClientOptions: { password: sentinelPassword },
    }),
};

const page = fs.readFileSync(new URL('page.html', import.meta.url));
const server = http.createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html');
  response.end(page);
});

const io = new Server(server, { adapter: createAdapter(masters[CLIENT]()) });
const { adapter } = io.of('/');
adapter.on('error', (error) => console.error(error.code, error.message));
// The master has changed: what others sent meanwhile may be lost.
adapter.on('gap', ({ connection, duration }) =>
  console.error(`${connection}: messages of ${duration} ms may be missing`),
);

io.on('connection', (socket) => {
  socket.on('say', (text) => io.emit('said', { name: 'guest', text, node: process.pid }));
  socket.emit('welcome', { node: process.pid });
});

server.listen(Number(PORT), () => console.log(`node ${process.pid} is on http://localhost:${server.address().port}`));
