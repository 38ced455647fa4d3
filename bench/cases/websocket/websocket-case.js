'use strict';

const { WEBSOCKET_FAMILY } = require('../../websockets/engines');
const { WebSockets } = require('../../websockets/fixture');
const { CROWD } = require('../../websockets/messages');
const { defineCase } = require('../case');

/** How many clients a quick run has at the most. */
const QUICK = 50;

/**
 * A case with `clients` real WebSockets in a room; in a quick run only some.
 * @param {{ clients: number } & Record<string, any>} fields
 */
function websocketCase({ clients, ...fields }) {
  return defineCase({
    family: WEBSOCKET_FAMILY,
    open: async (name, { quick }) => {
      const sockets = await WebSockets.open(name, { rooms: { [CROWD]: quick ? Math.min(clients, QUICK) : clients } });
      return sockets.connect();
    },
    ...fields,
  });
}

/** A number of clients, to be read. @param {number} count */
function many(count) {
  return count.toLocaleString('en');
}

module.exports = { many, QUICK, websocketCase };
