'use strict';

/**
 * Socket.IO 4, with an adapter on streams: a client whose worker was killed goes on at another one, and gets what was
 * said meanwhile. What the demo knows of people is in a store, as with 0.9.
 */

const { Server } = require('socket.io-4'); // its name here, where socket.io is 0.9
const { RedisStore, WebSocketServer, createStreamsAdapter } = require('..');
const { isAway, isGone } = require('./away.js');

/**
 * @param {import('node:http').Server} server
 * @param {import('./worker.js').Settings} settings
 * @returns {import('./worker.js').SocketIO}
 */
function open(server, { redisUrl, sessionSeconds, origins, native }) {
  const store = new RedisStore({ redisPub: redisUrl, redisSub: redisUrl, redisClient: redisUrl });
  const io = new Server(server, {
    // A worker that is killed writes no sessions any more: they have to be there before.
    adapter: createStreamsAdapter(redisUrl, { persistSessions: 'always' }),
    connectionStateRecovery: { maxDisconnectionDuration: sessionSeconds * 1000 },
    // Polling would want a balancer that keeps a client on one worker, as examples/adapter-cluster has.
    transports: ['websocket'],
    ...(native && { wsEngine: WebSocketServer }),
    allowRequest(request, decide) {
      const { origin } = request.headers;
      decide(null, !origins || origins.some((host) => origin === `http://${host}`));
    },
  });
  io.on('connection', (socket) => {
    socket.on('disconnect', () => store.destroyClient(socket.id, sessionSeconds));
  });

  const adapter = io.sockets.adapter;
  return {
    io,
    store,
    stats: () => adapter.stats(),
    connections() {
      const { pub, sub } = adapter.stats().connections;
      return [
        { name: 'publish', state: pub.state },
        { name: 'subscribe', state: sub.state },
        { name: 'sessions', state: store.stats().connections.pub.state },
      ];
    },
    emitters: [store, adapter],
    away: () => isAway(adapter.stats().connections) || isAway(store.stats().connections),
    gone: () => isGone(adapter.stats().connections) || isGone(store.stats().connections),
    tellHere(sockets, event, value) {
      if (sockets.length === 0) return; // to no rooms is to all
      // Where state is recovered, `socket.emit` is a broadcast too, which all workers get.
      io.local.volatile.to(sockets.map(({ id }) => id)).emit(event, value);
    },
    onGap: (listener) => adapter.on('gap', listener),
    sessionOf: (socket) => store.client(socket.id),
    forget(id) {
      io.in(id).disconnectSockets(true);
      store.destroyClient(id, sessionSeconds);
    },
  };
}

module.exports = { open };
