'use strict';

/** A cluster behind TLS that wants certificates of its clients: how its nodes are entered, and refused. */

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');

const { RedisStore } = require('../../..');
const { startCluster } = require('../../../dev/redis-cluster.js');
const { Certificates, startTlsProxy } = require('../../../dev/tls.js');
const { LIMIT } = require('../../support/limits');
const { assertWorks, errorOf, opened } = require('./works');

const HOST = '127.0.0.1';

let cluster;
let certificates;
/** Before each node. */
let proxies;
before(async () => {
  certificates = new Certificates();
  cluster = await startCluster({ replicas: 0 });
  const { ca, server } = certificates;
  const options = { cert: server.cert, key: server.key, ca: ca.cert, requestCert: true, rejectUnauthorized: true };
  proxies = await Promise.all(cluster.nodes.map(({ port }) => startTlsProxy(port, options)));
});
after(async () => {
  proxies?.forEach((proxy) => proxy.stop());
  await cluster?.stop();
  certificates?.remove();
});

const store = opened(RedisStore);
const nodes = () => proxies.map(({ port }) => ({ host: HOST, port }));
const map = () => Object.fromEntries(cluster.nodes.map(({ host, port }, at) => [`${host}:${port}`, nodes()[at]]));
const material = () => ({
  ca: certificates.ca.cert,
  cert: certificates.client.cert,
  key: certificates.client.key,
});

describe('a cluster with TLS', LIMIT, () => {
  const kinds = {
    options: () => ({ cluster: nodes(), tls: material(), natMap: map() }),
    'options with URLs': () => ({
      cluster: nodes().map(({ host, port }) => `rediss://${host}:${port}`),
      tls: material(),
      natMap: map(),
    }),
    'options with a servername': () => ({
      cluster: nodes(),
      tls: { ...material(), servername: 'redis.test' },
      natMap: map(),
    }),
  };
  for (const family of ['redis-4', 'redis-6']) {
    kinds[`createCluster of ${family}`] = () =>
      require(family).createCluster({
        rootNodes: nodes().map((socket) => ({ socket })),
        defaults: { socket: { tls: true, ...material() } },
        nodeAddressMap: map(),
      });
  }
  for (const family of ['ioredis-4', 'ioredis-6']) {
    kinds[`the Cluster of ${family}`] = () =>
      new (require(family).Cluster)(nodes(), {
        lazyConnect: true,
        redisOptions: { tls: material() },
        natMap: map(),
      });
  }
  for (const [kind, make] of Object.entries(kinds)) it(`by ${kind}`, () => assertWorks(store, make));

  const refused = {
    'whose authority is not trusted': [() => ({ ...material(), ca: certificates.stranger.cert }), /pass .* as ca$/],
    'whose certificates bear another name': [
      () => ({ ...material(), servername: 'other.test' }),
      /is for .*redis\.test.* and not for other\.test: .* servername$/,
    ],
    'that wants a certificate': [() => ({ ca: certificates.ca.cert }), /certificate/],
  };
  for (const [kind, [tls, reason]] of Object.entries(refused)) {
    it(`is not entered ${kind}, and says why`, async () => {
      const error = await errorOf(store(() => ({ cluster: nodes(), tls: tls(), natMap: map() })));
      assert.equal(error.code, 'ERR_CONNECT');
      assert.match(error.message, reason);
    });
  }
});
