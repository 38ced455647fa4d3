'use strict';

const { readCiphers, readCurves } = require('./ciphers');
const { optionError } = require('../errors');
const { kindOf, readText } = require('./values');
const { isGiven, isPlainObject } = require('../values');

/** @typedef {import('.').Tls} Tls */
/** @typedef {Record<string, any>} Fields */

/** The options of `tls.connect` that we follow. */
const USED = [
  'ALPNProtocols',
  'allowPartialTrustChain',
  'ca',
  'cert',
  'ciphers',
  'ecdhCurve',
  'key',
  'maxVersion',
  'minVersion',
  'passphrase',
  'rejectUnauthorized',
  'secureOptions',
  'secureProtocol',
  'servername',
];

/**
 * Options of `tls.connect` that our connection does without, and is none the weaker for it: those of
 * servers, of Diffie-Hellman in finite fields and of resumed sessions, neither of which it has, and those
 * that only listeners of the socket see.
 */
const IGNORED = [
  'ALPNCallback',
  'SNICallback',
  'dhparam',
  'enableTrace',
  'handshakeTimeout',
  'honorCipherOrder',
  'minDHSize',
  'requestCert',
  'requestOCSP',
  'session',
  'sessionIdContext',
  'sessionTimeout',
  'ticketKeys',
];

const AS_PEM = 'it is not supported; pass ca, cert and key as PEM instead.';
const LEAVE_OUT = 'it is not supported; leave it out.';

/** Options about trust and identity with what to do instead: to ignore one would weaken or break the connection. */
const REFUSED = new Map([
  [
    'checkServerIdentity',
    'it is not supported; pass servername, a name that the certificate bears, and it is checked for that.',
  ],
  ['clientCertEngine', AS_PEM],
  ['crl', 'lists of revoked certificates are not supported; pass as ca only authorities that you trust.'],
  ['pfx', AS_PEM],
  ['privateKeyEngine', AS_PEM],
  ['privateKeyIdentifier', AS_PEM],
  ['pskCallback', 'keys shared in advance are not supported; pass cert and key instead.'],
  ['secureContext', AS_PEM],
  ['sigalgs', LEAVE_OUT],
]);

/** Every option of `tls.connect` that is not about the socket below. */
const TLS_NAMES = [...USED, ...IGNORED, ...REFUSED.keys()];

/**
 * Reads the options of Node's `tls.connect` (https://nodejs.org/api/tls.html), which all
 * clients pass on: in `tls` (redis 2 and 3, ioredis) or in `socket` (redis 4 and later).
 *
 * @param {string} option the option's name, for errors
 * @param {Fields} fields
 * @returns {Tls}
 */
function readTls(option, fields) {
  for (const [name, advice] of REFUSED) {
    if (isGiven(fields[name])) throw optionError(`${option}.${name}`, advice);
  }
  const rejectUnauthorized = readRejection(option, fields.rejectUnauthorized);
  return {
    ca: rejectUnauthorized ? readAuthorities(`${option}.ca`, fields.ca) : [],
    system: rejectUnauthorized && !fields.ca,
    partial: fields.allowPartialTrustChain === true,
    ...readIdentity(option, fields),
    servername: isGiven(fields.servername) ? readText(`${option}.servername`, fields.servername) || null : null,
    rejectUnauthorized,
    ...readStrength(option, fields),
    alpn: readProtocols(`${option}.ALPNProtocols`, fields.ALPNProtocols),
  };
}

/**
 * Like Node, which verifies unless the option is exactly `false`, or nothing is given and
 * `NODE_TLS_REJECT_UNAUTHORIZED` is `0`.
 *
 * @param {string} option
 * @param {unknown} value
 * @returns {boolean}
 */
function readRejection(option, value) {
  if (isGiven(value)) {
    if (typeof value === 'boolean') return value;
    throw optionError(`${option}.rejectUnauthorized`, `pass true or false, not ${kindOf(value)}.`);
  }
  if (process.env.NODE_TLS_REJECT_UNAUTHORIZED !== '0') return true;
  const { warnOnce } = require('./authorities');
  warnOnce(
    'WARN_TLS_UNVERIFIED',
    'NODE_TLS_REJECT_UNAUTHORIZED is 0: connections to Redis with TLS accept any certificate, and so anybody between.',
  );
  return false;
}

/**
 * @param {string} option
 * @param {unknown} value
 * @returns {string[]} PEM texts; Node's own authorities when nothing is given
 */
function readAuthorities(option, value) {
  // Loading them takes time, which only connections with TLS have to spend.
  if (!value) return require('./authorities').defaultAuthorities();
  const pems = readPems(option, value);
  for (const pem of pems) checkCertificate(option, pem);
  return pems;
}

/**
 * @param {string} option
 * @param {string} pem
 */
function checkCertificate(option, pem) {
  const { X509Certificate } = require('node:crypto');
  try {
    if (!pem.includes('-----BEGIN ')) throw new Error('there is no PEM in it');
    new X509Certificate(pem);
  } catch (cause) {
    throw caused(optionError(option, 'it is not a certificate as PEM text.'), cause);
  }
}

/**
 * @param {string} option
 * @param {Fields} fields
 * @returns {Pick<Tls, 'cert' | 'key'>} the key without a passphrase
 */
function readIdentity(option, fields) {
  const cert = fields.cert ? readPem(`${option}.cert`, fields.cert) : null;
  const { pem, passphrase } = readKey(`${option}.key`, fields);
  if (cert === null && pem === null) return { cert, key: null };
  if (cert === null || pem === null) {
    throw optionError(`${option}.${cert === null ? 'cert' : 'key'}`, 'it is missing: cert and key go together.');
  }
  const { createPrivateKey, X509Certificate } = require('node:crypto');
  try {
    const key = createPrivateKey({ key: pem, passphrase });
    if (!new X509Certificate(cert).checkPrivateKey(key)) throw new Error('it is the key of another one');
    return { cert, key: String(key.export({ type: 'pkcs8', format: 'pem' })) };
  } catch (cause) {
    const reason = /** @type {Error} */ (cause).message;
    throw caused(optionError(`${option}.key`, `it cannot be used with cert: ${reason}.`), cause);
  }
}

/**
 * @param {string} option
 * @param {Fields} fields
 * @returns {{ pem: string | null, passphrase: string | undefined }}
 */
function readKey(option, { key, passphrase }) {
  if (!key) return { pem: null, passphrase: undefined };
  const given = Array.isArray(key) && key.length === 1 ? key[0] : key;
  const { pem, passphrase: own } = isPlainObject(given) ? given : { pem: given, passphrase: undefined };
  const secret = own ?? passphrase;
  return { pem: readPem(option, pem), passphrase: isGiven(secret) ? readText(option, secret) : undefined };
}

/**
 * Versions, ciphers and curves. What Node's flags say (`--tls-min-v1.3`, `--tls-cipher-list`) is the
 * default, as in Node.
 *
 * @param {string} option
 * @param {Fields} fields
 * @returns {Pick<Tls, 'tls12' | 'tls13' | 'suites' | 'groups'>}
 */
function readStrength(option, fields) {
  const { defaultCoreCipherList } = require('node:crypto').constants;
  const { DEFAULT_CIPHERS, DEFAULT_ECDH_CURVE } = require('node:tls');
  const list = fields.ciphers || DEFAULT_CIPHERS;
  const isOwn = list !== defaultCoreCipherList;
  const ciphers = isOwn ? readCiphers(`${option}.ciphers`, readText(`${option}.ciphers`, list)) : BOTH;
  const spoken = [ciphers, readVersions(option, fields), readBits(`${option}.secureOptions`, fields.secureOptions)];
  const [tls12, tls13] = [spoken.every((one) => one.tls12), spoken.every((one) => one.tls13)];
  if (!tls12 && !tls13) {
    throw optionError(
      `${option}.${isOwn ? 'ciphers' : 'minVersion'}`,
      'no version of TLS is left: 1.2 and 1.3 can be.',
    );
  }
  const curve = fields.ecdhCurve || DEFAULT_ECDH_CURVE;
  return {
    tls12,
    tls13,
    suites: isOwn ? ciphers.suites : null,
    groups: readCurves(`${option}.ecdhCurve`, readText(`${option}.ecdhCurve`, curve)),
  };
}

const BOTH = { tls12: true, tls13: true, suites: /** @type {number[]} */ ([]) };

/** The versions that `minVersion` and `maxVersion` know. */
const VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

/** What `secureProtocol` may say; the others are versions below 1.2. */
const PROTOCOLS = new Map([
  ...['TLS_method', 'TLS_client_method', 'SSLv23_method', 'SSLv23_client_method'].map(
    (name) => /** @type {const} */ ([name, BOTH]),
  ),
  ...['TLSv1_2_method', 'TLSv1_2_client_method'].map(
    (name) => /** @type {const} */ ([name, { ...BOTH, tls13: false }]),
  ),
]);

/**
 * @param {string} option
 * @param {Fields} fields
 */
function readVersions(option, { minVersion, maxVersion, secureProtocol }) {
  if (secureProtocol) {
    if (minVersion || maxVersion) {
      throw optionError(`${option}.secureProtocol`, 'it cannot be combined with minVersion and maxVersion.');
    }
    const versions = PROTOCOLS.get(secureProtocol);
    if (versions === undefined) {
      throw optionError(`${option}.secureProtocol`, `it must be one of ${[...PROTOCOLS.keys()].join(', ')}.`);
    }
    return versions;
  }
  const { DEFAULT_MAX_VERSION, DEFAULT_MIN_VERSION } = require('node:tls');
  const min = readVersion(`${option}.minVersion`, minVersion || DEFAULT_MIN_VERSION);
  const max = readVersion(`${option}.maxVersion`, maxVersion || DEFAULT_MAX_VERSION);
  if (max < VERSIONS.indexOf('TLSv1.2')) {
    throw optionError(`${option}.maxVersion`, 'versions below TLSv1.2 are not supported.');
  }
  if (min > max) throw optionError(`${option}.minVersion`, 'it is above maxVersion.');
  return { tls12: min <= VERSIONS.indexOf('TLSv1.2'), tls13: max === VERSIONS.indexOf('TLSv1.3') };
}

/**
 * @param {string} option
 * @param {string} version
 */
function readVersion(option, version) {
  const at = VERSIONS.indexOf(version);
  if (at >= 0) return at;
  throw optionError(option, `it must be one of ${VERSIONS.map((one) => `'${one}'`).join(', ')}.`);
}

/**
 * OpenSSL's flags: those against versions count; the others are about what our connection has not (TLS
 * below 1.2, compression, renegotiation, tickets) or has anyway.
 *
 * @param {string} option
 * @param {unknown} value
 */
function readBits(option, value) {
  if (!isGiven(value)) return BOTH;
  if (typeof value !== 'number') throw optionError(option, `pass a number, not ${kindOf(value)}.`);
  const { SSL_OP_NO_TLSv1_2, SSL_OP_NO_TLSv1_3 } = require('node:crypto').constants;
  return { tls12: (value & SSL_OP_NO_TLSv1_2) === 0, tls13: (value & SSL_OP_NO_TLSv1_3) === 0 };
}

/**
 * @param {string} option
 * @param {unknown} value
 * @returns {string[]}
 */
function readProtocols(option, value) {
  if (!isGiven(value)) return [];
  const isName = (/** @type {unknown} */ name) => typeof name === 'string' && name !== '' && name.length < 256;
  if (Array.isArray(value) && value.every(isName)) return value;
  throw optionError(option, 'pass an array of strings.');
}

/**
 * @param {string} option
 * @param {unknown} value string, Buffer or an array of these
 * @returns {string[]}
 */
function readPems(option, value) {
  return (Array.isArray(value) ? value : [value]).map((pem) => pemText(option, pem));
}

/**
 * @param {string} option
 * @param {unknown} value string, Buffer or an array of one
 * @returns {string}
 */
function readPem(option, value) {
  const pems = readPems(option, value);
  if (pems.length !== 1) throw optionError(option, 'pass one PEM text; only one identity is supported.');
  return pems[0];
}

/**
 * @param {string} option
 * @param {unknown} pem
 * @returns {string}
 */
function pemText(option, pem) {
  if (typeof pem === 'string') return pem;
  if (pem instanceof Uint8Array) return Buffer.from(pem).toString('utf8');
  throw optionError(option, `pass PEM text as a string or a Buffer, not ${kindOf(pem)}.`);
}

/**
 * @template {Error} T
 * @param {T} error
 * @param {unknown} cause
 * @returns {T}
 */
function caused(error, cause) {
  return Object.assign(error, { cause });
}

module.exports = { readTls, TLS_NAMES };
