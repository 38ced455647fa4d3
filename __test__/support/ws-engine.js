'use strict';

/**
 * What serves the WebSockets of the Socket.IO 4 servers in tests. With `WS_ENGINE=native` it is this package's
 * `WebSocketServer`, so that suites that know nothing of it run with native sockets.
 */

const { once } = require('node:events');

/** @returns {{ wsEngine?: any }} options of Socket.IO's */
function engineOptions() {
  return process.env.WS_ENGINE === 'native' ? { wsEngine: require('../../index.js').WebSocketServer } : {};
}

/** Resolves once a connection is closed. @param {any} conn a socket of engine.io */
async function closed(conn) {
  if (conn.readyState !== 'closed') await once(conn, 'close');
}

module.exports = { closed, engineOptions };
