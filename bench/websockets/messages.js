'use strict';

const { broadcastOf, EVENT } = require('../adapter-messages');
const { SEQUENCE, sequenceOf, TIME, timeNow } = require('../timestamp');

/** Bytes of a message as a WebSocket carries it. */
const BYTES = 200;

/** The rooms: of many, of a few, and of one that is written to alone. */
const CROWD = 'crowd';
const FEW = 'few';
const ONE = 'one';

/** One kind of message for each way to a client; a client sees the messages of a kind numbered from one. */
const KINDS = { broadcast: 'b', few: 'f', unicast: 'u', up: 'c' };

/**
 * An event's data, which has the kind, the number and the time at places that are the same in all messages.
 * @param {string} kind
 * @param {string} sequence
 * @param {string} sent
 */
function dataOf(kind, sequence, sent) {
  return { kind, sequence, sent, text: TEXT };
}

/** @param {object} data */
function packetOf(data) {
  return `42${JSON.stringify([EVENT, data])}`;
}

const EMPTY = packetOf({ kind: 'k', sequence: SEQUENCE, sent: TIME, text: '' });
const TEXT = 'x'.repeat(BYTES - EMPTY.length);

/** Where in a packet they are. */
const KIND_AT = EMPTY.indexOf('"k"') + 1;
const SEQUENCE_AT = EMPTY.indexOf(SEQUENCE);
const TIME_AT = EMPTY.indexOf(TIME);

/** The data of a message that is sent now. @param {string} kind @param {number} number */
function dataNow(kind, number) {
  return dataOf(kind, sequenceOf(number), timeNow());
}

/**
 * A broadcast of another server, without its number and time.
 * @param {string} room
 * @param {string} kind
 */
function publicationOf(room, kind) {
  return broadcastOf(room, dataOf(kind, SEQUENCE, TIME));
}

module.exports = {
  BYTES,
  CROWD,
  dataNow,
  dataOf,
  FEW,
  KIND_AT,
  KINDS,
  ONE,
  packetOf,
  publicationOf,
  SEQUENCE_AT,
  TEXT,
  TIME_AT,
};
