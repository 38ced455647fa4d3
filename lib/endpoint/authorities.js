'use strict';

const fs = require('node:fs');
const path = require('node:path');
const tls = require('node:tls');

/** Where systems keep their authorities, for a Node that does not say (below 22.15). */
const SYSTEM = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem'];

/**
 * The authorities that Node trusts where no `ca` is given: Mozilla's, or the system's, and
 * `NODE_EXTRA_CA_CERTS`.
 * @returns {string[]} PEM texts
 */
function defaultAuthorities() {
  // From 22.15 on, Node says it itself, whatever flags and variables it was started with.
  const { getCACertificates } = /** @type {any} */ (tls);
  if (typeof getCACertificates === 'function') return [getCACertificates('default').join('\n')];
  const own = usesSystem() ? systemAuthorities() : tls.rootCertificates.join('\n');
  return [own, ...extraAuthorities()];
}

function usesSystem() {
  const flags = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/\s+/)];
  return flags.includes('--use-openssl-ca');
}

/** As OpenSSL finds them. */
function systemAuthorities() {
  const { SSL_CERT_FILE: file, SSL_CERT_DIR: folders } = process.env;
  if (!file && !folders) return SYSTEM.map((known) => tryRead(known)).find((text) => text !== null) ?? '';
  return [file ? readFile('SSL_CERT_FILE', file) : '', ...(folders ? readFolders(folders) : [])].join('\n');
}

/**
 * OpenSSL looks only for names that `openssl rehash` has made.
 * @param {string} folders
 */
function readFolders(folders) {
  const files = folders.split(path.delimiter).flatMap((folder) =>
    list(folder)
      .filter((name) => /^[0-9a-f]{8}\.\d+$/.test(name))
      .map((name) => path.join(folder, name)),
  );
  return files.map((file) => tryRead(file) ?? '');
}

/** @param {string} folder */
function list(folder) {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
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
