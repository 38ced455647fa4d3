'use strict';

/**
 * The messages by which servers of Socket.IO 0.9 know of each other's clients. Its manager uses what they say
 * as keys of plain objects and calls what it finds there, so what no server sends ends the process, or changes
 * the prototype of all objects. The checks refuse that, and nothing that the manager could take.
 */

/** What every object inherits cannot be told from what has been put there. */
const OBJECT = {};
/** The manager keeps connections by their clients' ids as properties of a function. */
const FUNCTION = function () {};
/** A session is a dozen digits and letters, an event has a handful of arguments; `apply` takes some 100,000. */
const MAX_ARGS = 10_000;

/**
 * @typedef {object} Manager what of 0.9's manager is looked at
 * @property {Record<string, object>} handshaken
 * @property {Record<string, object>} namespaces
 */

/** @param {unknown} value @param {object} [holder] where it is to be a key */
function isKey(value, holder = OBJECT) {
  return (typeof value === 'string' || typeof value === 'number') && !(value in holder);
}

/** Whether a value can be the id of a client. @param {unknown} value */
function isId(value) {
  return isKey(value, FUNCTION);
}

function isPrimitive(value) {
  return typeof value !== 'object' || value === null;
}

function isHandshake(data) {
  return !isPrimitive(data) && isPrimitive(data.issued);
}

function isTooLong(args) {
  return Array.isArray(args) && args.length > MAX_ARGS;
}

function isArguments(args) {
  return args === undefined || args === null || (Array.isArray(args) && !isTooLong(args));
}

/** Whether what matters for the type of a packet is right; there is nothing that does for most. */
function isRightForType({ type, name, ackId, args }) {
  // What is no list is one argument.
  if (type === 'event') return isPrimitive(name) && !isTooLong(args);
  if (type === 'ack') return (ackId === undefined || isKey(ackId)) && isArguments(args);
  return true;
}

/**
 * Whether a packet of a client that hangs on another server can be handled.
 * @param {unknown} id
 * @param {any} packet
 * @param {Manager} manager
 */
function isClientPacket(id, packet, { handshaken, namespaces }) {
  if (!isId(id) || isPrimitive(packet) || !isPrimitive(packet.endpoint)) return false;
  const { endpoint } = packet;
  if (String(endpoint) in OBJECT) return false;
  // Without it, the manager would make a socket for a client that is nowhere, with a handshake that is nothing.
  if (Object.hasOwn(namespaces, endpoint) && !Object.hasOwn(handshaken, /** @type {string} */ (id))) return false;
  if (!isPrimitive(packet.ack) || !isPrimitive(packet.id)) return false;
  return isRightForType(packet);
}

/** Ids of which a dispatch names more are found by their place. */
const MANY = 32;

/**
 * The same ids, which the manager looks through for each client of a room.
 * @param {unknown[]} ids
 */
function searchable(ids) {
  if (ids.length <= MANY) return ids;
  const places = new Map();
  ids.forEach((id, place) => places.has(id) || places.set(id, place));
  const { length } = ids;
  const indexOf = (/** @type {[unknown, number?]} */ ...args) =>
    args.length === 1 && ids.length === length
      ? (places.get(args[0]) ?? -1)
      : Array.prototype.indexOf.apply(ids, /** @type {any} */ (args));
  return Object.defineProperty(ids, 'indexOf', { value: indexOf });
}

function isDispatch(room, packet, exceptions) {
  return typeof room === 'string' && typeof packet === 'string' && Array.isArray(exceptions);
}

const ofClient = (/** @type {any[]} */ [id]) => isId(id);
const ofRoom = (/** @type {any[]} */ [id, room]) => isId(id) && isKey(room);

/** By channel: whether the manager can take a message. @type {Record<string, (args: any[], manager: Manager) => boolean>} */
const CHECKS = {
  handshake: ([id, data]) => isId(id) && isHandshake(data),
  connect: ofClient,
  open: ofClient,
  join: ofRoom,
  leave: ofRoom,
  close: ofClient,
  dispatch: ([room, packet, , exceptions]) => isDispatch(room, packet, exceptions),
  disconnect: ofClient,
  'message-remote': ([id, packet], manager) => isClientPacket(id, packet, manager),
  'disconnect-remote': ofClient,
  'dispatch-remote': ([id, packet]) => isId(id) && typeof packet === 'string',
  'heartbeat-clear': ofClient,
  'disconnect-force': ofClient,
};

/**
 * A consumer that is called with what 0.9's manager can take alone, where the channel is one of its own and
 * the store has a manager.
 * @param {{ manager: unknown }} store
 * @param {string} channel
 * @param {(...args: any[]) => void} consumer
 * @param {() => void} malformed called for any other message
 * @returns {(...args: any[]) => void}
 */
function guarded(store, channel, consumer, malformed) {
  if (!Object.hasOwn(CHECKS, channel)) return consumer;
  const check = CHECKS[channel];
  const guard = (/** @type {any[]} */ ...args) => {
    const { manager } = store;
    if (manager && !check(args, /** @type {Manager} */ (manager))) return malformed();
    if (channel === 'dispatch' && Array.isArray(args[3])) args[3] = searchable(args[3]);
    consumer.apply(null, args);
  };
  return channel === 'dispatch' ? guardedDispatch(consumer, guard) : guard;
}

/** Most messages are these, and an array of their arguments would cost as much as the rest. */
function guardedDispatch(consumer, guard) {
  return function (
    /** @type {any} */ room,
    /** @type {any} */ packet,
    /** @type {any} */ volatile,
    /** @type {any} */ exceptions,
  ) {
    const isUsual = arguments.length === 4 && isDispatch(room, packet, exceptions) && exceptions.length <= MANY;
    if (isUsual) consumer(room, packet, volatile, exceptions);
    else guard.apply(null, /** @type {any} */ (arguments));
  };
}

module.exports = { guarded, MAX_ARGS };
