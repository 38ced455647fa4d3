'use strict';

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const { once } = require('node:events');
const { test } = require('node:test');
const { promisify } = require('node:util');
const { io } = require('socket.io-client-4');
const { Inbox } = require('../support/client-inbox.js');
const { LIMIT } = require('../support/limits.js');
const { join, start } = require('./adapter.js');
const { copyOf, redisFor } = require('./run.js');

/** A client with a name, which connects again when it is told to. @param {{ port: number }} at */
function named(t, { port }, name) {
  const socket = io(`http://127.0.0.1:${port}`, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    auth: { name },
  });
  t.after(() => socket.disconnect());
  const inbox = new Inbox();
  socket.onAny((event, what) => inbox.push({ event, what }));
  socket.on('connect_error', (error) => inbox.end(error));
  const next = async (event) => (await inbox.take((item) => item.event === event)).what;
  /** As a balancer would lead it there. */
  const goTo = (/** @type {{ port: number }} */ other) => {
    /** @type {any} */ (socket.io).uri = `http://127.0.0.1:${other.port}`;
    socket.connect();
  };
  return { socket, next, goTo };
}

test(
  'examples/adapter-recovery: a server is killed, its client goes on at another and misses nothing',
  LIMIT,
  async (t) => {
    const redis = await redisFor(t);
    const [a, b] = [await start(t, 'adapter-recovery', { redis }), await start(t, 'adapter-recovery', { redis })];
    const ada = named(t, a, 'Ada');
    assert.deepEqual(await ada.next('welcome'), { node: a.nodes[0], recovered: false });
    const { client: grace } = await join(t, b);
    ada.socket.emit('say', 'before');
    for (const hears of [ada.next('said'), grace.event('said').then(([said]) => said)])
      assert.deepEqual(await hears, { name: 'Ada', text: 'before', node: a.nodes[0] });
    const { id } = ada.socket;

    const gone = once(ada.socket, 'disconnect');
    process.kill(a.nodes[0], 'SIGKILL');
    await gone;
    for (const text of ['meanwhile', 'and again']) {
      grace.socket.emit('say', text);
      await grace.event('said');
    }

    ada.goTo(b);
    assert.deepEqual(await ada.next('welcome'), { node: b.nodes[0], recovered: true });
    assert.equal(ada.socket.id, id);
    for (const text of ['meanwhile', 'and again'])
      assert.deepEqual(await ada.next('said'), { name: 'guest', text, node: b.nodes[0] });
    ada.socket.emit('say', 'after');
    for (const hears of [ada.next('said'), grace.event('said').then(([said]) => said)])
      assert.deepEqual(await hears, { name: 'Ada', text: 'after', node: b.nodes[0] });
  },
);

test('examples/emitter-worker: it reaches and asks the clients of all servers, and ends', LIMIT, async (t) => {
  const redis = await redisFor(t);
  const servers = [await start(t, 'adapter-recovery', { redis }), await start(t, 'adapter-recovery', { redis })];
  const clients = await Promise.all(servers.map(async (server) => (await join(t, server)).client));
  clients.forEach(({ socket }, i) => socket.on('are you well?', (answer) => answer(`${i}`)));
  const env = { ...process.env, REDIS_URL: redis.url };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [copyOf('emitter-worker')], { env });
  assert.equal(stderr, '');
  assert.match(stdout, /^asked 2, answered: (0, 1|1, 0)\n$/);
  for (const client of clients) assert.equal((await client.event('said'))[0].name, 'cron');
});
