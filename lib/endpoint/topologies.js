'use strict';

const dns = require('node:dns');

const { readAddressMap } = require('./address-map');
const { clusterOf, masterOf } = require('./many');
const { MANY } = require('./names');
const { readLookup } = require('./preparation');
const { readTls } = require('./tls');
const { kindOf, readHost, readPort, readText } = require('./values');
const { optionError } = require('../errors');
const { isGiven, isObject, isPlainObject } = require('../values');

/** @typedef {import('.').Endpoint} Endpoint */
/** @typedef {Record<string, any>} Fields */
/** @typedef {(option: string, fields: Fields) => Endpoint} Parse reads the options of one server */

const SENTINEL_PORT = 26379;

/** Where one server stands, which has no say where there are many. */
const PLACE = ['host', 'port', 'path'];

const NAMED_BY = 'the connections lead to the master that the Sentinels name, to publish; leave it out.';

/**
 * Reads options that stand for many servers: our own `{ cluster, … }` and `{ sentinels, name, … }`, in which
 * the rest is as for one server, and those that `createCluster` and `createSentinel` of redis take.
 *
 * @param {string} name the option's name, for errors
 * @param {Fields} options
 * @param {Parse} parse
 * @returns {Endpoint | null} null when they stand for one
 */
function readMany(name, options, parse) {
  const kinds = ['cluster', 'rootNodes', 'sentinels', 'sentinelRootNodes'].filter((kind) => isGiven(options[kind]));
  const [kind, other] = kinds;
  if (kind === undefined) return null;
  if (other !== undefined) throw optionError(`${name}.${other}`, `it cannot be combined with ${kind}.`);
  if (kind === 'rootNodes') return readRedisCluster(name, options, parse);
  if (kind === 'sentinelRootNodes') return readRedisSentinel(name, options, parse);
  const rest = without(options, [...MANY, ...PLACE]);
  if (kind === 'sentinels') {
    const common = without(rest, ['name', 'sentinelTLS']);
    if (options.enableTLSForSentinelMode === false) common.tls = null;
    const given = { ...options, sentinelTLS: options.sentinelTls ?? options.sentinelTLS };
    return readSentinels(name, parse(name, common), given);
  }
  const { lookup, map } = readWays(name, options);
  const common = parse(name, lookup === null ? rest : { ...rest, socket: { ...rest.socket, lookup } });
  return clusterOf(name, common, `${name}.cluster`, readNodes(`${name}.cluster`, options.cluster, parse), map);
}

/**
 * Reads the options of redis' `createCluster`. What it does not say in `defaults` counts where all root nodes
 * say it.
 *
 * @param {string} name
 * @param {Fields} options
 * @param {Parse} parse
 */
function readRedisCluster(name, { rootNodes, defaults, nodeAddressMap }, parse) {
  const common = parse(`${name}.defaults`, withoutPlace(defaults));
  const nodes = readNodes(`${name}.rootNodes`, rootNodes, parse);
  return clusterOf(name, common, `${name}.rootNodes`, nodes, readAddressMap(`${name}.nodeAddressMap`, nodeAddressMap));
}

/**
 * Reads the options of redis' `createSentinel`.
 *
 * @param {string} name
 * @param {Fields} options
 * @param {Parse} parse
 */
function readRedisSentinel(name, options, parse) {
  const data = parse(`${name}.nodeClientOptions`, withoutPlace(options.nodeClientOptions));
  const own = parse(`${name}.sentinelClientOptions`, withoutPlace(options.sentinelClientOptions));
  if (own.preparation !== null) {
    throw optionError(
      `${name}.sentinelClientOptions`,
      'Sentinels are entered with a fixed user name and password; give these in place of functions.',
    );
  }
  const map = readAddressMap(`${name}.nodeAddressMap`, options.nodeAddressMap);
  const nodes = readAddresses(`${name}.sentinelRootNodes`, options.sentinelRootNodes);
  const { username, password, tls } = own;
  return masterOf(data, { nodes, name: readMaster(name, options.name), username, password, tls }, map);
}

/**
 * Reads what ioredis' options say of Sentinels.
 *
 * @param {string} name
 * @param {Endpoint} data how to enter the master
 * @param {Fields} options
 */
function readSentinels(name, data, options) {
  if (isGiven(options.role) && options.role !== 'master') throw optionError(`${name}.role`, NAMED_BY);
  const { sentinelTLS } = options;
  const text = (/** @type {string} */ field) =>
    isGiven(options[field]) ? readText(`${name}.${field}`, options[field]) || null : null;
  const sentinel = {
    nodes: readAddresses(`${name}.sentinels`, options.sentinels),
    name: readMaster(name, options.name),
    username: text('sentinelUsername'),
    password: text('sentinelPassword'),
    tls: sentinelTLS ? readTls(`${name}.sentinelTls`, isObject(sentinelTLS) ? sentinelTLS : {}) : null,
  };
  return masterOf(data, sentinel, readWays(name, options).map);
}

/**
 * @param {string} name
 * @param {unknown} value the name of a Sentinels' master
 */
function readMaster(name, value) {
  if (typeof value === 'string' && value !== '') return value;
  throw optionError(`${name}.name`, 'pass the name by which the Sentinels know the master, such as "mymaster".');
}

/**
 * How addresses become others.
 *
 * @param {string} name
 * @param {Fields} options
 */
function readWays(name, { dnsLookup, natMap, nodeAddressMap }) {
  const option = isGiven(natMap) ? 'natMap' : 'nodeAddressMap';
  return {
    lookup: readDnsLookup(`${name}.dnsLookup`, dnsLookup),
    map: readAddressMap(`${name}.${option}`, natMap ?? nodeAddressMap),
  };
}

/** @type {WeakMap<Function, Function>} */
const lookups = new WeakMap();

/**
 * Reads ioredis' `dnsLookup`, a `lookup` without options. Node's own is what happens anyway.
 *
 * @param {string} option
 * @param {unknown} value
 * @returns {Function | null}
 */
function readDnsLookup(option, value) {
  const found = readLookup(option, value);
  if (found === null || found === dns.lookup) return null;
  const lookup =
    lookups.get(found) ??
    ((/** @type {string} */ host, /** @type {unknown} */ _options, /** @type {Function} */ callback) =>
      found(host, callback));
  lookups.set(found, lookup);
  return lookup;
}

/**
 * @param {string} option
 * @param {unknown} value
 * @param {Parse} parse
 * @returns {Endpoint[]}
 */
function readNodes(option, value, parse) {
  return readList(option, value).map((node, index) => {
    const place = `${option}[${index}]`;
    if (typeof node === 'string' || node instanceof URL) return parse(place, { url: node });
    if (isPlainObject(node)) return parse(place, node);
    throw optionError(place, `a node is a URL or { host, port }, not ${kindOf(node)}.`);
  });
}

/**
 * @param {string} option
 * @param {unknown} value addresses of Sentinels
 * @returns {import('.').Address[]}
 */
function readAddresses(option, value) {
  return readList(option, value).map((node, index) => {
    const place = `${option}[${index}]`;
    if (!isObject(node)) throw optionError(place, `a Sentinel is { host, port }, not ${kindOf(node)}.`);
    return {
      host: readHost(`${place}.host`, node.host ?? 'localhost'),
      port: readPort(`${place}.port`, node.port ?? SENTINEL_PORT),
    };
  });
}

/**
 * @param {string} option
 * @param {unknown} value
 * @returns {unknown[]}
 */
function readList(option, value) {
  if (!Array.isArray(value)) throw optionError(option, `pass an array, not ${kindOf(value)}.`);
  if (value.length === 0) throw optionError(option, 'name at least one server.');
  return value;
}

/**
 * @param {unknown} fields a client's options, or nothing
 * @returns {Fields} without a place, the `socket`'s included
 */
function withoutPlace(fields) {
  if (!isObject(fields)) return {};
  const rest = without(fields, PLACE);
  return isObject(rest.socket) ? { ...rest, socket: without(rest.socket, PLACE) } : rest;
}

/**
 * @param {Fields} fields
 * @param {string[]} names
 * @returns {Fields}
 */
function without(fields, names) {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}

module.exports = { readMany, readNodes, readRedisCluster, readRedisSentinel, readSentinels, readWays };
