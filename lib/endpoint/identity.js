'use strict';

const { optionError } = require('../errors');
const { isGiven } = require('../values');
const { readText } = require('./values');

/** @typedef {Pick<import('.').Endpoint, 'name' | 'library'>} Identity */

const LIBRARY = 'socket.io-redis-native';

/** What a connection's name is called: `clientName` here, `connectionName` by ioredis, `name` by redis 4 to 6. */
const NAMES = ['clientName', 'connectionName', 'name'];

/**
 * What connections say of themselves: their name (`CLIENT SETNAME`), and this package's (`CLIENT SETINFO`,
 * to which Rust adds the version), unless `disableClientInfo`; with the `clientInfoTag` behind it, as the clients have it.
 *
 * @param {string} option the option's name, for errors
 * @param {Record<string, any>} fields a client's options
 * @returns {Identity}
 */
function readIdentity(option, fields) {
  const name = NAMES.find((one) => isGiven(fields[one]) && fields[one] !== '');
  const tag = isGiven(fields.clientInfoTag) ? `(${readWord(`${option}.clientInfoTag`, fields.clientInfoTag)})` : '';
  return {
    name: name === undefined ? null : readWord(`${option}.${name}`, fields[name]),
    library: fields.disableClientInfo === true ? null : `${LIBRARY}${tag}`,
  };
}

/**
 * Redis takes neither spaces nor control characters.
 *
 * @param {string} option
 * @param {unknown} value
 */
function readWord(option, value) {
  const text = readText(option, value);
  if (/^[!-~]*$/.test(text)) return text;
  throw optionError(option, 'Redis takes only ASCII without spaces there.');
}

module.exports = { NAMES, readIdentity };
