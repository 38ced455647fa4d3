'use strict';

/** Socket.IO 0.9 as it always was, with another store. */

const socketio = require('socket.io');
const { RedisStore } = require('..');
const { isAway, isGone } = require('./away.js');

/**
 * @param {import('node:http').Server} server
 * @param {import('./worker.js').Settings} settings
 * @returns {import('./worker.js').SocketIO}
 */
function open(server, { redisUrl, sessionSeconds, origins, native }) {
  // 0.9 takes its listeners off a connection that it gives up. On today's Node a reset
  // after that would be an 'error' nobody listens for, and end the process.
  server.on('connection', (connection) => connection.on('error', () => {}));

  const io = socketio.listen(server);
  io.set('log level', 1);
  // Polling is only a last resort: its requests want a balancer that keeps them on one worker.
  io.set('transports', ['websocket', 'xhr-polling']);
  io.set('client store expiration', sessionSeconds);
  if (origins) io.set('origins', origins);
  io.set('store', new RedisStore({ redisPub: redisUrl, redisSub: redisUrl, redisClient: redisUrl }));
  if (native) io.store.engine(io);

  return {
    io,
    store: io.store,
    stats: () => io.store.stats(),
    // Commands share the connection that publishes.
    connections() {
      const { pub, sub } = io.store.stats().connections;
      return [
        { name: 'publish', state: pub.state },
        { name: 'subscribe', state: sub.state },
      ];
    },
    emitters: [io.store],
    away: () => isAway(io.store.stats().connections),
    gone: () => isGone(io.store.stats().connections),
    tellHere: (sockets, event, value) => sockets.forEach((socket) => socket.volatile.emit(event, value)),
    onGap: (listener) => io.store.on('gap', listener),
    sessionOf: (socket) => socket,
    forget(id) {
      io.onClientDisconnect(id, 'taken over');
      io.store.publish('disconnect-remote', id, 'taken over');
    },
  };
}

module.exports = { open };
