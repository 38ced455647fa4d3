'use strict';

/**
 * A chat on Socket.IO 0.9 on every core, behind one port. Node gives each connection to the next worker. Redis carries
 * what is said from one worker to the others.
 *
 *     npm install
 *     PORT=3000 npm start
 *
 * REDIS_URL says where Redis is, and WORKERS how many processes serve clients.
 *
 * The handshake of a client and its WebSocket may reach two workers: the second one learns of the handshake through
 * Redis. Long polling needs a balancer that keeps a client on one worker, so it is left out.
 */

const cluster = require('node:cluster');
const os = require('node:os');

const { WORKERS = os.availableParallelism?.() ?? os.cpus().length } = process.env;

if (cluster.isPrimary) {
  for (let i = 0; i < Number(WORKERS); i++) cluster.fork();
  cluster.on('exit', (worker, code, signal) => {
    console.error(`worker ${worker.process.pid} has ended (${signal ?? code}); a new one starts`);
    setTimeout(() => cluster.fork(), 500);
  });
} else {
  require('./chat.js');
}
