'use strict';

/**
 * A chat on Socket.IO 4, held together by a Redis Cluster. Where the cluster is can be said in three ways; the adapter
 * is `createAdapter`, whose messages reach all of Redis' nodes, or `createShardedAdapter` (Redis 7), whose messages
 * stay on one shard. Start several servers, each on a port of its own; all of them with the same adapter.
 *
 *     REDIS_NODES=127.0.0.1:7000,127.0.0.1:7001 PORT=3000 node examples/adapter-redis-cluster
 *     REDIS_NODES=127.0.0.1:7000,127.0.0.1:7001 PORT=3001 CLIENT=ioredis node examples/adapter-redis-cluster
 *     REDIS_NODES=127.0.0.1:7000,127.0.0.1:7001 PORT=3002 SHARDED=yes node examples/adapter-redis-cluster
 *
 * To take it away: npm install socket.io@4 socket.io-redis-native, and redis or ioredis if you have their clients
 * (Here socket.io is 0.9; to run it here: node -r ./__test__/examples/adapter-modules.js examples/adapter-redis-cluster)
 */

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { Server } = require('socket.io');
const { createAdapter, createShardedAdapter } = require('socket.io-redis-native');

const { PORT = '3000', REDIS_NODES = '127.0.0.1:7000', CLIENT = 'options', SHARDED } = process.env;

/** Some nodes; these know the others. */
const nodes = REDIS_NODES.split(',').map((node) => `redis://${node}`);

// The adapter asks a client only where it points, so it need not be connected. Passwords, TLS and maps of
// addresses are those of the client, or stand in the options.
const clusters = {
  options: () => ({ cluster: nodes }),
  redis() {
    const { createCluster } = require('redis');
    return createCluster({ rootNodes: nodes.map((url) => ({ url })) });
  },
  ioredis() {
    const { Cluster } = require('ioredis');
    return new Cluster(nodes, { lazyConnect: true });
  },
};

const page = fs.readFileSync(path.join(__dirname, '..', 'adapter-page.html'));
const server = http.createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html');
  response.end(page);
});

const cluster = clusters[CLIENT]();
const io = new Server(server, { adapter: SHARDED ? createShardedAdapter(cluster) : createAdapter(cluster) });
const { adapter } = io.of('/');
adapter.on('error', (error) => console.error(error.code, error.message));
// When a node fails or a slot moves: what was sent meanwhile may not have come.
adapter.on('gap', ({ connection, duration }) =>
  console.error(`${connection}: messages of ${duration} ms may be missing`),
);

io.on('connection', (socket) => {
  socket.on('say', (text) => io.emit('said', { name: 'guest', text, node: process.pid }));
  socket.emit('welcome', { node: process.pid });
});

server.listen(Number(PORT), () => console.log(`node ${process.pid} is on http://localhost:${server.address().port}`));
