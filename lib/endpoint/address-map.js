'use strict';

const net = require('node:net');

const { optionError } = require('../errors');
const { kindOf, readHost, readPort } = require('./values');
const { isGiven, isObject } = require('../values');

/** @typedef {import('.').Address} Address */
/** @typedef {import('.').AddressMap} AddressMap */

/** @type {WeakMap<object, number>} */
const ids = new WeakMap();
let lastId = 0;

/**
 * Reads where the addresses lead that Sentinels and clusters give: `natMap` of ioredis, `nodeAddressMap` of
 * redis, which are the same.
 *
 * @param {string} option the option's name, for errors
 * @param {unknown} value an object by `host:port`, or a function of that
 * @returns {AddressMap | null}
 */
function readAddressMap(option, value) {
  if (!isGiven(value)) return null;
  if (typeof value === 'function') return { id: idOf(value), entries: [], ask: asker(value) };
  if (!isObject(value)) {
    throw optionError(
      option,
      `pass an object such as { '10.0.0.1:6379': { host, port } }, or a function, not ${kindOf(value)}.`,
    );
  }
  const entries = Object.entries(value).map(([from, to]) => ({
    from: bracketed(from),
    ...readTarget(`${option}['${from}']`, to),
  }));
  return { id: idOf(value), entries, ask: null };
}

/** @param {object} map */
function idOf(map) {
  const id = ids.get(map) ?? ++lastId;
  ids.set(map, id);
  return id;
}

/**
 * @param {string} option
 * @param {unknown} value
 * @returns {Address}
 */
function readTarget(option, value) {
  if (!isObject(value)) throw optionError(option, `pass { host, port }, not ${kindOf(value)}.`);
  return { host: readHost(`${option}.host`, value.host), port: readPort(`${option}.port`, value.port) };
}

/**
 * Where it throws, or answers with what is no address, the address is taken as it is, as the clients do.
 * @param {Function} map
 * @returns {(address: string) => Promise<Address | null>}
 */
function asker(map) {
  return async (address) => {
    try {
      const target = await map(address.replace(/^\[(.*)\]:(\d+)$/, '$1:$2'));
      return isGiven(target) ? readTarget('natMap', target) : null;
    } catch {
      return null;
    }
  };
}

/**
 * The clients know an address of IPv6 without brackets.
 * @param {string} text `host:port`
 */
function bracketed(text) {
  const at = text.lastIndexOf(':');
  return net.isIPv6(text.slice(0, at)) ? `[${text.slice(0, at)}]${text.slice(at)}` : text;
}

module.exports = { readAddressMap };
