'use strict';

/** Emitters on a cluster, both wires, through Sentinels, and behind TLS: what they publish and ask arrives. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const { after, before, describe, it } = require('node:test');
const { Server } = require('socket.io-4');
const { Emitter, StreamsEmitter, createAdapter, createShardedAdapter, createStreamsAdapter } = require('../..');
const { startCluster } = require('../../dev/redis-cluster');
const { startSentinels } = require('../../dev/redis-sentinel');
const { startRedis } = require('../../dev/redis-server');
const { Certificates, startTlsProxy } = require('../../dev/tls');
const { AdapterClient } = require('../support/adapter-client');
const { LIMIT, PATIENCE } = require('../support/limits');

const ROOMS = ['a', 'b', 'c', 'd', 'e', 'f'];

/** @type {(() => any)[]} */
const ends = [];
after(async () => {
  for (const end of ends.reverse()) await end();
});

/**
 * Has an emitter reach a server.
 * @param {import('../..').AdapterFactory} adapter of the server
 * @param {Emitter} emitter
 */
async function assertReaches(adapter, emitter) {
  const server = http.createServer();
  const io = new Server(server, { adapter });
  ends.push(
    () => emitter.close(),
    adapter.close,
    () => io.close(),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const node = /** @type {any} */ ({ io, url: `http://127.0.0.1:${port}` });
  const client = await new AdapterClient(node, '/').open();
  ends.push(() => client.close());
  client.answers('ask', () => 'here');
  await client.peer.join(ROOMS);
  await adapter.ready();
  await emitter.ready();
  for (const room of ROOMS) {
    emitter.to(room).emit('news', room);
    // Channels of several nodes: nothing says which one is first.
    assert.deepEqual(await client.event('news'), [room]);
  }
  assert.deepEqual(await emitter.timeout(PATIENCE).emitWithAck('ask'), ['here']);
  assert.deepEqual(
    (await emitter.in('a').fetchSockets()).map(({ id }) => id),
    [client.id],
  );
  assert.equal(await emitter.countSockets(), 1);
}

describe('an emitter on a cluster', LIMIT, () => {
  /** @type {any} */
  let cluster;
  before(async () => {
    cluster = await startCluster({ replicas: 0 });
    ends.push(() => cluster.stop());
  });
  const urls = () => cluster.nodes.map((/** @type {any} */ { host, port }) => `redis://${host}:${port}`);

  it('reaches servers with createAdapter', () => assertReaches(createAdapter(urls()), new Emitter(urls())));

  it('reaches servers with createShardedAdapter', () =>
    assertReaches(createShardedAdapter(urls()), new Emitter(urls(), { sharded: true })));

  it('reaches those in another mode', () => {
    const opts = /** @type {const} */ ({ subscriptionMode: 'static', channelPrefix: 'chat' });
    return assertReaches(createShardedAdapter(urls(), opts), new Emitter(urls(), { sharded: true, ...opts }));
  });

  it('reaches servers with createStreamsAdapter, on several streams', () => {
    const opts = { streamName: 'many', streamCount: 3 };
    return assertReaches(createStreamsAdapter(urls(), opts), new StreamsEmitter(urls(), opts));
  });

  for (const [family, make] of /** @type {[string, () => any][]} */ ([
    ['ioredis-6', () => new (require('ioredis-6').Cluster)(urls(), { lazyConnect: true })],
    [
      'redis-6',
      () => require('redis-6').createCluster({ rootNodes: urls().map((/** @type {any} */ url) => ({ url })) }),
    ],
  ])) {
    it(`reaches it by a client object of ${family}`, () =>
      assertReaches(createAdapter(urls(), { key: family }), new Emitter(make(), { key: family })));
  }
});

it('an emitter reaches servers through Sentinels', LIMIT, async () => {
  const group = await startSentinels({ name: 'main', replicas: 1 });
  ends.push(() => group.stop());
  const sentinels = group.sentinels.map(({ host, port }) => ({ host, port }));
  const endpoint = { sentinels, name: 'main' };
  await assertReaches(createAdapter(endpoint), new Emitter(endpoint));
});

it('an emitter reaches servers behind TLS', LIMIT, async () => {
  const certificates = new Certificates();
  const redis = await startRedis();
  const { ca, server } = certificates;
  const proxy = await startTlsProxy(redis.port, { cert: server.cert, key: server.key });
  ends.push(
    () => certificates.remove(),
    () => redis.stop(),
    () => proxy.stop(),
  );
  const endpoint = { host: '127.0.0.1', port: proxy.port, tls: { ca: ca.cert } };
  await assertReaches(createAdapter(redis.url), new Emitter(endpoint));
});
