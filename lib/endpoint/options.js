'use strict';

const { optionError, unknownOption } = require('../errors');
const { NAMES, readIdentity } = require('./identity');
const { clusterOf, ONE_SERVER } = require('./many');
const { ALIASES, IGNORED, MANY, PREFIXES, REFUSED, SOCKET_IGNORED } = require('./names');
const { preparationOf, readLookup, readProvider } = require('./preparation');
const { readTls, TLS_NAMES } = require('./tls');
const { readMany, readNodes } = require('./topologies');
const { parseUrl } = require('./url');
const { DEFAULT_HOST, DEFAULT_PORT, kindOf, readDb, readHost, readPath, readPort, readText } = require('./values');
const { isGiven, isPlainObject } = require('../values');

/** @typedef {import('.').Endpoint} Endpoint */
/** @typedef {Record<string, any>} Fields */
/** @typedef {[prefix: string, fields: Fields][]} Sources the places where a field may stand, the strongest first */

const ADDRESS = ['host', 'port', 'path'];
const IS_IGNORED = new Set([...IGNORED, ...SOCKET_IGNORED]);
/** Those of one server. */
const SERVER_NAMES = new Set([
  ...ADDRESS,
  ...Object.values(ALIASES).flat(),
  ...PREFIXES,
  ...NAMES,
  'clientInfoTag',
  'credentials',
  'credentialsProvider',
  'disableClientInfo',
  'socket',
  'tls',
  'url',
  ...IGNORED,
]);
const OPTION_NAMES = new Set([...SERVER_NAMES, ...MANY]);
const TLS_OBJECT_NAMES = new Set([...ADDRESS, 'lookup', ...TLS_NAMES, ...SOCKET_IGNORED]);
const SOCKET_NAMES = new Set(['tls', ...TLS_OBJECT_NAMES]);

/**
 * Reads an options object: of one server, of a cluster, or of Sentinels.
 *
 * @param {string} name the option's name, for errors
 * @param {Fields} options a plain object; it is read now and not kept
 * @returns {Endpoint}
 */
function parseOptions(name, options) {
  checkNames(name, options, OPTION_NAMES);
  const many = readMany(name, options, parseServer);
  return (
    many ??
    parseServer(
      name,
      without(options, (field) => MANY.includes(field)),
    )
  );
}

/**
 * Reads the options of a server that a client has taken: it does not check their names.
 *
 * @param {string} name
 * @param {Fields} options
 * @returns {Endpoint}
 */
function parseTaken(name, options) {
  const known = without(options, (field) => !SERVER_NAMES.has(field));
  if (isPlainObject(known.socket)) known.socket = without(known.socket, (field) => !SOCKET_NAMES.has(field));
  if (isPlainObject(known.tls)) known.tls = without(known.tls, (field) => !TLS_OBJECT_NAMES.has(field));
  return parseServer(name, known);
}

/**
 * @param {Fields} fields
 * @param {(name: string) => boolean} isOut
 * @returns {Fields}
 */
function without(fields, isOut) {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !isOut(name)));
}

/**
 * Reads the nodes of a cluster that are all that is known of it.
 *
 * @param {string} name the option's name, for errors
 * @param {unknown[]} nodes URLs, or options of one server
 * @returns {Endpoint}
 */
function parseNodes(name, nodes) {
  const parsed = readNodes(name, nodes, parseServer);
  return clusterOf(name, parseServer(name, {}), name, parsed, null);
}

/**
 * Reads the options of one server, with the names that the clients' own options have:
 * `host`, `port`, `path`, `username`, `password`, `db`, `tls`, `url`, redis 4's `socket`,
 * and their aliases. A field beats the same field of `url`; a path beats host and
 * port. `null` counts as not given, as in ioredis' defaults.
 *
 * @param {string} name the option's name, for errors
 * @param {Fields} options a plain object; it is read now and not kept
 * @returns {Endpoint}
 */
function parseServer(name, options) {
  checkNames(name, options, SERVER_NAMES);
  const socket = subObject(`${name}.socket`, options.socket, SOCKET_NAMES);
  const url = isGiven(options.url) ? parseUrl(`${name}.url`, options.url) : null;
  const tls = readSwitch(name, options, socket);

  /** @type {Sources} */
  const top = [[name, options]];
  /** @type {Sources} */
  const places = [...top, [`${name}.socket`, socket], [`${name}.tls`, tls.fields]];
  const given = pick(places, ['host'], readHost);
  const host = given ?? url?.host ?? DEFAULT_HOST;
  const provider = readProvider(name, options);
  return {
    host,
    port: pick(places, ['port'], readPort) ?? url?.port ?? DEFAULT_PORT,
    path: pick(places, ['path'], readPath) ?? (given === undefined && url !== null ? url.path : null),
    username: (pick(top, ALIASES.username, readText) ?? url?.username) || null,
    password: (pick(top, ALIASES.password, readText) ?? url?.password) || null,
    db: pick(top, ALIASES.db, readDb) ?? url?.db ?? 0,
    tls: (tls.on ?? (url !== null && url.tls !== null)) ? readTls(tls.option, tls.material) : null,
    ...readIdentity(name, { ...options, name: options.name ?? url?.name }),
    preparation: preparationOf(provider, pick(places.slice(1), ['lookup'], readLookup) ?? null, host),
    ...ONE_SERVER,
  };
}

/**
 * Finds out whether TLS is asked for and where its files stand: in a `tls` object
 * (redis 2 and 3, ioredis), or beside `socket.tls` (redis 4 and later).
 *
 * @param {string} name
 * @param {Fields} options
 * @param {Fields} socket
 * @returns {{ on: boolean|undefined, option: string, material: Fields, fields: Fields }}
 *   `on` is undefined when the URL decides; `fields` may hold an address as well
 */
function readSwitch(name, options, socket) {
  const option = isGiven(options.tls) ? `${name}.tls` : `${name}.socket.tls`;
  const value = options.tls ?? socket.tls ?? undefined;
  if (value === undefined || typeof value === 'boolean') {
    return { on: value, option: `${name}.socket`, material: socket, fields: {} };
  }
  const fields = subObject(option, value, TLS_OBJECT_NAMES);
  return { on: true, option, material: fields, fields };
}

/**
 * Reads a field under each of its names in each of its places, so that a bad one
 * is never overlooked, and returns the first that was given.
 *
 * @template T
 * @param {Sources} sources
 * @param {string[]} names
 * @param {(option: string, value: unknown) => T} read
 * @returns {T|undefined}
 */
function pick(sources, names, read) {
  const found = sources.flatMap(([prefix, fields]) =>
    names.filter((name) => isGiven(fields[name])).map((name) => read(`${prefix}.${name}`, fields[name])),
  );
  return found[0];
}

/**
 * @param {string} option
 * @param {unknown} value
 * @param {Set<string>} known
 * @returns {Fields} an empty one when nothing is given
 */
function subObject(option, value, known) {
  if (!isGiven(value)) return {};
  if (!isPlainObject(value)) throw optionError(option, `pass an options object, not ${kindOf(value)}.`);
  checkNames(option, value, known);
  return value;
}

/**
 * @param {string} option
 * @param {Fields} fields
 * @param {Set<string>} known
 */
function checkNames(option, fields, known) {
  for (const name of Object.keys(fields)) {
    if (known.has(name)) continue;
    const advice = REFUSED.get(name);
    if (advice === undefined) {
      const [ignored, read] = [true, false].map((way) => [...known].filter((each) => IS_IGNORED.has(each) === way));
      throw unknownOption(`${option}.${name}`, read ?? [], ignored);
    }
    if (isGiven(fields[name]) && fields[name] !== '') throw optionError(`${option}.${name}`, advice);
  }
}

/**
 * Whether this is the name of an option of endpoints.
 * @param {string} name
 */
function isEndpointOption(name) {
  return OPTION_NAMES.has(name) || REFUSED.has(name);
}

module.exports = { isEndpointOption, OPTION_NAMES, parseNodes, parseOptions, parseTaken };
