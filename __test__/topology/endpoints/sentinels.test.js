'use strict';

/**
 * Every way to say where Sentinels are, against real ones that ask for a password other than the master's:
 * what is published arrives.
 */

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');

const { RedisStore } = require('../../..');
const { startSentinels } = require('../../../dev/redis-sentinel.js');
const { Certificates, startTlsProxy } = require('../../../dev/tls.js');
const { LIMIT } = require('../../support/limits');
const { assertWorks, errorOf, opened } = require('./works');

const PASSWORD = 'secret';
const SENTINEL_PASSWORD = 'other';
const NAME = 'main';

let group;
before(async () => {
  group = await startSentinels({ name: NAME, replicas: 1, password: PASSWORD, sentinelPassword: SENTINEL_PASSWORD });
});
after(() => group?.stop());

const sentinels = () => group.sentinels.map(({ host, port }) => ({ host, port }));
const store = opened(RedisStore);

const kinds = {
  options: () => ({
    sentinels: sentinels(),
    name: NAME,
    password: PASSWORD,
    sentinelPassword: SENTINEL_PASSWORD,
  }),
  'options of createSentinel': () => ({
    name: NAME,
    sentinelRootNodes: sentinels(),
    nodeClientOptions: { password: PASSWORD },
    sentinelClientOptions: { password: SENTINEL_PASSWORD },
  }),
  'credentials from a function': () => ({
    sentinels: sentinels(),
    name: NAME,
    credentials: async () => ({ password: PASSWORD }),
    sentinelPassword: SENTINEL_PASSWORD,
  }),
  'createSentinel of redis-6': () =>
    require('redis-6').createSentinel({
      name: NAME,
      sentinelRootNodes: sentinels(),
      nodeClientOptions: { password: PASSWORD },
      sentinelClientOptions: { password: SENTINEL_PASSWORD },
    }),
};
for (const family of ['ioredis-4', 'ioredis-5', 'ioredis-6']) {
  const Redis = require(family);
  kinds[family] = () =>
    new Redis({
      lazyConnect: true,
      sentinels: sentinels(),
      name: NAME,
      password: PASSWORD,
      sentinelPassword: SENTINEL_PASSWORD,
    });
}

describe('the master of Sentinels', LIMIT, () => {
  for (const [kind, make] of Object.entries(kinds)) it(`by ${kind}`, () => assertWorks(store, make));
});

describe('the master of Sentinels, behind TLS of its own', LIMIT, () => {
  let certificates;
  const stops = [];
  /** Where each server's address leads: to what takes TLS before it. */
  const map = {};
  before(async () => {
    certificates = new Certificates();
    const options = { cert: certificates.server.cert, key: certificates.server.key };
    for (const { host, port } of [...group.data, ...group.sentinels]) {
      const proxy = await startTlsProxy(port, options);
      stops.push(() => proxy.stop());
      map[`${host}:${port}`] = { host, port: proxy.port };
    }
  });
  after(() => {
    stops.forEach((stop) => stop());
    certificates?.remove();
  });

  const common = () => ({
    sentinels: sentinels().map(({ host, port }) => map[`${host}:${port}`]),
    name: NAME,
    password: PASSWORD,
    sentinelPassword: SENTINEL_PASSWORD,
    natMap: map,
  });
  const tls = () => ({ ca: certificates.ca.cert });
  const ways = {
    options: () => ({ ...common(), tls: tls(), sentinelTls: tls() }),
    'options with a map by function': () => ({
      ...common(),
      tls: tls(),
      sentinelTls: tls(),
      natMap: async (address) => map[address],
    }),
    'ioredis-6': () =>
      new (require('ioredis-6'))({
        ...common(),
        lazyConnect: true,
        tls: tls(),
        enableTLSForSentinelMode: true,
        sentinelTLS: tls(),
      }),
    'createSentinel of redis-6': () =>
      require('redis-6').createSentinel({
        name: NAME,
        sentinelRootNodes: common().sentinels,
        nodeAddressMap: map,
        nodeClientOptions: { password: PASSWORD, socket: { tls: true, ...tls() } },
        sentinelClientOptions: { password: SENTINEL_PASSWORD, socket: { tls: true, ...tls() } },
      }),
  };
  for (const [way, make] of Object.entries(ways)) it(`by ${way}`, () => assertWorks(store, make));

  it('is not reached where only the Sentinels are trusted, and says why', async () => {
    const stranger = { ca: certificates.stranger.cert };
    const error = await errorOf(store(() => ({ ...common(), tls: stranger, sentinelTls: tls() })));
    assert.equal(error.code, 'ERR_CONNECT');
    assert.match(error.message, /as ca/);
  });
});
