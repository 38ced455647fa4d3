/**
 * A chat on Socket.IO 4 on every core, behind one port. @socket.io/sticky keeps the requests of a client on one worker,
 * so that long polling works too. Redis carries what is said from one worker to the others.
 *
 *     npm install
 *     PORT=3000 npm start
 *
 * REDIS_URL says where Redis is, and WORKERS how many processes serve clients.
 */

import cluster from 'node:cluster';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import { setupMaster, setupWorker } from '@socket.io/sticky';
import { Server } from 'socket.io';
import { createAdapter, WebSocketServer } from 'socket.io-redis-native';

const { PORT = '3000', REDIS_URL = 'redis://localhost:6379' } = process.env;
const { WORKERS = os.availableParallelism?.() ?? os.cpus().length } = process.env;

function primary() {
  const server = http.createServer();
  setupMaster(server, { loadBalancingMethod: 'least-connection' });
  cluster.setupPrimary({ serialization: 'advanced' }); // sticky sends Buffers
  server.listen(Number(PORT), () => {
    const env = { PORT: server.address().port };
    for (let i = 0; i < Number(WORKERS); i++) cluster.fork(env);
    cluster.on('exit', (worker, code, signal) => {
      console.error(`worker ${worker.process.pid} has ended (${signal ?? code}); a new one starts`);
      setTimeout(() => cluster.fork(env), 500);
    });
  });
}

function worker() {
  const page = fs.readFileSync(new URL('page.html', import.meta.url));
  const server = http.createServer((request, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end(page);
  });
  const io = new Server(server, { adapter: createAdapter(REDIS_URL), wsEngine: WebSocketServer });
  setupWorker(io); // A worker does not listen: the primary hands it each connection.

  io.on('connection', (socket) => {
    socket.on('say', (text) => io.emit('said', { name: 'guest', text, node: process.pid }));
    socket.emit('welcome', { node: process.pid });
  });
  console.log(`node ${process.pid} is on http://localhost:${PORT}`);
}

if (cluster.isPrimary) primary();
else worker();
