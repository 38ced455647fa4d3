'use strict';

/**
 * One node: an unmodified Socket.IO 0.9 server in a process of its own. The parent (store-cluster.js)
 * sends `{ id, command, args }` and gets `{ id, result }` or `{ id, error }`; what happens is
 * reported as `{ event, … }`.
 */

const http = require('node:http');
const redis = require('redis');
const SocketIO = require('socket.io');

/** @type {import('./store-cluster').NodeSettings} */
const settings = JSON.parse(process.argv[2]);
const { name, store, form, host, port, password, transports, expiration, oneLiner } = settings;

const BARRIER = 'interop:barrier';
const NAMESPACES = ['', '/chat'];
/** The channels of which the parent wants to know that something has been published there. */
const WATCHED = new Set([
  'open',
  'close',
  'message-remote',
  'dispatch-remote',
  'disconnect-remote',
  'disconnect-force',
  'heartbeat-clear',
]);
const EXIT_HINT = 60_000;

/** @param {string} event @param {object} [details] */
function report(event, details) {
  if (process.connected) process.send({ ...details, event });
}

if (oneLiner) SocketIO.RedisStore = require('../..').RedisStore;
const RedisStore = store === 'js' || oneLiner ? SocketIO.RedisStore : require('../..').RedisStore;

const address = () => ({ host, port });
const FORMS = {
  default: () => new RedisStore(),
  options: () => new RedisStore({ redisPub: address(), redisSub: address(), redisClient: address() }),
  clients() {
    const pub = redis.createClient(port, host);
    const sub = redis.createClient(port, host);
    const client = redis.createClient(port, host);
    if (password) for (const each of [pub, sub, client]) each.auth(password);
    return new RedisStore({ redisPub: pub, redisSub: sub, redisClient: client });
  },
};

const server = http.createServer();
/** @type {Set<import('node:net').Socket>} */
const connections = new Set();
server.on('connection', (connection) => {
  connections.add(connection);
  connection.on('close', () => connections.delete(connection));
  // 0.9 takes its listeners off a connection that it gives up; a reset after that has no other.
  connection.on('error', () => {});
});

const io = SocketIO.listen(server, { log: false });
// Behind 0.9's own listener, which has dealt with the request.
server.on('request', ({ method, url }, { writableEnded }) => {
  const id = url.split(/[/?]/)[4];
  report('handled', { method, id, isAnswered: writableEnded });
});
io.set('store', FORMS[form]());
if (store === 'engine') io.store.engine(io);
io.set('client store expiration', expiration);
if (transports) io.set('transports', transports);
io.set('authorization', (data, accept) => {
  data.user = data.query.user;
  accept(null, data.query.user !== 'mallory');
});
io.of('/chat').authorization((data, accept) => {
  data.chat = name;
  accept(null, true);
});

for (const nsp of NAMESPACES) {
  io.of(nsp).on('connection', (socket) => {
    const { id } = socket;
    report('connection', { nsp, id, handshake: socket.handshake });
    socket.on('disconnect', (reason) => report('disconnect', { nsp, id, reason }));
    socket.on('note', (...args) => report('note', { nsp, id, args }));
    socket.on('message', (data) => report('message', { nsp, id, data }));
    socket.on('echo', (...args) => args.pop()(...args, name));
    socket.on('join', (room, done) => done(Boolean(socket.join(room))));
    socket.on('leave', (room, done) => done(Boolean(socket.leave(room))));
    socket.on('keep', (key, value, done) => socket.set(key, value, (error) => done(error ? error.code : null)));
    socket.on('emit to others', (...args) => socket.broadcast.emit(...args));
    socket.on('emit to room', (room, ...args) => socket.broadcast.to(room).emit(...args));
  });
}

io.store.subscribe(BARRIER, (token) => report('barrier', { token }));
io.store.on('publish', (channel, ...args) => {
  if (WATCHED.has(channel)) report('published', { channel, id: args[0] });
});
for (const fault of ['error', 'gap', 'disconnect', 'reconnecting']) {
  io.store.on(fault, (details) =>
    report('fault', { fault, details: String(details?.message ?? JSON.stringify(details)) }),
  );
}

/** What the parent may ask for; a promise is awaited. */
const commands = {
  /**
   * Walks from `io`: a string is a property, an array a method and its arguments. So
   * `['in', 'room'], 'volatile'` is `.in('room').volatile`.
   * @param {...(string | any[])} steps
   */
  run(...steps) {
    let target = io;
    for (const step of steps) {
      if (typeof step === 'string') target = target[step];
      else target = target[step[0]](...step.slice(1));
    }
  },

  /** @param {string} token what the other nodes report when all that was published before has arrived */
  barrier(token) {
    io.store.publish(BARRIER, token);
  },

  /** @param {string} id what this node knows of a client */
  state(id) {
    return {
      handshaken: io.handshaken[id] ?? null,
      connected: id in io.connected,
      open: id in io.open,
      waiting: io.closed[id] ?? null,
      rooms: Object.keys(io.roomClients[id] ?? {}).sort(),
      transport: Boolean(io.transports[id]),
      heartbeatTimeout: Boolean(io.transports[id]?.heartbeatTimeout),
    };
  },

  /** Sends a heartbeat to a client that hangs on this node, whose answer is awaited from now on. */
  heartbeat(id) {
    io.transports[id].heartbeat();
  },

  /** Emits an event to a client; its acknowledgement is reported as `answer`. */
  ask(id, event, ...args) {
    io.sockets.socket(id).emit(event, ...args, (...answer) => report('answer', { id, answer }));
  },

  /** @returns {Promise<any>} what `get`, `set`, `has` or `del` of a client's data calls back with */
  session(id, method, ...args) {
    return new Promise((resolve, reject) => {
      io.store.client(id)[method](...args, (error, value) => (error ? reject(error) : resolve(value)));
    });
  },

  /**
   * Thousands of times in a row: a client joins a room, the room is told, the client leaves, the
   * room is told again.
   */
  parade(id, first, count) {
    const member = io.sockets.socket(id);
    for (let i = first; i < first + count; i++) {
      const room = `${id} ${i}`;
      member.join(room);
      io.sockets.in(room).emit('step', i);
      member.leave(room);
      io.sockets.in(room).emit('never', i);
    }
  },

  /** @returns {object | null} the counters of our store */
  stats() {
    return io.store.stats?.() ?? null;
  },

  /** Closes all; then this process has to end by itself. */
  close() {
    io.store.destroy();
    server.close();
    for (const connection of connections) connection.destroy();
    process.once('disconnect', () => {
      const hint = () => console.error(`${name} (${store}) is kept alive by`, process.getActiveResourcesInfo());
      setTimeout(hint, EXIT_HINT).unref();
    });
  },
};

process.on('message', async ({ id, command, args }) => {
  try {
    const result = await commands[command](...args);
    process.send({ id, result });
  } catch (error) {
    process.send({ id, error: error.stack });
  }
});

server.listen(0, '127.0.0.1', () => report('listening', { port: server.address().port }));
