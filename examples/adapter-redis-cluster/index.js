/**
 * A chat on Socket.IO 4 and a Redis Cluster. You can say in three ways where the cluster is: by addresses, or by a
 * client of `redis` or of `ioredis`. The adapter is `createAdapter`, whose messages reach all nodes of Redis, or
 * `createShardedAdapter`, whose messages stay on one shard (Redis 7). Start several servers, all with the same adapter.
 *
 *     npm install
 *     REDIS_NODES=127.0.0.1:7000,127.0.0.1:7001 PORT=3000 npm start
 *     REDIS_NODES=127.0.0.1:7000,127.0.0.1:7001 PORT=3001 CLIENT=ioredis npm start
 *     REDIS_NODES=127.0.0.1:7000,127.0.0.1:7001 PORT=3002 SHARDED=yes npm start
 */

import fs from 'node:fs';
import http from 'node:http';
import { Cluster } from 'ioredis';
import { createCluster } from 'redis';
import { Server } from 'socket.io';
import { createAdapter, createShardedAdapter } from 'socket.io-redis-native';

const { PORT = '3000', REDIS_NODES = '127.0.0.1:7000', CLIENT = 'addresses', SHARDED } = process.env;

/** Some nodes are enough: they know the others. */
const nodes = REDIS_NODES.split(',').map((node) => `redis://${node}`);

// The adapter only reads from a client where the cluster is, so the client need not be connected. Passwords, TLS and
// maps of addresses are read from it too.
const clusters = {
  addresses: () => ({ cluster: nodes }),
  redis: () => createCluster({ rootNodes: nodes.map((url) => ({ url })) }),
  ioredis: () => new Cluster(nodes, { lazyConnect: true }),
};

const page = fs.readFileSync(new URL('page.html', import.meta.url));
const server = http.createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html');
  response.end(page);
});

const cluster = clusters[CLIENT]();
const io = new Server(server, { adapter: SHARDED ? createShardedAdapter(cluster) : createAdapter(cluster) });
const { adapter } = io.of('/');
adapter.on('error', (error) => console.error(error.code, error.message));
// A node has failed, or a slot has moved: what others sent meanwhile may be lost.
adapter.on('gap', ({ connection, duration }) =>
  console.error(`${connection}: messages of ${duration} ms may be missing`),
);

io.on('connection', (socket) => {
  socket.on('say', (text) => io.emit('said', { name: 'guest', text, node: process.pid }));
  socket.emit('welcome', { node: process.pid });
});

server.listen(Number(PORT), () => console.log(`node ${process.pid} is on http://localhost:${server.address().port}`));
