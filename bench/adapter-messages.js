'use strict';

const notepack = require('notepack.io');

/** The room whose sockets are counted, and one whose only socket ends a round. */
const ROOM = 'bench';
const END_ROOM = 'end';

const EVENT = 'message';

/** What an adapter subscribes to. */
const PATTERN = 'socket.io#/#*';

/** @param {string} room */
function channelOf(room) {
  return `socket.io#/#${room}#`;
}

/**
 * An event's data of about `bytes` bytes of JSON.
 * @param {number} bytes
 * @returns {Record<string, unknown>}
 */
function dataOf(bytes) {
  const data = (text) => ({ user: 'somebody', sequence: 0, text });
  return data('x'.repeat(Math.max(0, bytes - JSON.stringify([EVENT, data('')]).length)));
}

/**
 * A broadcast as another node's adapter publishes it.
 * @param {string} room
 * @param {object} data of the event
 * @returns {{ channel: string, payload: Buffer }}
 */
function broadcastOf(room, data) {
  const packet = { type: 2, data: [EVENT, data], nsp: '/' };
  const payload = notepack.encode(['other1', packet, { rooms: [room], except: [], flags: {} }]);
  return { channel: channelOf(room), payload };
}

/**
 * The same as another node's sharded adapter publishes it, on the namespace's channel, which all servers hear.
 * @param {string} room
 * @param {object} data of the event
 * @returns {{ command: string, channel: string, payload: Buffer }}
 */
function shardedBroadcastOf(room, data) {
  const packet = { type: 2, data: [EVENT, data] };
  const opts = { rooms: [room], except: [], flags: {} };
  const message = { type: 3, data: { packet, opts }, uid: 'other1', nsp: '/' };
  return { command: 'SPUBLISH', channel: 'socket.io#/#', payload: Buffer.from(JSON.stringify(message)) };
}

/** The stream of an adapter for streams, and who has added to it what another server has. */
const STREAM = 'socket.io';
const STRANGER = 'other1';
/** More than are under way: what was not read yet must not be dropped. */
const MAX_LENGTH = 100_000;

/**
 * The same as another node's adapter adds it to the stream.
 * @param {string} room
 * @param {object} data of the event
 * @returns {{ command: string, args: (string | number)[], payload: Buffer }}
 */
function entryOf(room, data) {
  const packet = { type: 2, data: [EVENT, data] };
  const opts = { rooms: [room], except: [], flags: {} };
  const fields = ['uid', STRANGER, 'nsp', '/', 'type', 3, 'data'];
  return {
    command: 'XADD',
    args: [STREAM, 'MAXLEN', '~', MAX_LENGTH, '*', ...fields],
    payload: Buffer.from(JSON.stringify({ packet, opts })),
  };
}

/** A response to a request of another server, as all servers get it. */
const RESPONSE = {
  channel: 'socket.io-response#/#',
  payload: Buffer.from(JSON.stringify({ requestId: 'another', uid: 'other1', sockets: [] })),
};

/** The last message of a round. */
const END = broadcastOf(END_ROOM, {});

module.exports = {
  broadcastOf,
  channelOf,
  dataOf,
  END,
  END_ROOM,
  entryOf,
  EVENT,
  PATTERN,
  RESPONSE,
  ROOM,
  shardedBroadcastOf,
  STRANGER,
  STREAM,
};
