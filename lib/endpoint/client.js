'use strict';

const { optionError } = require('../errors');
const { NO_PREFIX, NO_PROVIDER, NO_STREAM, ONE_SERVER } = require('./names');
const { newestCommand } = require('./queue');
const { readTls } = require('./tls');
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
 * @returns {(() => Endpoint)|null} null when the object is no client
 * @throws {import('../errors').OptionError} for Cluster, Sentinel and pool objects
 */
function clientReader(name, value, redisModule) {
  const isInstance = isInstanceOf(value, redisModule);
  if (!isInstance && isPlainObject(value)) return null;
  if (isManyServers(value)) throw optionError(name, ONE_SERVER);
  refusePrefix(name, value.options ?? {});
  if (isIoredis(value)) return () => readIoredis(name, value);
  if (isPromiseClient(value)) return () => readPromiseClient(name, value);
  if (isInstance || isCallbackClient(value)) return () => readCallbackClient(name, value);
  return null;
}

/**
 * The application's own look-ups of session data would go to other keys than ours.
 *
 * @param {string} name
 * @param {Client} options a client's
 */
function refusePrefix(name, options) {
  for (const option of ['prefix', 'keyPrefix', 'rename_commands']) {
    if (options[option]) throw optionError(`${name}.${option}`, NO_PREFIX);
  }
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
 * ioredis' Cluster (`isCluster`), and redis 4 and later's cluster (`masters`), sentinel
 * (`getSentinelNode`, its leased client `_execute`) and pool (`totalClients`).
 *
 * @param {Client} value
 * @returns {boolean}
 */
function isManyServers(value) {
  if (value.isCluster === true) return true;
  if (typeof value.isOpen !== 'boolean') return false;
  return ['masters', 'getSentinelNode', '_execute', 'totalClients'].some((member) => member in value);
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
  refuseProvider(name, options);
  const socket = options.socket ?? {};
  return {
    ...readAddress(name, { port: DEFAULT_PORT, ...givenAddress(socket) }),
    username: text(options.username),
    password: text(options.password),
    db: database(name, options.database),
    tls: socket.tls === true ? readTls(`${name}.socket`, socket) : null,
  };
}

/**
 * redis 5 and 6 wrap a user name and password into a provider of their own, so one
 * beside them is that, or says the same; streams of changing credentials never are.
 *
 * @param {string} name
 * @param {Client} options
 */
function refuseProvider(name, options) {
  const provider = options.credentialsProvider;
  if (!provider) return;
  const isWrapped = provider.type === 'async-credentials-provider' && (options.username || options.password);
  if (!isWrapped) throw optionError(`${name}.credentialsProvider`, NO_PROVIDER);
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
  if (options.sentinels) throw optionError(name, ONE_SERVER);
  if (options.Connector) throw optionError(name, NO_STREAM);
  const queues = [client.offlineQueue, client.commandQueue];
  const select = newestCommand(queues, 'select');
  const auth = newestCommand(queues, 'auth') ?? [options.username, options.password];
  return {
    ...readAddress(name, { port: DEFAULT_PORT, ...givenAddress(options), ...givenAddress(options.tls) }),
    username: auth.length > 1 ? text(auth[0]) : null,
    password: text(auth[auth.length - 1]),
    db: database(name, select?.[0], client.prevCondition?.select, client.condition?.select, options.db),
    tls: tls(name, options.tls),
  };
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
