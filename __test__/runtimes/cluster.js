'use strict';

/**
 * The smoke test in each worker of a cluster; then servers of Socket.IO 0.9 in these workers, on
 * one port, that have no sticky sessions and one Redis. Prints `ok`.
 */

const assert = require('node:assert/strict');
const cluster = require('node:cluster');
const { once } = require('node:events');
const http = require('node:http');

// Odd: taking turns, one worker of two would shake all hands and the other have all clients.
const WORKERS = 3;
const CLIENTS = 6;

/** What the workers have reported: the messages of each key, by worker. @type {Map<string, Map<number, any>>} */
const reports = new Map();
let wake = () => {};

function note(worker, message) {
  if (!reports.has(message.key)) reports.set(message.key, new Map());
  reports.get(message.key).set(worker.id, message);
  wake();
}

/** Resolves with what the workers say about it once all of them have. */
async function reportedByAll(key) {
  while (reports.get(key)?.size !== WORKERS)
    await new Promise((resolve) => {
      wake = () => resolve(undefined);
    });
  return [...reports.get(key).values()];
}

const sendAll = (message) => {
  for (const worker of Object.values(cluster.workers)) worker.send(message);
};

async function primary() {
  const { connect, handshake } = require('../support/store-client');
  const exits = [];
  cluster.on('message', note);
  for (let i = 0; i < WORKERS; i++) exits.push(once(cluster.fork(), 'exit'));
  // A worker that fails says why on stderr, and here is the end.
  for (const exit of exits)
    exit.then(([code]) => {
      if (code !== 0) process.exit(1);
    });
  const [node] = await reportedByAll('listening');

  const clients = [];
  const heard = [];
  while (clients.length < CLIENTS) {
    // The worker that takes the connection need not be the one that shook hands.
    const id = await handshake(node);
    await reportedByAll(id);
    clients.push(await connect(node, { id }));
  }
  for (const client of clients) {
    client.emit('all', client.id);
    for (const each of clients) heard.push((await each.event('said'))[0] === client.id);
  }
  assert.deepEqual(heard, Array(CLIENTS * CLIENTS).fill(true));
  const workers = await Promise.all(clients.map((client) => client.ask('who')));
  // Bun leaves it to the kernel, which may prefer one of them.
  if (!process.versions.bun) assert.ok(new Set(workers.flat()).size > 1, 'the clients are spread');
  for (const client of clients) await client.close();
  sendAll('close');
  assert.deepEqual(await Promise.all(exits), Array(WORKERS).fill([0, null]));
  console.log('ok');
}

async function worker() {
  const SocketIO = require('socket.io');
  const { parts } = require('./smoke');
  const { close, open, subscribe } = require('./store-smoke');
  const settings = JSON.parse(process.argv[2]);
  const prefix = `${process.pid}:`;
  for (const name of Object.keys(parts)) await parts[name]({ ...settings, prefix });

  const server = http.createServer();
  const io = SocketIO.listen(server, { log: false });
  io.set('store', open(settings.url));
  io.set('client store expiration', 0);
  io.sockets.on('connection', (socket) => {
    socket.on('all', (text) => io.sockets.emit('said', text));
    socket.on('who', (done) => done(process.pid));
  });
  // The manager's own consumers were there first, so it knows by now.
  const report = (id) => process.send({ key: id });
  io.store.on('publish', (channel, id) => {
    if (channel === 'handshake') report(id);
  });
  await subscribe(io.store, 'handshake', report);
  process.once('message', async () => {
    await close(io.store);
    server.close();
    server.closeAllConnections?.();
    process.disconnect();
  });
  server.listen(0, '127.0.0.1', () => process.send({ key: 'listening', port: server.address().port }));
}

if (cluster.isPrimary) primary();
else worker();
