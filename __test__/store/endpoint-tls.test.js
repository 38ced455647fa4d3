'use strict';

/** TLS options: each is honoured or refused. What they come to on a connection: connections-tls.test.js. */

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { describe, it } = require('node:test');
const nodeTls = require('node:tls');

const { assertInvalid, identity, ignore, PEM, PEM2, pkcs8, PLAIN_TLS, read } = require('./endpoints');
const { LIMIT } = require('../support/limits');

describe('TLS options', LIMIT, () => {
  it('TLS, in its own object and beside socket.tls', () => {
    const { cert, key } = identity();
    const files = { ca: [Buffer.from(PEM), PEM2], cert, key: Buffer.from(key), servername: 'x.test' };
    const expected = { ...PLAIN_TLS, system: false, ca: [PEM, PEM2], cert, key: pkcs8(key), servername: 'x.test' };
    assert.deepEqual(read({ tls: files }).tls, expected);
    assert.deepEqual(read({ socket: { tls: true, ...files } }).tls, expected);
    assert.deepEqual(read({ socket: { tls: files } }).tls, expected);
    assert.deepEqual(read({ url: 'rediss://h.test', socket: files }).tls, expected);
    assert.equal(read({ tls: { rejectUnauthorized: false } }).tls.rejectUnauthorized, false);
    assert.deepEqual(read({ tls: true }).tls, PLAIN_TLS);
    assert.deepEqual(read({ tls: {} }).tls, PLAIN_TLS);
    assert.equal(read({ tls: { host: 'x.test' } }).host, 'x.test');
    assert.equal(read({ tls: false }).tls, null);
    assert.equal(read({ socket: files }).tls, null);
  });

  it('versions of TLS, and what else may say them', () => {
    const spoken = (tls) => {
      const { tls12, tls13 } = read({ tls }).tls;
      return [tls12, tls13];
    };
    const { SSL_OP_NO_TLSv1_2: no12, SSL_OP_NO_TLSv1_3: no13, SSL_OP_NO_TICKET: other } = crypto.constants;
    for (const both of [
      { minVersion: 'TLSv1' },
      { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.3' },
      { secureProtocol: 'TLS_method' },
      { secureOptions: other },
      { ciphers: nodeTls.DEFAULT_CIPHERS },
      { ciphers: 'ECDHE-RSA-AES128-GCM-SHA256:!aNULL:@SECLEVEL=2' },
    ])
      assert.deepEqual(spoken(both), [true, true], JSON.stringify(both));
    for (const only13 of [{ minVersion: 'TLSv1.3' }, { secureOptions: no12 }, { ciphers: 'TLS_AES_128_GCM_SHA256' }])
      assert.deepEqual(spoken(only13), [false, true], JSON.stringify(only13));
    for (const only12 of [
      { maxVersion: 'TLSv1.2' },
      { ciphers: 'ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_CCM_SHA256' },
      { secureProtocol: 'TLSv1_2_method' },
      { secureOptions: no13 | other },
    ])
      assert.deepEqual(spoken(only12), [true, false], JSON.stringify(only12));
  });

  it('ciphers, curves and protocols', () => {
    const ciphers = 'ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA:TLS_AES_128_GCM_SHA256:!MD5';
    assert.deepEqual(read({ tls: { ciphers } }).tls.suites, [0xc030, 0x1301]);
    const only12 = read({ tls: { ciphers: 'ECDHE-RSA-AES256-GCM-SHA384' } }).tls.suites;
    assert.deepEqual(only12, [0x1302, 0x1301, 0x1303, 0xc030]);
    assert.deepEqual(read({ tls: { ecdhCurve: 'X448:P-521:P-384:prime256v1' } }).tls.groups, [0x19, 0x18, 0x17]);
    assert.equal(read({ tls: { ecdhCurve: 'auto' } }).tls.groups, null);
    assert.deepEqual(read({ tls: { ALPNProtocols: ['redis'] } }).tls.alpn, ['redis']);
    assert.equal(read({ tls: { allowPartialTrustChain: true } }).tls.partial, true);
  });

  it('a key with a passphrase', () => {
    const { cert, key } = identity();
    const format = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' };
    const locked = crypto.createPrivateKey(key).export(/** @type {any} */ (format));
    assert.equal(read({ tls: { cert, key: locked, passphrase: 'secret' } }).tls.key, pkcs8(key));
    assert.equal(read({ tls: { cert, key: [{ pem: locked, passphrase: 'secret' }] } }).tls.key, pkcs8(key));
    assertInvalid({ tls: { cert, key: locked, passphrase: 'wrong' } }, 'redisPub.tls.key');
    assertInvalid({ tls: { cert, key: locked } }, 'redisPub.tls.key');
  });

  it('a key of another certificate is refused', () => {
    assertInvalid({ tls: { cert: PEM, key: identity().key } }, 'redisPub.tls.key', /another one/);
  });

  const refused = [
    [{ tls: { cca: 'x' } }, 'redisPub.tls.cca'],
    [{ tls: { ca: 5 } }, 'redisPub.tls.ca'],
    [{ tls: { key: ['a', 'b'] } }, 'redisPub.tls.key'],
    [{ tls: { servername: 5 } }, 'redisPub.tls.servername'],
    [{ tls: { rejectUnauthorized: 'no' } }, 'redisPub.tls.rejectUnauthorized'],
    [{ tls: { checkServerIdentity: ignore } }, 'redisPub.tls.checkServerIdentity'],
    [{ tls: { checkServerIdentity: ignore, servername: 'x' } }, 'redisPub.tls.checkServerIdentity'],
    [{ tls: { ca: 'no PEM' } }, 'redisPub.tls.ca'],
    [{ tls: { ca: '-----BEGIN CERTIFICATE-----' } }, 'redisPub.tls.ca'],
    [{ tls: { cert: PEM } }, 'redisPub.tls.key'],
    [{ tls: { key: 'x' } }, 'redisPub.tls.cert'],
    [{ tls: { cert: PEM, key: 'x' } }, 'redisPub.tls.key'],
    [{ tls: { minVersion: 'TLSv1.4' } }, 'redisPub.tls.minVersion'],
    [{ tls: { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' } }, 'redisPub.tls.minVersion'],
    [{ tls: { maxVersion: 'TLSv1.1' } }, 'redisPub.tls.maxVersion'],
    [{ tls: { secureProtocol: 'TLSv1_1_method' } }, 'redisPub.tls.secureProtocol'],
    [{ tls: { secureProtocol: 'TLS_method', minVersion: 'TLSv1.2' } }, 'redisPub.tls.secureProtocol'],
    [{ tls: { ciphers: 'AES128-SHA' } }, 'redisPub.tls.ciphers'],
    [{ tls: { ciphers: 'HIGH:!aNULL' } }, 'redisPub.tls.ciphers'],
    [{ tls: { ciphers: 'ECDHE-RSA-AES128-GCM-SHA256:!AES128' } }, 'redisPub.tls.ciphers'],
    [{ tls: { ciphers: 'ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=3' } }, 'redisPub.tls.ciphers'],
    [{ tls: { ciphers: 'TLS_AES_128_GCM_SHA256', maxVersion: 'TLSv1.2' } }, 'redisPub.tls.ciphers'],
    [{ tls: { ecdhCurve: 'X448' } }, 'redisPub.tls.ecdhCurve'],
    [{ tls: { ALPNProtocols: Buffer.from('x') } }, 'redisPub.tls.ALPNProtocols'],
    ...['crl', 'pskCallback', 'secureContext', 'sigalgs', 'clientCertEngine'].map((name) => [
      { tls: { [name]: 'x' } },
      `redisPub.tls.${name}`,
    ]),
  ];

  for (const [options, option] of refused) {
    it(`refuses ${option} of ${JSON.stringify(options)}`, () => assertInvalid(options, option));
  }

  it('names servername where checkServerIdentity is refused', () => {
    assertInvalid({ tls: { checkServerIdentity: ignore } }, 'redisPub.tls.checkServerIdentity', /servername/);
  });
});
