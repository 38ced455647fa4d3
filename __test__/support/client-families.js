'use strict';

/** Every client that a store may be given, made the same way. */

const HOST = '127.0.0.1';
const quiet = (client) => client.on('error', () => {});

/** `redis` 0.7 to 3: password and database come by commands, after construction. */
const callback = (name) => ({
  name,
  create: ({ port, path, tls }) => {
    const redis = require(name);
    if (tls) return quiet(redis.createClient({ host: HOST, port, tls }));
    return quiet(path ? redis.createClient(path) : redis.createClient(port, HOST));
  },
  enter(client, { password, db }) {
    if (password) client.auth(password, () => {});
    if (db) client.select(db, () => {});
  },
  start: (client) =>
    new Promise((resolve) => {
      client.ready ? resolve(undefined) : client.once('ready', resolve);
    }),
  socket: (client) => client.stream,
  isEnded: (client) => !client.connected,
});

/** `redis` 4 to 6: all that matters stands in the options. */
const promise = (name) => ({
  name,
  create: ({ port, path, tls, password, db }) =>
    quiet(
      require(name).createClient({
        socket: path ? { path } : { host: HOST, port, ...(tls ? { tls: true, ...tls } : {}) },
        ...(password ? { password } : {}),
        ...(db ? { database: db } : {}),
      }),
    ),
  enter() {},
  start: (client) => client.connect(),
  socket: null, // a private field
  isEnded: (client) => !client.isOpen,
});

const ioredis = (name) => ({
  name,
  create: ({ port, path, tls }) =>
    quiet(
      new (require(name))({
        ...(path ? { path } : { host: HOST, port }),
        ...(tls ? { tls } : {}),
        lazyConnect: true,
      }),
    ),
  enter(client, { password, db }) {
    if (password) client.auth(password).catch(() => {});
    if (db) client.select(db).catch(() => {});
  },
  start: (client) => client.connect(),
  socket: (client) => client.stream,
  isEnded: (client) => client.status === 'end' || client.status === 'close' || client.manuallyClosing === true,
});

const families = [
  ...['redis-0.7', 'redis-0.8', 'redis-0.12', 'redis-2', 'redis-3'].map(callback),
  ...['redis-4', 'redis-5', 'redis-6'].map(promise),
  ...['ioredis-4', 'ioredis-5', 'ioredis-6'].map(ioredis),
];

module.exports = { families };
