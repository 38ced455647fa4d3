'use strict';

const { oneOf, readBounds, readWholeNumber } = require('../backplane/options');
const { optionError } = require('../errors');
const { isWholeNumber } = require('../values');

/** The options of `createAdapter` of `@socket.io/redis-streams-adapter`, and ours. */
const STREAM_OPTIONS = [
  'streamName',
  'streamCount',
  'maxLen',
  'readCount',
  'blockTimeInMs',
  'sessionKeyPrefix',
  'useShardedPubSub',
  'onlyPlaintext',
  'heartbeatInterval',
  'heartbeatTimeout',
  'persistSessions',
  'recovery',
];
const MAX_NUMBER = 2 ** 31 - 1;
/** Each may have a connection of its own. */
const MAX_STREAMS = 1024;
const MEBIBYTE = 1024 * 1024;
/** What one recovery may bring; of a session that has missed more, the client gets a new one. */
const RECOVERY = { packets: 10_000, bytes: 16 * MEBIBYTE };
/** When sessions are written. */
const PersistSessions = Object.freeze({ ON_DISCONNECT: 'on-disconnect', ALWAYS: 'always' });

/**
 * Checks the options that only adapters on streams have.
 * @param {Record<string, any>} options
 * @throws {TypeError} `ERR_INVALID_OPTION`, which names the option
 */
function readStreams(options) {
  const number = (/** @type {string} */ name, /** @type {number} */ byDefault, most = MAX_NUMBER) =>
    readWholeNumber(name, options[name] ?? byDefault, most);
  // As the official adapter has them, where they are without an effect too.
  number('heartbeatInterval', 5000);
  number('heartbeatTimeout', 10_000);
  return {
    streamName: readText(options, 'streamName', 'socket.io'),
    streamCount: number('streamCount', 1, MAX_STREAMS),
    maxLen: number('maxLen', 10_000),
    readCount: number('readCount', 100),
    blockTime: readBlockTime(options.blockTimeInMs ?? 5000),
    sessionKeyPrefix: readText(options, 'sessionKeyPrefix', 'sio:session:'),
    useShardedPubSub: readFlag(options, 'useShardedPubSub'),
    onlyPlaintext: readFlag(options, 'onlyPlaintext'),
    persistSessions: oneOf(
      'persistSessions',
      options.persistSessions ?? PersistSessions.ON_DISCONNECT,
      Object.values(PersistSessions),
    ),
    recovery: readBounds('recovery', options.recovery, RECOVERY),
  };
}

function readText(options, name, byDefault) {
  const value = options[name] ?? byDefault;
  if (typeof value === 'string') return value;
  throw optionError(name, 'it must be a string.');
}

function readFlag(options, name) {
  const value = options[name] ?? false;
  if (typeof value === 'boolean') return value;
  throw optionError(name, 'it must be true or false.');
}

/** 0 blocks for ever, as Redis has it. */
function readBlockTime(value) {
  if (isWholeNumber(value, 0, MAX_NUMBER)) return value;
  throw optionError('blockTimeInMs', `it must be a whole number from 0 to ${MAX_NUMBER}.`);
}

/**
 * The stream of a namespace, as the official adapter names it: the number behind the name may be negative there.
 * @param {{ streamName: string, streamCount: number }} options
 * @param {string} nsp the namespace's name
 */
function streamOf({ streamName, streamCount }, nsp) {
  return streamCount === 1 ? streamName : `${streamName}-${hashCode(nsp) % streamCount}`;
}

/** As in Java. */
function hashCode(text) {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (hash * 31 + text.charCodeAt(i)) | 0;
  return hash;
}

/** All streams that a namespace may have. @param {{ streamName: string, streamCount: number }} options */
function streamNames({ streamName, streamCount }) {
  if (streamCount === 1) return [streamName];
  const numbers = Array.from({ length: streamCount }, (_, i) => i);
  return [...numbers, ...numbers.slice(1).map((number) => -number)].map((number) => `${streamName}-${number}`);
}

module.exports = { PersistSessions, readStreams, streamNames, streamOf, STREAM_OPTIONS };
