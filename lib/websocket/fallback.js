'use strict';

/** The `ws` that the application's engine.io depends on, for connections that the native side cannot have. */

const { folders, requireFrom } = require('../on-disk');

/** The ways from an application to the ws of its engine.io. */
const WAYS = [
  ['socket.io', 'engine.io'],
  ['engine.io', undefined],
  [undefined, undefined],
];

/** @returns {any} the module, or nothing where there is none */
function findWs() {
  for (const folder of folders()) {
    for (const [through, further] of WAYS) {
      const ws = requireFrom(folder, 'ws', through, further);
      if (ws?.WebSocketServer) return ws;
    }
  }
  return undefined;
}

/**
 * A server of ws.
 * @param {any} options as engine.io passes them
 * @returns {any}
 * @throws {Error} `ERR_WS_MISSING`
 */
function createWsServer(options) {
  const ws = findWs();
  if (ws === undefined) {
    throw Object.assign(
      new Error('A connection that only ws can serve has come, and the ws of engine.io is not found: npm install ws'),
      { code: 'ERR_WS_MISSING' },
    );
  }
  return new ws.WebSocketServer(options);
}

module.exports = { createWsServer };
