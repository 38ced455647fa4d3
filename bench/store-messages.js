'use strict';

/** The room with the one transport, and the id of the server under test; `store-server.js` knows the same. */
const ROOM = '/bench';
const NODE_ID = 4711;

/**
 * An event packet of about `bytes` bytes, as 0.9 encodes one.
 * @param {number} bytes
 */
function packetOf(bytes) {
  const packet = (text) => `5::${ROOM}:${JSON.stringify({ name: 'message', args: [{ user: 'somebody', text }] })}`;
  return packet('x'.repeat(Math.max(0, bytes - packet('').length)));
}

/**
 * What a node publishes on `dispatch`.
 * @param {string} packet
 * @param {number} [nodeId] default: another node's
 */
function dispatchOf(packet, nodeId = 1) {
  return JSON.stringify({ nodeId, args: [ROOM, packet, false, []] });
}

module.exports = { dispatchOf, NODE_ID, packetOf, ROOM };
