'use strict';

/**
 * Socket.IO in the workers of a cluster, whose primary hands them the sockets: `@socket.io/sticky` with the argument
 * `sticky`, or Node itself. Tells its port; workers tell what became of their connections when a client asks for it.
 */

const cluster = require('node:cluster');
const http = require('node:http');
const { setupMaster, setupWorker } = require('@socket.io/sticky');
const { Server } = require('socket.io-4');
const { WebSocketServer } = require('../../..');

const HOST = '127.0.0.1';
const WORKERS = 2;
const isSticky = process.argv[2] === 'sticky';
const send = /** @type {(message: any) => void} */ (process.send?.bind(process));

function work() {
  const server = http.createServer();
  const io = new Server(server, { wsEngine: WebSocketServer });
  if (isSticky) setupWorker(io);
  else server.listen(Number(process.env.PORT), HOST);
  io.on('connection', (socket) => {
    socket.on('stats', (answer) => {
      const { native, ws, fallbacks } = /** @type {any} */ (io.engine).ws.stats();
      server.getConnections((_, count) => answer({ native, ws, fallbacks, count, address: socket.handshake.address }));
    });
  });
  if (isSticky) send('ready');
  else server.on('listening', () => send('ready'));
}

function lead() {
  let ready = 0;
  // The first bytes of each socket are sent along, as a Buffer.
  cluster.setupPrimary({ serialization: 'advanced' });
  const server = http.createServer();
  if (isSticky) setupMaster(server, { loadBalancingMethod: 'round-robin' });
  server.listen(0, HOST, () => {
    const { port } = /** @type {any} */ (server.address());
    const begin = () => {
      for (let i = 0; i < WORKERS; i++) cluster.fork({ PORT: port });
    };
    if (isSticky) begin();
    else server.close(begin); // its port was free
    cluster.on('message', (_, message) => {
      if (message === 'ready' && ++ready === WORKERS) send({ port });
    });
  });
  process.on('disconnect', () => process.exit());
}

if (cluster.isPrimary) lead();
else work();
