'use strict';

/** Connections with TLS: authorities, names, certificates of clients, every client family. */

const assert = require('node:assert/strict');
const path = require('node:path');
const { after, before, describe, it } = require('node:test');

const { RedisStore } = require('../..');
const { Certificates, curve, startTlsProxy, startTlsRedis } = require('../../dev/tls.js');
const { families } = require('../support/client-families.js');
const { ask, inbox, opener, subscribe } = require('../support/stores.js');
const { LIMIT } = require('../support/limits.js');

let certificates;
let open; // asks no client for a certificate
let strict; // asks every client for one
before(async () => {
  certificates = new Certificates();
  [open, strict] = await Promise.all([startTlsRedis(certificates), startTlsRedis(certificates, { clients: true })]);
});
after(async () => {
  await Promise.all([open?.stop(), strict?.stop()]);
  certificates.remove();
});

const store = opener(RedisStore, () => open.redis);
const same = (endpoint) => ({ redisPub: endpoint, redisSub: endpoint, redisClient: endpoint });

/** Publishes from another node over plain text to `node`, and sets and gets. */
async function assertWorks(node, server = open) {
  const other = store(same(server.redis.url));
  const consumer = inbox();
  await subscribe(node, 'there', (text) => node.publish('back', text));
  await subscribe(other, 'back', consumer);
  other.publish('there', 'é'.repeat(100_000));
  assert.deepEqual(await consumer.next(), ['é'.repeat(100_000)]);
  assert.deepEqual(await ask(node.client('id'), 'set', 'key', 'value'), [null, 1]);
  assert.deepEqual(await ask(node.client('id'), 'get', 'key'), [null, 'value']);
  assert.deepEqual(await ask(node.client('id'), 'del', 'key'), [null, 1]);
}

/** Both connections of the store must be told as refused, each by an error like this. */
async function assertRefused(endpoint, pattern, code = 'ERR_CONNECT') {
  const node = store(same(endpoint));
  const errors = inbox();
  node.on('error', errors);
  node.on('connect', () => assert.fail('it has connected'));
  const connections = new Set();
  while (connections.size < 2) {
    const [error] = await errors.next();
    assert.ok(error instanceof Error);
    assert.equal(error.code, code);
    assert.match(error.message, pattern);
    connections.add(error.connection);
  }
  assert.deepEqual([...connections].sort(), ['pub', 'sub']);
}

describe('an authority of our own', LIMIT, () => {
  it('as ca beside host and port', () => {
    const { cert } = certificates.ca;
    return assertWorks(store(same({ host: '127.0.0.1', port: open.tlsPort, tls: { ca: cert } })));
  });

  it('as ca beside a rediss:// URL with a database', async () => {
    const node = store(same({ url: `${open.url}/2`, tls: { ca: Buffer.from(certificates.ca.cert) } }));
    await assertWorks(node);
    await ask(node.client('id'), 'set', 'key', 'value');
    assert.match(await open.redis.command('INFO', 'keyspace'), /db2:keys=1/);
  });

  it("as one of several, in redis 4's socket", () => {
    const ca = [certificates.stranger.cert, certificates.ca.cert];
    return assertWorks(store(same({ socket: { host: '127.0.0.1', port: open.tlsPort, tls: true, ca } })));
  });

  it('and a servername that the certificate bears', () => {
    const tls = { ca: certificates.ca.cert, servername: 'redis.test' };
    return assertWorks(store(same({ url: open.url, tls })));
  });

  it('is not known to a rediss:// URL alone', () => assertRefused(open.url, /certificate|UnknownIssuer/i));

  it('is another one: the server is refused', () =>
    assertRefused({ url: open.url, tls: { ca: certificates.stranger.cert } }, /certificate|signature|UnknownIssuer/i));

  it('does not make up for a wrong name', async () => {
    const ca = certificates.ca.cert;
    await assertRefused({ url: open.url, tls: { ca, servername: 'other.test' } }, /not valid for|name/i);
    await assertRefused({ url: `rediss://localhost:${open.tlsPort}`, tls: { ca } }, /not valid for|name/i);
  });
});

describe('rejectUnauthorized false', LIMIT, () => {
  it('takes any certificate and any name', () =>
    assertWorks(store(same({ url: open.url, tls: { rejectUnauthorized: false, servername: 'other.test' } }))));

  it("in redis 4's socket", () => assertWorks(store(same({ url: open.url, socket: { rejectUnauthorized: false } }))));
});

describe("a client's certificate", LIMIT, () => {
  it('lets us in', () => {
    const tls = { ca: certificates.ca.cert, cert: certificates.client.cert, key: certificates.client.key };
    return assertWorks(store(same({ url: strict.url, tls })), strict);
  });

  for (const [kind, key] of Object.entries({
    'on P-521': curve('secp521r1'),
    'on P-384': curve('secp384r1'),
    'of RSA': ['-newkey', 'rsa:2048'],
    'of Ed25519': ['-newkey', 'ed25519'],
  })) {
    for (const version of ['TLSv1.2', 'TLSv1.3']) {
      it(`${kind} lets us in, with ${version}`, () => {
        const own = certificates.issue('client', { key });
        const tls = { ca: certificates.ca.cert, ...own, minVersion: version, maxVersion: version };
        delete tls.files;
        return assertWorks(store(same({ url: strict.url, tls })), strict);
      });
    }
  }

  it('is missed', () =>
    assertRefused(
      { url: strict.url, tls: { ca: certificates.ca.cert } },
      /the server wants a client's certificate: pass cert and key/,
    ));

  it('of a stranger is refused', () => {
    const { cert, key } = certificates.stranger;
    return assertRefused(
      { url: strict.url, tls: { ca: certificates.ca.cert, cert, key } },
      /the server has refused the client's certificate/,
    );
  });
});

describe('a Unix socket', LIMIT, () => {
  it('has TLS too, when it is asked for', async (t) => {
    const { cert, key } = certificates.server;
    const file = path.join(certificates.dir, 'tls.sock');
    const proxy = await startTlsProxy(open.redis.port, { cert, key }, file);
    t.after(() => proxy.stop());
    const tls = { ca: certificates.ca.cert, servername: 'redis.test' };
    await assertWorks(store(same({ path: file, tls })));
    assert.ok(proxy.sockets.size > 0);
    await assertRefused(
      { path: file, tls: { ca: certificates.ca.cert } },
      /is for redis\.test, 127\.0\.0\.1 and not for localhost/,
    );
  });
});

describe('plain text', LIMIT, () => {
  it('to a server that speaks TLS is told', () => assertRefused(`redis://127.0.0.1:${open.tlsPort}`, /./));
});

describe('every client that can have TLS', LIMIT, () => {
  for (const family of families.filter(({ name }) => !/redis-0/.test(name))) {
    it(family.name, async () => {
      const { ca, client } = certificates;
      const tls = { ca: ca.cert, cert: client.cert, key: client.key };
      const clients = [1, 2, 3].map(() => family.create({ port: strict.tlsPort, tls }));
      const [redisPub, redisSub, redisClient] = clients;
      const node = store({ redisPub, redisSub, redisClient });
      await assertWorks(node, strict);
      node.destroy();
      assert.ok(clients.every(family.isEnded));
    });
  }
});
