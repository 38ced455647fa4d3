'use strict';

/* Client objects of clusters and of Sentinels. */

const { optionError } = require('../errors');
const { clusterOf } = require('./many');
const { NO_OPTIONS, NO_SRV } = require('./names');
const { parseTaken } = require('./options');
const { readNodes, readRedisCluster, readRedisSentinel, readWays } = require('./topologies');
const { isObject } = require('../values');

/** @typedef {import('.').Endpoint} Endpoint */
/** @typedef {Record<string, any>} Client any client object: its shape differs between versions */
/** @typedef {{ options: Record<string, any>, read(): Endpoint }} Reader with the options that a prefix stands in */

/**
 * Recognises a client of a cluster or of Sentinels that is not one of ioredis' Redis.
 *
 * @param {string} name the option's name, for errors
 * @param {Client} value any object
 * @returns {Reader | null} null when the object is none
 * @throws {import('../errors').OptionError} for one that does not say where it connects to
 */
function clientOfMany(name, value) {
  if (value.isCluster === true) return ioredisCluster(name, value);
  if (typeof value.isOpen !== 'boolean') return null;
  if ('masters' in value) return modernRedis(name, value, readRedisCluster);
  // What `use()` of a Sentinel client lends has only the other.
  if ('getSentinelNode' in value || '_execute' in value) return modernRedis(name, value, readRedisSentinel);
  return null;
}

/**
 * What `createCluster` of redis 4 to 6 and `createSentinel` of redis 6 have made; that of redis 5 keeps its
 * options to itself.
 *
 * @param {string} name
 * @param {Client} client
 * @param {(name: string, options: Record<string, any>, parse: typeof parseTaken) => Endpoint} read
 * @returns {Reader}
 */
function modernRedis(name, client, read) {
  const options = optionsOf(client);
  if (options === null) throw optionError(name, NO_OPTIONS);
  return { options, read: () => read(name, options, parseTaken) };
}

/**
 * The options of a client that has them in a private field: its `duplicate()` hands them to its constructor,
 * in whose place there is another for that moment.
 *
 * @param {Client} client
 * @returns {Record<string, any> | null} null where there is no `duplicate()`, or another
 */
function optionsOf(client) {
  if (typeof client.duplicate !== 'function') return null;
  /** @type {unknown} */
  let options = null;
  const prototype = Object.getPrototypeOf(client);
  const own = Object.getOwnPropertyDescriptor(prototype, 'constructor');
  const value = function (/** @type {unknown} */ given) {
    options = given;
  };
  try {
    Object.defineProperty(prototype, 'constructor', { value, configurable: true, writable: true });
    client.duplicate();
  } catch {
    return null;
  } finally {
    if (own !== undefined) Object.defineProperty(prototype, 'constructor', own);
    else delete prototype.constructor;
  }
  return isObject(options) ? options : null;
}

/**
 * The Cluster of ioredis 4 to 6.
 *
 * @param {string} name
 * @param {Client} client
 * @returns {Reader}
 */
function ioredisCluster(name, client) {
  const { options, startupNodes } = client;
  if (!isObject(options))
    throw optionError(name, 'this cluster does not say where it connects to; pass { cluster } instead.');
  const read = () => {
    if (options.useSRVRecords) throw optionError(`${name}.useSRVRecords`, NO_SRV);
    const { lookup, map } = readWays(name, options);
    // Its `name` is that of a Sentinels' master.
    const common = { ...options.redisOptions, name: null, host: null, port: null, path: null };
    const entering = lookup === null ? common : { ...common, socket: { lookup } };
    const nodes = Array.isArray(startupNodes) ? startupNodes.map(asNode) : startupNodes;
    const parsed = readNodes(`${name}.startupNodes`, nodes, parseTaken);
    return clusterOf(name, parseTaken(`${name}.redisOptions`, entering), `${name}.startupNodes`, parsed, map);
  };
  return { options: { ...options.redisOptions, ...options }, read };
}

/**
 * A node as ioredis takes it: a port, a URL, which may have no scheme, or options.
 *
 * @param {unknown} node
 */
function asNode(node) {
  if (typeof node === 'number' || (typeof node === 'string' && /^\d+$/.test(node))) return { ...NEAR, port: node };
  if (typeof node === 'string') return node.includes('://') ? node : `redis://${node}`;
  return isObject(node) ? { ...NEAR, ...node, db: null, name: null } : node;
}

const NEAR = { host: '127.0.0.1' };

module.exports = { clientOfMany };
