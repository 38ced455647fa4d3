'use strict';

/** One of the workers: Socket.IO 0.9 as it always was, with another store. */

const http = require('node:http');
const redis = require('redis');
const socketio = require('socket.io');
const { serveStatic } = require('./static.js');
const { Chat } = require('./chat.js');
const { startFigures } = require('./figures.js');
const { RedisStore } = require('..');

const { REDIS_HOST, REDIS_PORT, PORT, HOST, DEMO_WORKER, DEMO_GENERATION } = process.env;
const SESSION_SECONDS = 60;
const STOP_TIMEOUT = 1000;

let stopping = false;

/** How people and messages are labelled with the process they hang on. */
const self = Object.freeze({ index: Number(DEMO_WORKER), pid: process.pid, generation: Number(DEMO_GENERATION) });

function redisClient() {
  const client = redis.createClient(Number(REDIS_PORT), REDIS_HOST);
  client.on('error', () => {}); // the store reports what happens to its own connections
  return client;
}

const server = http.createServer(serveStatic);
// 0.9 takes its listeners off a connection that it gives up. On today's Node a reset
// after that would be an 'error' nobody listens for, and end the process.
server.on('connection', (connection) => connection.on('error', () => {}));

const io = socketio.listen(server);

io.set('log level', 1);
// Polling is only a last resort: its requests want a balancer that keeps them on one worker.
io.set('transports', ['websocket', 'xhr-polling']);
io.set('client store expiration', SESSION_SECONDS);
// Another site's page must not get at a server on this machine, which it could ask to kill.
if (HOST === '127.0.0.1') io.set('origins', [`127.0.0.1:${PORT}`, `localhost:${PORT}`]);
io.set('store', new RedisStore({
  redisPub: redisClient(),
  redisSub: redisClient(),
  redisClient: redisClient(),
}));

const chat = new Chat(io, self, () => process.send({ type: 'kill me' }));
startFigures(io, self, chat.people);

for (const event of ['error', 'gap', 'reconnecting']) {
  io.store.on(event, (detail) => {
    if (!stopping) console.error(`worker ${self.index}: store ${event}`, detail?.message ?? detail ?? '');
  });
}

server.listen(Number(PORT), HOST);

function stop() {
  if (stopping) return;
  stopping = true;
  io.store.once('close', () => process.exit(0)); // once what is queued has left
  setTimeout(() => process.exit(0), STOP_TIMEOUT); // Ctrl-C in a terminal ends Redis too
  io.store.destroy();
}
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
