'use strict';

// A node of a real cluster, in a process of its own: Socket.IO 4 on a port, with one of the
// adapters; every client joins the room.

const http = require('node:http');
const { once } = require('node:events');

const { EVENT, ROOM } = require('./adapter-messages');
const { startServer } = require('./adapters');
const { ClusterNode, dataNow } = require('./cluster-node');
const { serve } = require('./ipc');

let io;
const node = new ClusterNode(() => io.to(ROOM).emit(EVENT, dataNow()));

const actions = {
  async start({ name, port, nodes }) {
    io = await startServer(name, port, { nodes });
    io.on('connection', (socket) => {
      socket.join(ROOM);
      node.connected();
    });
    const server = http.createServer();
    io.attach(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { port: server.address().port };
  },
};

serve({ ...node.actions, ...actions });
