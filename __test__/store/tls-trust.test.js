'use strict';

/**
 * Which certificates are trusted, beside Node's own verdict on the same certificate with the same options:
 * what Node refuses is never accepted.
 */

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');
const tls = require('node:tls');

const { RedisStore } = require('../..');
const { startRedis } = require('../../dev/redis-server.js');
const { AUTHORITY, Certificates, curve, LEAF, startTlsProxy } = require('../../dev/tls.js');
const { opener } = require('../support/stores.js');
const { LIMIT } = require('../support/limits');

const HOST = '127.0.0.1';
const NAMES = LEAF[0];

let redis;
let certificates;
before(async () => {
  certificates = new Certificates();
  redis = await startRedis();
});
after(async () => {
  await redis?.stop();
  certificates?.remove();
});

const store = opener(RedisStore, () => redis);

/** @returns {Promise<Error | null>} why Node refuses it */
function nodes(port, options) {
  return new Promise((resolve) => {
    const socket = tls.connect({ host: HOST, port, ...options });
    socket.once('secureConnect', () => resolve(null)).once('error', resolve);
    socket.once('secureConnect', () => socket.destroy());
  });
}

/** @returns {Promise<Error | null>} why we refuse it */
function ours(port, options) {
  const endpoint = { host: HOST, port, tls: options };
  const node = store({ redisPub: endpoint, redisSub: endpoint, redisClient: endpoint });
  node.on('error', () => {}); // each connection tells
  return new Promise((resolve) => {
    node.once('connect', () => resolve(null)).once('error', resolve);
  }).finally(() => node.destroy());
}

/** Both verdicts on `server` with `options`. */
async function judge({ server, chain = [], options, more = {} }) {
  const cert = [server, ...chain].map((one) => one.cert).join('');
  const proxy = await startTlsProxy(redis.port, { cert, key: server.key, ...more });
  try {
    return { node: await nodes(proxy.port, options), our: await ours(proxy.port, options) };
  } finally {
    proxy.stop();
  }
}

const issue = (name, wanted) => certificates.issue(name, wanted);
const authority = (name, more = [], issuer = null) => issue(name, { issuer, extensions: [...AUTHORITY, ...more] });
const selfSigned = (name, extensions, more = {}) => issue(name, { issuer: null, extensions, ...more });
const trusting = (...known) => ({ ca: known.map((one) => one.cert) });
/** A leaf of an authority of its own, which is trusted. */
const under = (known, wanted = {}) => ({
  server: issue('leaf', { issuer: known, ...wanted }),
  options: trusting(known),
});
/** One that is trusted for itself. */
const alone = (server, more = {}) => ({ server, options: { ...trusting(server), ...more } });

describe('Node accepts it, and so do we:', LIMIT, () => {
  const cases = {
    'one that a trusted authority has issued': () => under(certificates.ca),
    'an authority beside others': () => ({
      server: certificates.server,
      options: trusting(certificates.stranger, certificates.ca),
    }),
    'a self-signed one that is trusted': () => alone(selfSigned('self', LEAF)),
    'a self-signed one that is an authority': () => alone(selfSigned('self', [...AUTHORITY, NAMES])),
    'a self-signed one that says nothing but its names': () => alone(selfSigned('self', [NAMES])),
    'a self-signed one with key usage': () =>
      alone(selfSigned('self', [NAMES, 'keyUsage=digitalSignature', 'extendedKeyUsage=serverAuth'])),
    'a common name, without alternative names': () =>
      alone(selfSigned('redis.test', ['basicConstraints=CA:FALSE']), { servername: 'redis.test' }),
    'a common name beside addresses alone': () =>
      alone(selfSigned('redis.test', ['subjectAltName=IP:10.0.0.1']), { servername: 'redis.test' }),
    'a common name that is a wildcard': () =>
      alone(selfSigned('*.redis.test', ['basicConstraints=CA:FALSE']), { servername: 'a.redis.test' }),
    'a wildcard among alternative names': () =>
      alone(selfSigned('self', ['subjectAltName=DNS:*.redis.test']), { servername: 'a.redis.test' }),
    'an intermediate that the server sends': () => {
      const root = authority('root');
      const middle = authority('middle', [], root);
      return { server: issue('leaf', { issuer: middle }), chain: [middle], options: trusting(root) };
    },
    'an intermediate that is in ca, below its root': () => {
      const root = authority('root');
      const middle = authority('middle', [], root);
      return { server: issue('leaf', { issuer: middle }), options: trusting(root, middle) };
    },
    'an intermediate alone, with allowPartialTrustChain': () => {
      const middle = authority('middle', [], certificates.ca);
      const options = { ...trusting(middle), allowPartialTrustChain: true };
      return { server: issue('leaf', { issuer: middle }), options };
    },
    'a leaf alone, with allowPartialTrustChain': () => ({
      server: certificates.server,
      options: { ...trusting(certificates.server), allowPartialTrustChain: true },
    }),
    'an authority that is one by its key usage': () => under(selfSigned('root', ['keyUsage=keyCertSign'])),
    'names within the limits of the authority': () =>
      under(authority('root', ['nameConstraints=permitted;IP:127.0.0.0/255.0.0.0,permitted;DNS:redis.test'])),
    'a key on P-521': () => under(certificates.ca, { key: curve('secp521r1') }),
    'an authority on P-521': () =>
      under(selfSigned('root', AUTHORITY, { key: curve('secp521r1') }), { key: curve('secp384r1') }),
    'a self-signed one on P-521, with TLS 1.2': () =>
      alone(selfSigned('self', LEAF, { key: curve('secp521r1') }), { maxVersion: 'TLSv1.2' }),
    'a key exchange on P-521 alone': () => {
      const known = under(certificates.ca);
      return { ...known, options: { ...known.options, ecdhCurve: 'P-521' } };
    },
    'a key on P-384': () => under(certificates.ca, { key: curve('secp384r1') }),
    'an RSA key': () => under(certificates.ca, { key: ['-newkey', 'rsa:2048'] }),
    'an Ed25519 key': () => under(certificates.ca, { key: ['-newkey', 'ed25519'] }),
    'anything, with rejectUnauthorized false': () => ({
      server: certificates.server,
      options: { rejectUnauthorized: false, servername: 'other.test' },
    }),
    'an expired one on P-521, with rejectUnauthorized false': () => ({
      server: issue('old', { days: -1, key: curve('secp521r1') }),
      options: { rejectUnauthorized: false },
    }),
  };

  for (const [name, make] of Object.entries(cases)) {
    it(name, async (t) => {
      const wanted = make();
      if (wanted.options.allowPartialTrustChain && !knowsPartial()) return t.skip('this Node does not know it');
      assert.deepEqual(await judge(wanted), { node: null, our: null });
    });
  }
});

/** Node below 20.18 and 22.9 ignores `allowPartialTrustChain`. */
function knowsPartial() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 9) || (major === 20 && minor >= 18);
}

describe('each kind of key is proved in each version, whose order of signatures ever counts:', LIMIT, () => {
  const keys = {
    'P-256': curve('prime256v1'),
    'P-384': curve('secp384r1'),
    'P-521': curve('secp521r1'),
    RSA: ['-newkey', 'rsa:2048'],
    Ed25519: ['-newkey', 'ed25519'],
  };
  for (const [name, key] of Object.entries(keys)) {
    for (const version of ['TLSv1.2', 'TLSv1.3']) {
      // Node's servers have the server's order unless they are told, OpenSSL's and Redis' the client's.
      for (const honorCipherOrder of [true, false]) {
        it(`${name}, ${version}, the ${honorCipherOrder ? "server's" : "client's"}`, async () => {
          const wanted = under(certificates.ca, { key });
          const options = { ...wanted.options, minVersion: version, maxVersion: version };
          const verdicts = await judge({ ...wanted, options, more: { honorCipherOrder } });
          assert.deepEqual(verdicts, { node: null, our: null });
        });
      }
    }
  }
});

describe('Node refuses it, and so do we, with a sentence:', LIMIT, () => {
  const cases = {
    'an authority that is not known': () => [
      { server: certificates.server, options: {} },
      /was issued by CN=ca, and no authority .* pass the authority's certificate as ca/,
    ],
    'another authority': () => [
      { server: certificates.server, options: trusting(certificates.stranger) },
      /was issued by CN=ca/,
    ],
    'an authority of the same name': () => [
      { server: certificates.server, options: trusting(authority('ca')) },
      /bears the name of an authority .* its signature does not fit/,
    ],
    'no authority at all': () => [{ server: certificates.server, options: { ca: [] } }, /was issued by CN=ca/],
    'a self-signed one that is not in ca': () => [
      { server: selfSigned('self', LEAF), options: trusting(certificates.ca) },
      /is self-signed .* pass it as ca/,
    ],
    'a leaf in ca without its authority': () => [
      { server: certificates.server, options: trusting(certificates.server) },
      /was issued by CN=ca/,
    ],
    'an intermediate in ca without its root': () => {
      const middle = authority('middle', [], certificates.ca);
      return [{ server: issue('leaf', { issuer: middle }), options: trusting(middle) }, /was issued by CN=middle/];
    },
    'an intermediate that is missing': () => {
      const root = authority('root');
      const middle = authority('middle', [], root);
      return [{ server: issue('leaf', { issuer: middle }), options: trusting(root) }, /was issued by CN=middle/];
    },
    'one that no authority has issued, but a leaf': () => [
      under(selfSigned('root', ['basicConstraints=CA:FALSE'])),
      /was issued by CN=root/,
    ],
    'an issuer below that is a leaf': () => {
      const leaf = issue('middle');
      return [
        { server: issue('leaf', { issuer: leaf }), chain: [leaf], options: trusting(certificates.ca) },
        /may not issue/,
      ];
    },
    'an authority that says nothing of itself': () => [under(selfSigned('root', [NAMES])), /was issued by CN=root/],
    'an authority that may not sign certificates': () => [
      under(authority('root', ['keyUsage=digitalSignature'])),
      /was issued by CN=root/,
    ],
    'an intermediate that may not sign certificates': () => {
      const root = authority('root');
      const middle = authority('middle', ['keyUsage=digitalSignature'], root);
      return [{ server: issue('leaf', { issuer: middle }), chain: [middle], options: trusting(root) }, /may not issue/];
    },
    'an authority for clients alone': () => [
      under(authority('root', ['extendedKeyUsage=clientAuth'])),
      /was issued by CN=root/,
    ],
    'an intermediate where the root allows none': () => {
      const root = selfSigned('root', ['basicConstraints=critical,CA:TRUE,pathlen:0']);
      const middle = authority('middle', [], root);
      return [{ server: issue('leaf', { issuer: middle }), chain: [middle], options: trusting(root) }, /pathlen/];
    },
    'a name that the authority may not issue': () => [
      under(authority('root', ['nameConstraints=critical,permitted;DNS:other.test'])),
      /nameConstraints/,
    ],
    'a common name that the authority may not issue': () => {
      const root = authority('root', ['nameConstraints=critical,permitted;DNS:other.test']);
      const server = issue('redis.test', { issuer: root, extensions: ['basicConstraints=CA:FALSE'] });
      return [{ server, options: { ...trusting(root), servername: 'redis.test' } }, /./];
    },
    'one that has expired': () => [
      { server: issue('old', { days: -1 }), options: trusting(certificates.ca) },
      /has expired on \d{4}-\d\d-\d\dT.*, and here it is \d{4}-/,
    ],
    'a self-signed one that has expired': () => [alone(selfSigned('self', LEAF, { days: -1 })), /has expired on/],
    'an authority that has expired': () => [
      under(selfSigned('root', AUTHORITY, { days: -1 })),
      /authority that issued .* \(CN=root\) has expired/,
    ],
    'one for clients alone': () => [
      under(certificates.ca, { extensions: [...LEAF, 'extendedKeyUsage=clientAuth'] }),
      /extendedKeyUsage/,
    ],
    'a self-signed one for clients alone': () => [
      alone(selfSigned('self', [NAMES, 'extendedKeyUsage=clientAuth'])),
      /extendedKeyUsage/,
    ],
    'one whose key is for certificates alone': () => [
      under(certificates.ca, { extensions: [...LEAF, 'keyUsage=keyCertSign'] }),
      /keyUsage/,
    ],
    'a self-signed one with something critical that is not known': () => [
      alone(selfSigned('self', [NAMES, '1.2.3.4.5=critical,ASN1:NULL'])),
      /critical/,
    ],
    'another name': () => [
      { server: certificates.server, options: { ...trusting(certificates.ca), servername: 'other.test' } },
      /is for redis\.test, 127\.0\.0\.1 and not for other\.test: .* servername/,
    ],
    'another address': () => [
      under(certificates.ca, { extensions: ['subjectAltName=IP:127.0.0.2'] }),
      /is for 127\.0\.0\.2 and not for 127\.0\.0\.1/,
    ],
    'a common name that is an address': () => [
      alone(selfSigned(HOST, ['basicConstraints=CA:FALSE'])),
      /is for no address at all \(subjectAltName\) and not for 127\.0\.0\.1/,
    ],
    'a common name beside alternative names': () => [
      alone(selfSigned('other.test', LEAF), { servername: 'other.test' }),
      /is for redis\.test, 127\.0\.0\.1 and not for other\.test/,
    ],
    'another common name': () => [
      alone(selfSigned('redis.test', ['basicConstraints=CA:FALSE']), { servername: 'other.test' }),
      /is for redis\.test and not for other\.test/,
    ],
    'a wildcard for all below a top-level domain': () => [
      alone(selfSigned('*.test', ['basicConstraints=CA:FALSE']), { servername: 'redis.test' }),
      /is for \*\.test and not/,
    ],
    'no name at all': () => [
      alone(selfSigned('self', ['basicConstraints=CA:FALSE'], { subject: '/O=nobody' }), { servername: 'redis.test' }),
      /is for no name at all/,
    ],
  };

  for (const [name, make] of Object.entries(cases)) {
    it(name, async () => {
      const [wanted, pattern] = make();
      const { node, our } = await judge(wanted);
      assert.ok(node instanceof Error, 'Node accepts it');
      assertTold(our, pattern);
    });
  }
});

describe('Node accepts it, and we refuse it in words:', LIMIT, () => {
  const cases = {
    'one of X.509 version 1': () => [
      { ...alone(selfSigned('redis.test', [])), options: { ...trusting(certificates.ca) } },
      /X\.509 version 1/,
    ],
    'one of X.509 version 1 that is trusted': () => [
      alone(selfSigned('redis.test', []), { servername: 'redis.test' }),
      /X\.509 version 1/,
    ],
    'one of X.509 version 1, with rejectUnauthorized false': () => [
      { server: selfSigned('redis.test', []), options: { rejectUnauthorized: false } },
      /X\.509 version 1/,
    ],
    "an authority's, which another one has issued": () => [
      under(certificates.ca, { extensions: [...AUTHORITY, NAMES] }),
      /is an authority's \(CA:TRUE\)/,
    ],
    'an RSA key of 1024 bits that signs': () => [
      under(selfSigned('root', AUTHORITY, { key: ['-newkey', 'rsa:1024'] })),
      /an RSA key of fewer than 2048 bits/,
    ],
  };

  for (const [name, make] of Object.entries(cases)) {
    it(name, async () => {
      const [wanted, pattern] = make();
      assertTold((await judge(wanted)).our, pattern);
    });
  }
});

function assertTold(error, pattern) {
  assert.ok(error instanceof Error, 'it is accepted');
  assert.equal(error.code, 'ERR_CONNECT');
  assert.match(error.message, /^Cannot connect to Redis at 127\.0\.0\.1:\d+: /);
  assert.match(error.message, pattern);
  assert.ok(error.cause instanceof Error && error.cause.message !== '', 'with what TLS said');
}
