'use strict';

/** Endpoints that say more than an address, in one cluster with the official adapter. */

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');
const { createAdapter: createOfficial } = require('@socket.io/redis-adapter');
const { Server } = require('socket.io-4');

const { createAdapter } = require('../../..');
const { Certificates, startTlsRedis } = require('../../../dev/tls.js');
const { LIMIT } = require('../../support/limits');
const { until } = require('../../support/stores.js');

const HOST = '127.0.0.1';

let certificates;
let server;
before(async () => {
  certificates = new Certificates();
  server = await startTlsRedis(certificates);
});
after(async () => {
  await server?.stop();
  certificates?.remove();
});

/** @type {any[]} */
const clients = [];

/** A client with a prefix. */
const prefixed = (name, options) => {
  const { port } = server.redis;
  const client = name.startsWith('ioredis')
    ? new (require(name))({ host: HOST, port, keyPrefix: 'app:', ...options })
    : require(name).createClient({ host: HOST, port, prefix: 'app:', ...options });
  clients.push(client);
  return client.on('error', () => {});
};

/** What an adapter still says to it is answered first. */
const quit = (client) => new Promise((resolve) => client.quit(resolve));

/** Both hear the other. */
async function assertTogether(t, official, ours) {
  const servers = [official, ours].map((adapter) => new Server(0, { adapter }));
  t.after(async () => {
    await Promise.all(servers.map((io) => io.close()));
    await Promise.all(clients.splice(0).map(quit));
  });
  await until(async () => (await servers[0].of('/').adapter.serverCount()) === 2);
  await until(async () => (await servers[1].of('/').adapter.serverCount()) === 2);
  const [here, there] = servers;
  for (const [from, to] of [
    [here, there],
    [there, here],
  ]) {
    to.once('question', (text, answer) => answer(`${text}!`));
    assert.deepEqual(await from.serverSideEmitWithAck('question', 'ä'), ['ä!']);
  }
}

const official = () => createOfficial(prefixed('ioredis-5'), prefixed('ioredis-5'));

describe('a prefix of keys is none of channels', LIMIT, () => {
  for (const name of ['redis-2', 'redis-3', 'ioredis-4', 'ioredis-5', 'ioredis-6']) {
    it(`in clients of ${name}`, (t) => assertTogether(t, official(), createAdapter(prefixed(name), prefixed(name))));
  }

  it('in options', (t) => {
    const { port } = server.redis;
    return assertTogether(t, official(), createAdapter({ host: HOST, port, keyPrefix: 'other:' }, {}));
  });
});

describe('TLS', LIMIT, () => {
  it('by valkeys://, with options', (t) => {
    const url = `valkeys://${HOST}:${server.tlsPort}`;
    return assertTogether(t, official(), createAdapter({ url, tls: { ca: certificates.ca.cert } }, {}));
  });

  it('by clients', (t) => {
    const make = () => prefixed('ioredis-6', { port: server.tlsPort, tls: { ca: certificates.ca.cert } });
    return assertTogether(t, createOfficial(make(), make()), createAdapter(make(), make()));
  });
});
