'use strict';

/** The `ws` of the application's engine.io, for connections that the native side cannot have. */

const { folders, requireFrom } = require('../on-disk');

/** The ways from an application to the ws of its engine.io. */
const WAYS = [['socket.io', 'engine.io'], ['engine.io'], []];

/** @returns {any} the module, or nothing where there is none */
function findWs() {
  for (const folder of folders()) {
    for (const way of WAYS) {
      const ws = requireFrom(folder, 'ws', ...way);
      if (ws?.WebSocketServer) return ws;
    }
  }
  return undefined;
}

/** A server of ws, in the name of ours. */
class Fallback {
  #owner;
  #server;
  /** The headers that listeners have added to handshakes which ours has begun. @type {WeakMap<object, string[]>} */
  #begun = new WeakMap();

  /**
   * @param {import('node:events').EventEmitter} owner emits the events
   * @param {any} options as engine.io passes them
   * @throws {Error} `ERR_WS_MISSING`
   */
  constructor(owner, options) {
    const ws = findWs();
    if (ws === undefined) throw missing();
    this.#owner = owner;
    const verifyClient = this.#once(options.verifyClient);
    this.#server = new ws.WebSocketServer({ ...options, noServer: true, clientTracking: false, verifyClient });
    this.#server.on('headers', (/** @type {string[]} */ headers, /** @type {any} */ req) => {
      const added = this.#begun.get(req);
      if (added === undefined) owner.emit('headers', headers, req);
      else headers.push(...added);
    });
  }

  /** The application's check, of which a handshake that ours has begun has passed. */
  #once(verifyClient) {
    if (!verifyClient) return null;
    const passed = (/** @type {any} */ info) => this.#begun.has(info.req);
    // ws tells by the length whether there is a callback.
    return verifyClient.length === 2
      ? (/** @type {any} */ info, /** @type {any} */ done) => (passed(info) ? done(true) : verifyClient(info, done))
      : (/** @type {any} */ info) => passed(info) || verifyClient(info);
  }

  /** The same as of the server of ws. @param {string[]} [added] headers, where ours has begun the handshake */
  handleUpgrade(req, socket, head, callback, added) {
    if (added !== undefined) this.#begun.set(req, added);
    this.#server.removeAllListeners('wsClientError');
    // ws answers by itself where nobody listens.
    if (this.#owner.listenerCount('wsClientError') > 0) {
      this.#server.on('wsClientError', (/** @type {any[]} */ ...args) => this.#owner.emit('wsClientError', ...args));
    }
    this.#server.handleUpgrade(req, socket, head, callback);
  }

  close() {
    this.#server.close();
  }
}

function missing() {
  const message =
    'WebSockets that cannot be native are refused: the ws of engine.io, which would serve them, is not found (npm install ws)';
  return Object.assign(new Error(message), { code: 'ERR_WS_MISSING' });
}

module.exports = { Fallback };
