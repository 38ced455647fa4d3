'use strict';

const { optionError } = require('../errors');
const { clientReader } = require('./client');
const { parseNodes, parseOptions } = require('./options');
const { parseUrl } = require('./url');
const { PREFIXES } = require('./names');
const { readText } = require('./values');
const { isGiven, isPlainObject } = require('../values');

/**
 * What TLS needs besides an address, in the terms of Node's `tls.connect`.
 *
 * @typedef {object} Tls
 * @property {string[]} ca PEM texts of what to trust
 * @property {boolean} system whether what the system trusts is trusted too
 * @property {boolean} partial `allowPartialTrustChain`: it is trusted without its issuers
 * @property {string|null} cert PEM text of the client's certificate
 * @property {string|null} key PEM text of the client's key
 * @property {string|null} servername the name to ask for and to check; null for the host
 * @property {boolean} rejectUnauthorized false accepts any certificate
 * @property {boolean} tls12 whether TLS 1.2 may be spoken
 * @property {boolean} tls13 whether TLS 1.3 may be spoken
 * @property {number[]|null} suites IANA's numbers of the cipher suites, the best first; null for all
 * @property {number[]|null} groups IANA's numbers of the groups for the key exchange; null for all
 * @property {string[]} alpn `ALPNProtocols`
 */

/**
 * What the application is asked before each connection: `ask` never rejects.
 *
 * @typedef {object} Preparation
 * @property {number} id the same for the same question
 * @property {(host?: string) => Promise<{ error: string|null, username: string|null, password: string|null, addresses: string[] }>} ask
 *   `host` is the one that is about to be connected to
 */

/**
 * A server's address.
 *
 * @typedef {object} Address
 * @property {string} host name or address, IPv6 without brackets
 * @property {number} port 1 to 65535
 */

/**
 * Where the addresses lead that Sentinels and clusters give.
 *
 * @typedef {object} AddressMap
 * @property {number} id the same for the same map
 * @property {(Address & { from: string })[]} entries where each leads, by its `host:port`
 * @property {((address: string) => Promise<Address|null>) | null} ask asked for others; it never rejects
 */

/**
 * The Sentinels of a master, and how to enter them.
 *
 * @typedef {object} Sentinel
 * @property {Address[]} nodes where they are
 * @property {string} name the master's
 * @property {string|null} username an ACL user of theirs; null for the default one
 * @property {string|null} password null when they ask for none
 * @property {Tls|null} tls null for a plain connection to them
 */

/**
 * Where Redis is and how to enter it: the plain data that Rust connects with.
 *
 * @typedef {object} Endpoint
 * @property {string} host name or address, IPv6 without brackets; unused when `path` is set. Of many servers:
 *   that of the first that is known
 * @property {number} port 1 to 65535; unused when `path` is set
 * @property {string|null} path a Unix socket; beats `host` and `port`
 * @property {string|null} username an ACL user; null for the default one
 * @property {string|null} password null when the server asks for none
 * @property {number} db the database to select
 * @property {Tls|null} tls null for a plain connection
 * @property {string|null} name the connections' name
 * @property {string|null} library what the connections say to be; null for nothing
 * @property {Preparation|null} preparation null when there is nothing to ask
 * @property {Sentinel|null} sentinel what names the server; null when it is said here
 * @property {{ nodes: Address[] }|null} cluster the nodes to begin with; null for one server
 * @property {AddressMap|null} addressMap null when all addresses lead where they say
 */

/**
 * What a user's value comes to: the client object it was, if it was one, the way to the endpoint, and
 * what it puts before keys (never before channels: no client does).
 *
 * @typedef {{ client: object|null, keyPrefix: string, read(): Endpoint }} ParsedEndpoint
 */

const WANTED =
  'pass a client of the redis or ioredis package, a redis://, rediss:// or unix:// URL, ' +
  'an array of the URLs of a cluster, or an options object such as { host, port }';

/**
 * Turns what a user passes as `redisPub`, `redisSub` or `redisClient` into an
 * endpoint. We open our own connections: a client object is asked where it
 * points and is never written through.
 *
 * - nothing (`undefined`, `null`): `localhost:6379`, database 0
 * - a client of `redis` 0.7 to 6 or `ioredis` 4 to 6, from any copy of the package, those of a cluster and
 *   of Sentinels among them
 * - a URL, as a string or a `URL`: `redis[s]://[user][:pass@]host[:port][/db][?db=n]` (or `valkey[s]://`),
 *   `unix:///path[?db=n]`; an array of them is a cluster
 * - an options object with the names that those clients know
 *
 * URLs and options are read at once. A client is recognised at once but read by
 * `read()`: Socket.IO 0.9 applications call `client.auth()` and `client.select()`
 * in the tick that makes the store, so call it when that tick is over.
 *
 * @param {string} name the option's name, for errors
 * @param {unknown} value what the user passed
 * @param {unknown} [redisModule] the client module the user passed (the `redis` option of
 *   0.9's RedisStore); an instance of its `RedisClient` is a client whatever it looks like
 * @returns {ParsedEndpoint}
 * @throws {import('../errors').OptionError} at once for everything that cannot be used; from
 *   `read()` only if a client has become unreadable since
 */
function parseEndpoint(name, value, redisModule) {
  if (value === undefined || value === null) return settled(parseOptions(name, {}));
  if (typeof value === 'string' || value instanceof URL) return settled(parseUrl(name, value));
  if (typeof value !== 'object') throw optionError(name, `a ${typeof value} is no Redis endpoint; ${WANTED}.`);
  if (Array.isArray(value)) return settled(parseNodes(name, value));

  const reader = clientReader(name, value, redisModule);
  if (reader !== null) {
    reader.read(); // only to throw now, in the caller's own stack, what could not be read later
    return { client: value, keyPrefix: readPrefix(name, reader.options), read: reader.read };
  }
  if (!isPlainObject(value)) throw optionError(name, `this object is not a known Redis client; ${WANTED}.`);
  return settled(parseOptions(name, value), readPrefix(name, value));
}

/**
 * @param {Endpoint} endpoint
 * @param {string} [keyPrefix]
 * @returns {ParsedEndpoint}
 */
function settled(endpoint, keyPrefix = '') {
  return { client: null, keyPrefix, read: () => endpoint };
}

/**
 * @param {string} name
 * @param {Record<string, unknown>} options a client's, or what looks like them
 */
function readPrefix(name, options) {
  const given = PREFIXES.find((one) => isGiven(options[one]));
  return given === undefined ? '' : readText(`${name}.${given}`, options[given]);
}

/**
 * Channels span databases, streams and sessions do not, and the right to `SELECT` one may be missing.
 * @param {ParsedEndpoint} endpoint
 * @returns {ParsedEndpoint}
 */
function inNoDatabase(endpoint) {
  return { ...endpoint, read: () => ({ ...endpoint.read(), db: 0 }) };
}

module.exports = { inNoDatabase, parseEndpoint };
