'use strict';

const { optionError } = require('../errors');
const { kindOf, readText } = require('./values');
const { isGiven } = require('../values');

/** @typedef {import('.').Tls} Tls */

/** The options of `tls.connect` that we follow. */
const USED = ['ca', 'cert', 'key', 'servername', 'rejectUnauthorized'];

/** Options of `tls.connect` that tune a connection and that ours does without. */
const IGNORED = [
  'ALPNProtocols',
  'allowPartialTrustChain',
  'ciphers',
  'dhparam',
  'ecdhCurve',
  'enableTrace',
  'honorCipherOrder',
  'maxVersion',
  'minDHSize',
  'minVersion',
  'requestOCSP',
  'secureOptions',
  'secureProtocol',
  'session',
  'sessionIdContext',
  'sessionTimeout',
  'sigalgs',
  'ticketKeys',
];

/** Options about trust and identity: to ignore one would weaken or break the connection. */
const REFUSED = ['checkServerIdentity', 'crl', 'passphrase', 'pfx', 'pskCallback', 'secureContext'];

/** Every option of `tls.connect` that is not about the socket below. */
const TLS_NAMES = [...USED, ...IGNORED, ...REFUSED];

/**
 * Reads the options of Node's `tls.connect` (https://nodejs.org/api/tls.html), which all
 * clients pass on: in `tls` (redis 2 and 3, ioredis) or in `socket` (redis 4 and later).
 *
 * @param {string} option the option's name, for errors
 * @param {Record<string, any>} fields
 * @returns {Tls}
 */
function readTls(option, fields) {
  for (const name of REFUSED) {
    if (isGiven(fields[name]))
      throw optionError(
        `${option}.${name}`,
        `it is not supported; pass ${USED.slice(0, 3).join(', ')} as PEM instead.`,
      );
  }
  return {
    ca: readPems(`${option}.ca`, fields.ca),
    cert: readPem(`${option}.cert`, fields.cert),
    key: readPem(`${option}.key`, fields.key),
    servername: isGiven(fields.servername) ? readText(`${option}.servername`, fields.servername) || null : null,
    rejectUnauthorized: readFlag(`${option}.rejectUnauthorized`, fields.rejectUnauthorized),
  };
}

/**
 * Like Node, which verifies unless the option is exactly `false`.
 *
 * @param {string} option
 * @param {unknown} value
 * @returns {boolean}
 */
function readFlag(option, value) {
  if (!isGiven(value)) return true;
  if (typeof value !== 'boolean') throw optionError(option, `pass true or false, not ${kindOf(value)}.`);
  return value;
}

/**
 * @param {string} option
 * @param {unknown} value string, Buffer or an array of these
 * @returns {string[]}
 */
function readPems(option, value) {
  if (!isGiven(value)) return [];
  return (Array.isArray(value) ? value : [value]).map((pem) => pemText(option, pem));
}

/**
 * @param {string} option
 * @param {unknown} value string, Buffer or an array of one
 * @returns {string|null}
 */
function readPem(option, value) {
  const pems = readPems(option, value);
  if (pems.length > 1) throw optionError(option, 'pass one PEM text; only one identity is supported.');
  return pems.length === 1 ? pems[0] : null;
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

module.exports = { readTls, TLS_NAMES };
