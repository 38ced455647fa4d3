'use strict';

const fs = require('node:fs');
const tls = require('node:tls');

/**
 * The authorities that Node trusts where no `ca` is given: Mozilla's, unless its flags leave them out, and
 * those of `NODE_EXTRA_CA_CERTS`. The native side adds those of the system's store, which a Node below 22.15
 * does not give away.
 * @returns {string[]} PEM texts
 */
function defaultAuthorities() {
  const file = process.env.SSL_CERT_FILE;
  if (file && !isReadable(file)) warnOnce('WARN_CA_UNREADABLE', `SSL_CERT_FILE is ignored: ${file} cannot be read.`);
  // From 22.15 on, Node says it itself, whatever flags and variables it was started with.
  const { getCACertificates } = /** @type {any} */ (tls);
  if (typeof getCACertificates === 'function') return [getCACertificates('default').join('\n')];
  return [leavesOutOwn() ? '' : tls.rootCertificates.join('\n'), ...extraAuthorities()];
}

function leavesOutOwn() {
  const flags = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/\s+/)];
  return flags.includes('--use-openssl-ca');
}

/** @param {string} file */
function isReadable(file) {
  try {
    fs.accessSync(file, fs.constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function extraAuthorities() {
  const file = process.env.NODE_EXTRA_CA_CERTS;
  const text = file ? readFile('NODE_EXTRA_CA_CERTS', file) : null;
  return text === null ? [] : [text];
}

/**
 * Like Node, which goes on without.
 * @param {string} variable
 * @param {string} file
 */
function readFile(variable, file) {
  const text = tryRead(file);
  if (text === null) warnOnce('WARN_CA_UNREADABLE', `${variable} is ignored: ${file} cannot be read.`);
  return text;
}

/** @param {string} file */
function tryRead(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** @type {Set<string>} */
const warnings = new Set();

/**
 * Emits a process warning, the first time.
 * @param {string} code
 * @param {string} message
 */
function warnOnce(code, message) {
  if (warnings.has(message)) return;
  warnings.add(message);
  process.emitWarning(message, { type: 'SocketIORedisWarning', code });
}

module.exports = { defaultAuthorities, warnOnce };
