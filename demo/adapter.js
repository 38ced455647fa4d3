'use strict';

/**
 * Socket.IO 4, with an adapter on the connections of a store: 4 itself keeps no sessions in Redis,
 * so the demo keeps them there as it does with 0.9.
 */

const { Server } = require('socket.io-4'); // its name here, where socket.io is 0.9
const { RedisStore, WebSocketServer } = require('..');

/**
 * @param {import('node:http').Server} server
 * @param {import('./worker.js').Settings} settings
 * @returns {import('./worker.js').SocketIO}
 */
function open(server, { redisUrl, sessionSeconds, origins, native }) {
  const store = new RedisStore({ redisPub: redisUrl, redisSub: redisUrl, redisClient: redisUrl });
  const io = new Server(server, {
    adapter: store.adapter(),
    // Polling would want a balancer that keeps a client on one worker, as examples/adapter-cluster has.
    transports: ['websocket'],
    ...(native && { wsEngine: WebSocketServer }),
    allowRequest(request, decide) {
      const { origin } = request.headers;
      decide(null, !origins || (origin !== undefined && origins.includes(new URL(origin).host)));
    },
  });
  io.on('connection', (socket) => {
    socket.on('disconnect', () => store.destroyClient(socket.id, sessionSeconds));
  });

  return {
    io,
    store,
    sessionOf: (socket) => store.client(socket.id),
    forget(id) {
      io.in(id).disconnectSockets(true);
      store.destroyClient(id, sessionSeconds);
    },
  };
}

module.exports = { open };
