'use strict';

/** What is said where something else answers than the endpoint says: at once, and what to do. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');
const { after, before, describe, it } = require('node:test');

const { RedisStore } = require('../..');
const { startRedis } = require('../../dev/redis-server.js');
const { Certificates, startTlsProxy, startTlsRedis } = require('../../dev/tls.js');
const { connected, opener, until } = require('../support/stores.js');
const { LIMIT } = require('../support/limits');

const HOST = '127.0.0.1';
const PLAIN = /^Cannot connect to Redis at 127\.0\.0\.1:\d+: this port speaks Redis without TLS: use redis:\/\//;
const TLS = /^Cannot connect to Redis at 127\.0\.0\.1:\d+: this port speaks TLS: use rediss:\/\//;
const HTTP =
  /^Cannot connect to Redis at 127\.0\.0\.1:\d+: an HTTP server answers here, not Redis: check host and port$/;

let certificates;
let open;
let closed; // with a password
let strict; // wants certificates of clients
before(async () => {
  certificates = new Certificates();
  [open, closed, strict] = await Promise.all([
    startRedis(),
    startRedis({ password: 'secret' }),
    startTlsRedis(certificates, { clients: true }),
  ]);
});
after(async () => {
  await Promise.all([open, closed, strict].map((server) => server?.stop()));
  certificates.remove();
});

const store = opener(RedisStore, () => open);
const same = (endpoint) => ({ redisPub: endpoint, redisSub: endpoint, redisClient: endpoint });

/** The first error of each connection, which must be the first thing that is told. */
async function assertTold(endpoint, pattern) {
  const node = store(same(endpoint));
  const told = new Map();
  node.on('connect', () => assert.fail('it has connected'));
  node.on('error', (error) => told.has(error.connection) || told.set(error.connection, error));
  await until(() => told.size === 2);
  for (const error of told.values()) {
    assert.equal(error.code, 'ERR_CONNECT');
    assert.match(error.message, pattern);
    assert.notEqual(error.cause.message, '');
  }
}

/** Listens, and has each connection given to `serve`. */
async function listening(t, server) {
  const sockets = new Set();
  server.on('connection', (socket) => sockets.add(socket.on('error', () => {})));
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await once(server.listen(0, HOST), 'listening');
  return server.address().port;
}

describe('TLS is asked for', LIMIT, () => {
  it('where Redis speaks without', () => assertTold(`rediss://${HOST}:${open.port}`, PLAIN));

  it('where Redis speaks without, and wants a password', () => assertTold(`rediss://${HOST}:${closed.port}`, PLAIN));

  it('where HTTP is spoken', async (t) => {
    const port = await listening(t, http.createServer());
    await assertTold(`rediss://${HOST}:${port}`, HTTP);
  });

  it('where nothing is ever said: it times out', async (t) => {
    const port = await listening(t, net.createServer());
    await assertTold(`rediss://${HOST}:${port}`, /timed out/);
  });

  it('where all are hung up on', async (t) => {
    const port = await listening(
      t,
      net.createServer((socket) => socket.end()),
    );
    await assertTold(`rediss://${HOST}:${port}`, /: (?!this port|an HTTP)/);
  });

  it('where it is spoken, late: that is no reason for another way', async (t) => {
    const { cert, key } = certificates.server;
    const proxy = await startTlsProxy(open.port, { cert, key });
    t.after(() => proxy.stop());
    // Both connections wait, until each has one more beside it that finds out what answers here.
    let connections = 0;
    const held = [];
    const pass = (socket) => {
      const peer = net.connect(proxy.port, HOST).on('error', () => {});
      t.after(() => peer.destroy());
      socket.pipe(peer).pipe(socket);
    };
    const port = await listening(
      t,
      net.createServer((socket) => {
        held.push(socket);
        connections++;
        if (connections >= 4) held.splice(0).forEach(pass);
      }),
    );
    const node = store(same({ host: HOST, port, tls: { ca: certificates.ca.cert } }));
    node.on('error', assert.fail);
    await connected(node);
  });
});

describe('TLS is not asked for', LIMIT, () => {
  it('where it is spoken', async (t) => {
    const { cert, key } = certificates.server;
    const proxy = await startTlsProxy(open.port, { cert, key });
    t.after(() => proxy.stop());
    await assertTold(`redis://${HOST}:${proxy.port}`, TLS);
    await assertTold(`redis://:secret@${HOST}:${proxy.port}`, TLS);
  });

  it('where Redis speaks it, and wants a certificate', () => assertTold(`redis://${HOST}:${strict.tlsPort}`, TLS));

  it('where only TLS 1.2 is spoken', async (t) => {
    const { cert, key } = certificates.server;
    const proxy = await startTlsProxy(open.port, { cert, key, maxVersion: 'TLSv1.2' });
    t.after(() => proxy.stop());
    await assertTold(`redis://${HOST}:${proxy.port}`, TLS);
  });

  it('where HTTP is spoken', async (t) => {
    const port = await listening(t, http.createServer());
    await assertTold(`redis://${HOST}:${port}`, HTTP);
  });

  it('where all are hung up on', async (t) => {
    const port = await listening(
      t,
      net.createServer((socket) => socket.end()),
    );
    await assertTold(`redis://${HOST}:${port}`, /: (?!this port|an HTTP)/);
  });
});

describe('where it has connected before', LIMIT, () => {
  it('nothing else is tried when it is hung up on', async (t) => {
    let attempts = 0;
    let up = true;
    const port = await listening(
      t,
      net.createServer((socket) => {
        attempts++;
        if (!up) return socket.end();
        const peer = net.connect(open.port, HOST).on('error', () => {});
        t.after(() => peer.destroy());
        return socket.pipe(peer).pipe(socket);
      }),
    );
    const node = store(same(`redis://${HOST}:${port}`));
    const errors = [];
    node.on('error', (error) => errors.push(error));
    await connected(node);
    up = false;
    const before = attempts;
    await open.command('CLIENT', 'KILL', 'TYPE', 'normal');
    await open.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until(() => errors.length >= 4);
    node.destroy();
    // One connection an attempt; one more may be under way on either side.
    assert.ok(attempts - before <= errors.length + 2, `${attempts - before} connections, ${errors.length} errors`);
  });
});
