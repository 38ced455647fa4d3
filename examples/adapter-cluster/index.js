'use strict';

/**
 * A chat on Socket.IO 4 on every core, behind one port. @socket.io/sticky keeps the requests of a
 * client on one worker, so that long polling works too; Redis holds the workers together.
 *
 *     PORT=3000 node examples/adapter-cluster
 *
 * To take it away: npm install socket.io@4 @socket.io/sticky socket.io-redis-native
 * (Here socket.io is 0.9; to run it here: node -r ./__test__/examples/adapter-modules.js examples/adapter-cluster)
 */

const cluster = require('node:cluster');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { setupMaster, setupWorker } = require('@socket.io/sticky');
const { Server } = require('socket.io');
const { createAdapter } = require('socket.io-redis-native');

const { PORT = '3000', REDIS_HOST = '127.0.0.1', REDIS_PORT = '6379' } = process.env;
const { WORKERS = os.availableParallelism?.() ?? os.cpus().length } = process.env;

function primary() {
  const server = http.createServer();
  setupMaster(server, { loadBalancingMethod: 'least-connection' });
  cluster.setupPrimary({ serialization: 'advanced' }); // sticky sends Buffers
  server.listen(Number(PORT), () => {
    const env = { PORT: server.address().port };
    for (let i = 0; i < Number(WORKERS); i++) cluster.fork(env);
    cluster.on('exit', (worker, code, signal) => {
      console.error(`worker ${worker.process.pid} is gone (${signal ?? code}), here is a new one`);
      setTimeout(() => cluster.fork(env), 500);
    });
  });
}

function worker() {
  const page = fs.readFileSync(path.join(__dirname, '..', 'adapter-page.html'));
  const server = http.createServer((request, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end(page);
  });
  const io = new Server(server, { adapter: createAdapter({ host: REDIS_HOST, port: REDIS_PORT }) });
  setupWorker(io); // it does not listen: the primary hands over what has connected

  io.on('connection', (socket) => {
    socket.on('say', (text) => io.emit('said', { name: 'guest', text, node: process.pid }));
    socket.emit('welcome', { node: process.pid });
  });
  console.log(`node ${process.pid} is on http://localhost:${PORT}`);
}

if (cluster.isPrimary) primary();
else worker();
