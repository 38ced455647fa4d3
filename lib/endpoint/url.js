'use strict';

const { optionError } = require('../errors');
const { readIdentity } = require('./identity');
const { ONE_SERVER } = require('./many');
const { MANY, REFUSED } = require('./names');
const { readTls } = require('./tls');
const { DEFAULT_HOST, DEFAULT_PORT, readDb, readHost, readPort } = require('./values');

/** @typedef {import('.').Endpoint} Endpoint */

const SCHEMES = ['redis:', 'rediss:', 'valkey:', 'valkeys:', 'unix:', 'redis+unix:'];
const WITH_TLS = ['rediss:', 'valkeys:'];
const WANTED = 'write redis://[user][:password@]host[:port][/db], rediss:// for TLS, or unix:///path/to/socket';

/**
 * Reads a Redis URL as the `redis` and `ioredis` packages do, following the IANA
 * registrations of `redis` and `rediss`, plus `unix:` and `redis+unix:` for a socket, and `valkey:` and
 * `valkeys:`, which say the same. As in ioredis, the query may say more (`db`, `username`, `password`,
 * `connectionName`), the rest of the URL beats it, and what is not known there is ignored.
 *
 * Stricter than they are where they guess: a `#`, a path that is no number, or an `@` in the query is most
 * often a password that was not percent-encoded.
 *
 * @param {string} option the option's name, for errors; the URL is never repeated there, it may hold a password
 * @param {unknown} value a string or a `URL`
 * @returns {Endpoint}
 */
function parseUrl(option, value) {
  const url = toUrl(option, value);
  const db = queryDb(option, url);
  checkQuery(option, url);
  return url.protocol.endsWith('unix:') ? unixEndpoint(option, url, db) : tcpEndpoint(option, url, db);
}

/**
 * @param {string} option
 * @param {URL} url
 * @param {number|null} queried the database of the query
 * @returns {Endpoint}
 */
function tcpEndpoint(option, url, queried) {
  const path = url.pathname.replace(/^\//, '');
  const db = path === '' ? null : readDb(option, path);
  if (db !== null && queried !== null && db !== queried) {
    throw optionError(option, 'the URL names two databases; give one, as /db or as ?db=.');
  }
  return {
    host: url.hostname === '' ? DEFAULT_HOST : readHost(option, decode(option, url.hostname)),
    port: url.port === '' ? DEFAULT_PORT : readPort(option, url.port),
    path: null,
    ...credentials(option, url),
    db: db ?? queried ?? 0,
    tls: WITH_TLS.includes(url.protocol) ? readTls(option, {}) : null,
    ...readIdentity(option, { connectionName: url.searchParams.get('connectionName') }),
    preparation: null,
    ...ONE_SERVER,
  };
}

/**
 * @param {string} option
 * @param {URL} url
 * @param {number|null} queried the database of the query
 * @returns {Endpoint}
 */
function unixEndpoint(option, url, queried) {
  const path = decode(option, url.pathname);
  const isLocal = url.hostname === '' || url.hostname === DEFAULT_HOST;
  if (!isLocal || url.port !== '' || path === '' || path === '/') {
    throw optionError(option, 'a socket URL needs an absolute path after three slashes: unix:///path/to/socket.');
  }
  return {
    host: DEFAULT_HOST,
    port: DEFAULT_PORT,
    path,
    ...credentials(option, url),
    db: queried ?? 0,
    tls: null,
    ...readIdentity(option, { connectionName: url.searchParams.get('connectionName') }),
    preparation: null,
    ...ONE_SERVER,
  };
}

/**
 * @param {string} option
 * @param {unknown} value
 * @returns {URL}
 */
function toUrl(option, value) {
  if (value instanceof URL) value = value.href;
  if (typeof value !== 'string' || value === '') throw optionError(option, `this is not a URL; ${WANTED}.`);
  const scheme = /^([a-z][a-z0-9+.-]*:)\/\//i.exec(value);
  if (scheme === null || !SCHEMES.includes(scheme[1].toLowerCase())) {
    throw optionError(option, `this is not a Redis URL; ${WANTED}.`);
  }
  // WHATWG allows no credentials before an empty host; "localhost" there changes nothing for a socket
  const text = value.replace(/^((?:redis\+)?unix:\/\/[^/?#]*@)\//i, `$1${DEFAULT_HOST}/`);
  const url = tryUrl(text);
  if (url === null) throw optionError(option, `the URL has a bad host or port; ${WANTED}.`);
  if (url.hash !== '') throw optionError(option, 'the URL has a "#"; in a user name or password write it as %23.');
  return url;
}

/**
 * @param {string} text
 * @returns {URL|null}
 */
function tryUrl(text) {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

/**
 * @param {string} option
 * @param {URL} url
 * @returns {{ username: string|null, password: string|null }}
 */
function credentials(option, url) {
  return {
    username: decode(option, url.username) || url.searchParams.get('username') || null,
    password: decode(option, url.password) || url.searchParams.get('password') || null,
  };
}

/**
 * @param {string} option
 * @param {URL} url
 * @returns {number|null} the database that the query asks for
 */
function queryDb(option, url) {
  const values = url.searchParams.getAll('db');
  if (values.length > 1) throw optionError(option, 'the URL has more than one ?db=; give one.');
  return values.length === 1 ? readDb(option, values[0]) : null;
}

/**
 * Refuses what ioredis would heed there and we would not.
 *
 * @param {string} option
 * @param {URL} url
 */
function checkQuery(option, url) {
  if (url.search.includes('@')) {
    throw optionError(option, 'the URL has an "@" behind a "?"; in a user name or password write the "?" as %3F.');
  }
  for (const name of url.searchParams.keys()) {
    if (name === 'tls')
      throw optionError(option, 'the URL has ?tls=; write rediss:// for TLS, and use options for more.');
    if (name === 'keyPrefix') throw optionError(option, 'the URL has ?keyPrefix=; use the option keyPrefix.');
    if (MANY.includes(name)) throw optionError(option, `the URL has ?${name}=; use the option ${name}.`);
    const advice = REFUSED.get(name);
    if (advice !== undefined) throw optionError(option, `the URL has ?${name}=: ${advice}`);
  }
}

/**
 * @param {string} option
 * @param {string} text
 * @returns {string}
 */
function decode(option, text) {
  try {
    return decodeURIComponent(text);
  } catch {
    throw optionError(option, 'the URL has a "%" that is not percent-encoding; write it as %25.');
  }
}

module.exports = { parseUrl };
