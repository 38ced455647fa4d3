'use strict';

const { optionError } = require('../errors');
const { readIdentity } = require('./identity');
const { clientOfMany } = require('./clients-of-many');
const { ONE_SERVER } = require('./many');
const { NO_POOL, NO_RENAMING, NO_STREAM } = require('./names');
const { preparationOf, readLookup, readProvider } = require('./preparation');
const { newestCommand } = require('./queue');
const { readTls } = require('./tls');
const { readSentinels } = require('./topologies');
const { DEFAULT_HOST, DEFAULT_PORT, readDb, readHost, readPort } = require('./values');
const { isGiven, isObject, isPlainObject } = require('../values');

/** @typedef {import('.').Endpoint} Endpoint */
/** @typedef {Record<string, any>} Client any client object: its shape differs between versions */

/**
 * Recognises a client object and returns what reads it. By shape, not by class: the
 * application's copy of `redis` or `ioredis` is not one that we could `require`.
 *
 * @param {string} name the option's name, for errors
 * @param {Client} value any object
 * @param {unknown} redisModule a client module; an instance of its `RedisClient` needs no other proof
 * @returns {import('./clients-of-many').Reader | null} null when the object is no client
 * @throws {import('../errors').OptionError} for pools, and for what does not say where it connects to
 */
function clientReader(name, value, redisModule) {
  const isInstance = isInstanceOf(value, redisModule);
  if (!isInstance && isPlainObject(value)) return null;
  if (isPool(value)) throw optionError(name, NO_POOL);
  const many = clientOfMany(name, value);
  if (many !== null) return many;
  if (value.options?.rename_commands) throw optionError(`${name}.rename_commands`, NO_RENAMING);
  const read = isIoredis(value)
    ? readIoredis
    : isPromiseClient(value)
      ? readPromiseClient
      : isInstance || isCallbackClient(value)
        ? readCallbackClient
        : null;
  return read === null ? null : { options: value.options ?? {}, read: () => read(name, value) };
}

/**
 * @param {Client} value
 * @param {unknown} redisModule
 * @returns {boolean}
 */
function isInstanceOf(value, redisModule) {
  const RedisClient = /** @type {any} */ (redisModule)?.RedisClient;
  return typeof RedisClient === 'function' && value instanceof RedisClient;
}

/**
 * @param {Client} value
 * @returns {boolean} true for what `createClientPool` of redis 5 and 6 makes
 */
function isPool(value) {
  return typeof value.isOpen === 'boolean' && 'totalClients' in value;
}

/**
 * @param {Client} value
 * @returns {boolean} true for a client of `redis` 0.7 to 3
 */
function isCallbackClient(value) {
  return typeof value.send_command === 'function' && 'command_queue' in value && 'offline_queue' in value;
}

/**
 * @param {Client} value
 * @returns {boolean} true for a client of `redis` 4 to 6, whose `options` may be undefined
 */
function isPromiseClient(value) {
  return (
    typeof value.isOpen === 'boolean' &&
    'options' in value &&
    typeof value.sendCommand === 'function' &&
    typeof value.duplicate === 'function'
  );
}

/**
 * @param {Client} value
 * @returns {boolean} true for an `ioredis` client of one server or of Sentinels
 */
function isIoredis(value) {
  return (
    typeof value.sendCommand === 'function' &&
    typeof value.status === 'string' &&
    isObject(value.options) &&
    isObject(value.connector) &&
    'offlineQueue' in value
  );
}

/**
 * Reads a client of `redis` 0.7 to 3. The address stands in `host` and `port` (0.7, 0.8;
 * a socket's path is the port), `connectionOption` (0.9 to 2.3) or `connection_options`.
 * `auth()` sets `auth_pass` at once, but `select()` sets `selected_db` only when the
 * reply arrives, and 0.7 to 0.12 move it to `old_state` while they reconnect: so a
 * waiting SELECT is the newest word.
 *
 * @param {string} name
 * @param {Client} client
 * @returns {Endpoint}
 */
function readCallbackClient(name, client) {
  const options = client.options ?? {};
  const select = newestCommand([client.offline_queue, client.command_queue], 'select');
  const address = client.connection_options ?? client.connection_option ?? client.connectionOption ?? client;
  return {
    ...readAddress(name, isPipe(address.port) ? { path: address.port } : address),
    username: text(client.auth_user),
    password: text(client.auth_pass),
    db: database(name, select?.[0], client.selected_db, client.old_state?.selected_db, options.db),
    tls: tls(name, options.tls),
    // These clients have no name; a `name` here would be something else.
    ...readIdentity(name, {}),
    preparation: null,
    ...ONE_SERVER,
  };
}

/**
 * Reads a client of `redis` 4 to 6 from its `options`, into which it has already merged its
 * `url`. A later `select()` or `auth()` leaves no trace there: queue and selected
 * database are private fields.
 *
 * @param {string} name
 * @param {Client} client
 * @returns {Endpoint}
 */
function readPromiseClient(name, client) {
  const options = client.options ?? {};
  const socket = options.socket ?? {};
  const address = readAddress(name, { port: DEFAULT_PORT, ...givenAddress(socket) });
  const lookup = readLookup(`${name}.socket.lookup`, socket.lookup);
  return {
    ...address,
    username: text(options.username),
    password: text(options.password),
    db: database(name, options.database),
    tls: socket.tls === true ? readTls(`${name}.socket`, socket) : null,
    ...readIdentity(name, options),
    preparation: preparationOf(provider(name, options), lookup, address.host),
    ...ONE_SERVER,
  };
}

/**
 * redis 5 and 6 wrap a user name and password into a provider of their own, so one
 * beside them is that, or says the same; streams of changing credentials never are.
 *
 * @param {string} name
 * @param {Client} options
 */
function provider(name, options) {
  const found = readProvider(name, { credentialsProvider: options.credentialsProvider });
  return options.username || options.password ? null : found;
}

/**
 * Reads an `ioredis` client. `select()` sets `condition.select` at once, but a reconnect
 * starts over from `options.db` (the old state waits in `prevCondition`), and `auth()`
 * is only a command: so waiting commands are the newest word on both.
 *
 * @param {string} name
 * @param {Client} client
 * @returns {Endpoint}
 */
function readIoredis(name, client) {
  const { options } = client;
  if (options.Connector) throw optionError(name, NO_STREAM);
  const queues = [client.offlineQueue, client.commandQueue];
  const select = newestCommand(queues, 'select');
  const auth = newestCommand(queues, 'auth') ?? [options.username, options.password];
  const address = readAddress(name, { port: DEFAULT_PORT, ...givenAddress(options), ...givenAddress(options.tls) });
  const lookup = readLookup(`${name}.tls.lookup`, options.tls?.lookup);
  const endpoint = {
    ...address,
    username: auth.length > 1 ? text(auth[0]) : null,
    password: text(auth[auth.length - 1]),
    db: database(name, select?.[0], client.prevCondition?.select, client.condition?.select, options.db),
    // To what Sentinels name, it speaks TLS only when it must.
    tls: options.sentinels && !options.enableTLSForSentinelMode ? null : tls(name, options.tls),
    // Its `name` is that of a Sentinel's master.
    ...readIdentity(name, { ...options, name: null }),
    preparation: preparationOf(null, lookup, address.host),
    ...ONE_SERVER,
  };
  return options.sentinels ? readSentinels(name, endpoint, options) : endpoint;
}

/**
 * @param {string} name
 * @param {Client} address
 * @returns {Pick<Endpoint, 'host'|'port'|'path'>}
 */
function readAddress(name, address) {
  if (address.path) return { host: DEFAULT_HOST, port: DEFAULT_PORT, path: String(address.path) };
  if (!isGiven(address.port)) {
    throw optionError(name, 'this client does not say where it connects to; pass a URL or an options object instead.');
  }
  return {
    host: readHost(`${name}.host`, address.host || DEFAULT_HOST),
    port: readPort(`${name}.port`, address.port),
    path: null,
  };
}

/**
 * @param {string} name
 * @param {...unknown} values the newest first; the first that is known counts
 * @returns {number}
 */
function database(name, ...values) {
  const db = values.find(isGiven);
  return db === undefined ? 0 : readDb(`${name}.db`, Buffer.isBuffer(db) ? String(db) : db);
}

/**
 * @param {string} name
 * @param {unknown} value a client's `tls` option: an object, or just true
 * @returns {Endpoint['tls']}
 */
function tls(name, value) {
  if (!value) return null;
  return readTls(`${name}.tls`, isObject(value) ? value : {});
}

/**
 * @param {unknown} value a user name or password, which clients do not check
 * @returns {string|null}
 */
function text(value) {
  return !isGiven(value) || value === '' ? null : String(value);
}

/**
 * @param {unknown} fields
 * @returns {Client} the address fields that are given, so that the others do not hide a default
 */
function givenAddress(fields) {
  if (!isObject(fields)) return {};
  const entries = ['host', 'port', 'path'].map((key) => [key, fields[key]]);
  return Object.fromEntries(entries.filter(([, value]) => isGiven(value)));
}

/**
 * @param {unknown} port
 * @returns {boolean} true for what `net.connect` takes for a path: a string that is no number
 */
function isPipe(port) {
  return typeof port === 'string' && !/^\d+$/.test(port);
}

module.exports = { clientReader };
