'use strict';

/**
 * The chat of examples/store-chat on every core, behind one port. Node hands each connection to the next
 * worker; Redis holds the workers together.
 *
 *     PORT=3000 node examples/store-cluster
 *
 * Handshake and WebSocket of a client may reach two workers: the second knows of the first through
 * Redis. Polling transports would want a balancer that keeps a client on one worker.
 */

const cluster = require('node:cluster');
const os = require('node:os');

const { WORKERS = os.availableParallelism?.() ?? os.cpus().length } = process.env;

if (cluster.isPrimary) {
  for (let i = 0; i < Number(WORKERS); i++) cluster.fork();
  cluster.on('exit', (worker, code, signal) => {
    console.error(`worker ${worker.process.pid} is gone (${signal ?? code}), here is a new one`);
    setTimeout(() => cluster.fork(), 500);
  });
} else {
  require('../store-chat');
}
