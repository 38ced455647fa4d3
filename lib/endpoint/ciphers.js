'use strict';

const { optionError } = require('../errors');

/**
 * The cipher suites that the native side has, with IANA's numbers, under OpenSSL's names
 * (https://www.iana.org/assignments/tls-parameters/). The others of TLS 1.2 keep nothing secret once the
 * server's key is known, or are broken.
 */
const SUITES = new Map([
  ['TLS_AES_256_GCM_SHA384', 0x1302],
  ['TLS_AES_128_GCM_SHA256', 0x1301],
  ['TLS_CHACHA20_POLY1305_SHA256', 0x1303],
  ['ECDHE-ECDSA-AES256-GCM-SHA384', 0xc02c],
  ['ECDHE-ECDSA-AES128-GCM-SHA256', 0xc02b],
  ['ECDHE-ECDSA-CHACHA20-POLY1305', 0xcca9],
  ['ECDHE-RSA-AES256-GCM-SHA384', 0xc030],
  ['ECDHE-RSA-AES128-GCM-SHA256', 0xc02f],
  ['ECDHE-RSA-CHACHA20-POLY1305', 0xcca8],
]);

/** The groups for the key exchange, under all their names. */
const GROUPS = new Map([
  ['X25519', 0x1d],
  ['P-256', 0x17],
  ['prime256v1', 0x17],
  ['secp256r1', 0x17],
  ['P-384', 0x18],
  ['secp384r1', 0x18],
  ['P-521', 0x19],
  ['secp521r1', 0x19],
]);

/** Excluding these excludes nothing of ours; nor do the security levels that it all has. */
const HARMLESS =
  /^(!(aNULL|eNULL|NULL|ADH|AECDH|EXP|EXPORT|LOW|MEDIUM|DES|3DES|RC2|RC4|IDEA|SEED|MD5|SHA|SHA1|PSK|SRP|DSS|aDSS|CAMELLIA|ARIA|CBC|kRSA|DH|kDH|kDHE|DHE|kEDH|CCM|CCM8)|@STRENGTH|@SECLEVEL=[0-2])$/;

/**
 * Reads `ciphers` as Node does: names of TLS 1.3 begin with `TLS_`; where none is named, it has all of them,
 * and where none of TLS 1.2 is named, that is not spoken. What is named and not there is left out, which only
 * makes the choice smaller.
 *
 * @param {string} option the option's name, for errors
 * @param {string} text OpenSSL's list
 * @returns {{ suites: number[], tls12: boolean, tls13: boolean }}
 */
function readCiphers(option, text) {
  const names = text.split(':').filter((name) => name !== '' && !HARMLESS.test(name));
  const rule = names.find((name) => /^[!+@-]/.test(name));
  if (rule !== undefined) throw optionError(option, `"${rule}" is not supported; ${advice(SUITES)}`);
  const known = names.filter((name) => SUITES.has(name));
  if (known.length === 0) throw optionError(option, `none of these can be used; ${advice(SUITES)}`);
  const isOf13 = (/** @type {string} */ name) => name.startsWith('TLS_');
  // Whatever is said of TLS 1.3, by a name that is not there too, leaves only that.
  const others = names.some(isOf13) ? [] : [...SUITES.keys()].filter(isOf13);
  return {
    suites: [...others, ...known].map((name) => /** @type {number} */ (SUITES.get(name))),
    tls12: known.some((name) => !isOf13(name)),
    tls13: others.length > 0 || known.some(isOf13),
  };
}

/**
 * Reads `ecdhCurve`.
 *
 * @param {string} option
 * @param {string} text names separated by colons, or `auto`
 * @returns {number[] | null} null for all
 */
function readCurves(option, text) {
  if (text === 'auto') return null;
  const known = text.split(':').filter((name) => GROUPS.has(name));
  if (known.length === 0) throw optionError(option, `none of these can be used; ${advice(GROUPS)}`);
  return [...new Set(known.map((name) => /** @type {number} */ (GROUPS.get(name))))];
}

/** @param {Map<string, number>} known */
function advice(known) {
  return `name some of ${[...known.keys()].join(', ')}, separated by colons.`;
}

module.exports = { readCiphers, readCurves };
