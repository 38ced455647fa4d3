'use strict';

/** What Node's variables and flags say of TLS, and which version and cipher suite are spoken, as with Node itself. */

const assert = require('node:assert/strict');
const { execFile, execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, describe, it } = require('node:test');
const tls = require('node:tls');
const { promisify } = require('node:util');

const { RedisStore } = require('../..');
const { startRedis } = require('../../dev/redis-server.js');
const { Certificates, startTlsProxy } = require('../../dev/tls.js');
const { LIMIT } = require('../support/limits');
const { connected, HOST, opener, until } = require('../support/stores.js');

const SCRIPT = path.join(__dirname, '../support/tls-verdicts.js');

let redis;
let certificates;
let proxy;
before(async () => {
  certificates = new Certificates();
  redis = await startRedis();
  const { cert, key } = certificates.server;
  proxy = await startTlsProxy(redis.port, { cert, key });
});
after(async () => {
  proxy?.stop();
  await redis?.stop();
  certificates?.remove();
});

/** Both verdicts of a process with these flags and variables. */
async function verdicts({ flags = [], env = {}, options = {}, port = proxy.port }) {
  const args = [...flags, SCRIPT, String(port), JSON.stringify(options)];
  const cleared = { NODE_EXTRA_CA_CERTS: '', NODE_OPTIONS: '', SSL_CERT_DIR: '', SSL_CERT_FILE: '' };
  const run = await promisify(execFile)(process.execPath, args, {
    env: { ...process.env, ...cleared, ...env },
    ...LIMIT,
  });
  return JSON.parse(run.stdout);
}

async function assertBoth(accept, wanted) {
  const { node, our, told } = await verdicts(wanted);
  assert.deepEqual([node !== null, our], [accept, accept]);
  return told;
}

async function assertOnlyOurs(wanted) {
  const { node, our } = await verdicts(wanted);
  assert.deepEqual([node !== null, our], [false, true]);
}

describe('variables and flags of Node', LIMIT, () => {
  const ca = () => certificates.ca.files.cert;

  it('none: the authority is not known', async () => {
    assert.deepEqual(await assertBoth(false, {}), []);
  });

  it('NODE_EXTRA_CA_CERTS', () => assertBoth(true, { env: { NODE_EXTRA_CA_CERTS: ca() } }));

  it('NODE_EXTRA_CA_CERTS beside ca: it does not count', () => {
    const options = { ca: certificates.stranger.cert };
    return assertBoth(false, { env: { NODE_EXTRA_CA_CERTS: ca() }, options });
  });

  it('NODE_EXTRA_CA_CERTS that is not there', async () => {
    const told = await assertBoth(false, { env: { NODE_EXTRA_CA_CERTS: '/nowhere.pem' } });
    // A newer Node reads it itself, and warns itself.
    if (!('getCACertificates' in tls)) assert.match(told.join(), /^WARN_CA_UNREADABLE NODE_EXTRA_CA_CERTS is ignored/);
  });

  it('--use-openssl-ca with SSL_CERT_FILE', () =>
    assertBoth(true, { flags: ['--use-openssl-ca'], env: { SSL_CERT_FILE: ca() } }));

  // Node itself asks the system only with a flag.
  it('SSL_CERT_FILE: the store of the system counts without a flag', () =>
    assertOnlyOurs({ env: { SSL_CERT_FILE: ca() } }));

  it('SSL_CERT_DIR: the same', () => {
    const folder = path.dirname(ca());
    const hash = execFileSync('openssl', ['x509', '-noout', '-hash', '-in', ca()], { encoding: 'utf8' });
    fs.copyFileSync(ca(), path.join(folder, `${hash.trim()}.0`));
    return assertOnlyOurs({ env: { SSL_CERT_DIR: folder } });
  });

  it('SSL_CERT_FILE beside ca: it does not count', () => {
    const options = { ca: certificates.stranger.cert };
    return assertBoth(false, { env: { SSL_CERT_FILE: ca() }, options });
  });

  it('SSL_CERT_FILE that is not there, with a warning', async () => {
    const told = await assertBoth(false, { env: { SSL_CERT_FILE: '/nowhere.pem' } });
    assert.match(told.join(), /^WARN_CA_UNREADABLE SSL_CERT_FILE is ignored: \/nowhere\.pem cannot be read\.$/);
  });

  it('NODE_TLS_REJECT_UNAUTHORIZED=0, with a warning', async () => {
    const told = await assertBoth(true, { env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' } });
    assert.match(
      told.join(),
      /^WARN_TLS_UNVERIFIED NODE_TLS_REJECT_UNAUTHORIZED is 0: [^,]*, and so anybody between\.$/,
    );
  });

  it('NODE_TLS_REJECT_UNAUTHORIZED=0 beside rejectUnauthorized: true', async () => {
    const options = { rejectUnauthorized: true };
    assert.deepEqual(await assertBoth(false, { env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' }, options }), []);
  });

  it('NODE_TLS_REJECT_UNAUTHORIZED=1', () => assertBoth(false, { env: { NODE_TLS_REJECT_UNAUTHORIZED: '1' } }));

  it('--tls-min-v1.3 and --tls-max-v1.2, where the other is spoken', async (t) => {
    const { cert, key } = certificates.server;
    const options = { ca: certificates.ca.cert };
    for (const [flag, version] of [
      ['--tls-min-v1.3', 'TLSv1.2'],
      ['--tls-max-v1.2', 'TLSv1.3'],
    ]) {
      const only = await startTlsProxy(redis.port, { cert, key, minVersion: version, maxVersion: version });
      t.after(() => only.stop());
      await assertBoth(true, { options, port: only.port });
      await assertBoth(false, { flags: [flag], options, port: only.port });
    }
  });
});

describe('what is spoken', LIMIT, () => {
  const store = opener(RedisStore, () => redis);
  const spoken = (socket) => [socket.getProtocol(), socket.getCipher().standardName];

  async function nodes(options) {
    const socket = tls.connect({ host: HOST, port: proxy.port, ...options });
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    const said = spoken(socket);
    socket.destroy();
    return said;
  }

  const cases = [
    { minVersion: 'TLSv1.3' },
    { maxVersion: 'TLSv1.2' },
    { minVersion: 'TLSv1', maxVersion: 'TLSv1.2' },
    { secureProtocol: 'TLSv1_2_method' },
    { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
    { ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305:!aNULL' },
    { ciphers: 'TLS_CHACHA20_POLY1305_SHA256' },
    { ciphers: 'TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' },
  ];
  for (const options of cases) {
    it(JSON.stringify(options), async () => {
      const trusted = { ...options, ca: certificates.ca.cert };
      const expected = await nodes(trusted);
      await until(() => proxy.sockets.size === 0);
      const endpoint = { host: HOST, port: proxy.port, tls: trusted };
      await connected(store({ redisPub: endpoint, redisSub: endpoint, redisClient: endpoint }));
      assert.deepEqual([...proxy.sockets].map(spoken), [expected, expected]);
    });
  }

  it('ALPNProtocols', async (t) => {
    const { cert, key } = certificates.server;
    const router = await startTlsProxy(redis.port, { cert, key, ALPNProtocols: ['redis'] });
    t.after(() => router.stop());
    const options = { ca: certificates.ca.cert, ALPNProtocols: ['other', 'redis'] };
    const endpoint = { host: HOST, port: router.port, tls: options };
    await connected(store({ redisPub: endpoint, redisSub: endpoint, redisClient: endpoint }));
    assert.deepEqual(
      [...router.sockets].map((socket) => socket.alpnProtocol),
      ['redis', 'redis'],
    );
  });
});
