'use strict';

const { EventEmitter } = require('node:events');

const { optionError } = require('../errors');
const { nextTick } = require('../timers');
const { Fallback } = require('./fallback');
const { acceptance, clientInfo, protocolsOf, refusalOf, refuse } = require('./handshake');
const { isHandedOver, obstacleOf } = require('./node-socket');
const { readOptions } = require('./options');
const { socketsOf } = require('./sockets');
const { WebSocket } = require('./web-socket');

/** As in ws. */
const MAX_PAYLOAD = 100 * 1024 * 1024;

/**
 * The server that engine.io takes as `wsEngine`, in the place of ws's.
 * Events: `headers` (lines, request) before a handshake is accepted; `wsClientError` (error, socket, request) in the
 * place of the answer to a bad one; `close`; `error`, when a connection is refused since there is no ws for it.
 */
class WebSocketServer extends EventEmitter {
  #limits;
  #sockets;
  /** @type {'running' | 'closing' | 'closed'} */
  #state = 'running';
  /** Serves what the native side cannot. @type {InstanceType<typeof Fallback> | null} */
  #fallback = null;
  /** Whether the console has been warned that there is none. */
  #warned = false;
  #native = 0;
  #fallen = 0;
  /** @type {Record<string, number>} */
  #fallbacks = {};

  /** What {@link WebSocketServer.with} has bound. @type {Record<string, unknown>} */
  static settings = {};

  /**
   * The same class with options of its own, since engine.io is what makes its instances.
   * @param {Record<string, unknown>} options
   * @returns {typeof WebSocketServer}
   * @throws {TypeError} `ERR_INVALID_OPTION`
   */
  static with(options) {
    const settings = readOptions(options);
    return class extends WebSocketServer {
      static settings = settings;
    };
  }

  /**
   * @param {any} [options] those of ws
   * @throws {TypeError} `ERR_INVALID_OPTION`
   */
  constructor(options = {}) {
    super();
    for (const name of ['port', 'server']) {
      if (options[name]) throw optionError(name, 'it is for engine.io, which has the HTTP server: wsEngine.');
    }
    const { maxBufferedAmount, threads } = readOptions(/** @type {any} */ (new.target).settings);
    this.options = options;
    const { maxPayload = MAX_PAYLOAD } = options;
    this.#limits = { maxPayload: maxPayload > 0 ? Number(maxPayload) : 0, maxBufferedAmount };
    this.#sockets = socketsOf(threads);
    if (options.clientTracking ?? true) {
      /** The connections, unless the option `clientTracking` is false. @type {Set<any> | undefined} */
      this.clients = new Set();
    }
  }

  /**
   * Whether a request is for this server.
   * @param {import('node:http').IncomingMessage} req
   */
  shouldHandle({ url = '' }) {
    const { path } = this.options;
    return !path || url.split('?', 1)[0] === path;
  }

  /** As of a server of ws that has none of its own. */
  address() {
    throw new Error('The server is operating in "noServer" mode');
  }

  /**
   * Answers a request to upgrade.
   * @param {import('node:http').IncomingMessage} req
   * @param {any} socket
   * @param {Buffer} head
   * @param {(webSocket: any, req: import('node:http').IncomingMessage) => void} callback gets the connection
   * @throws {Error} when the socket has been upgraded already
   */
  handleUpgrade(req, socket, head, callback) {
    const reason = this.#reasonToFallBack(req, socket);
    if (reason !== undefined) return this.#fallBack(reason, req, socket, head, callback);
    socket.on('error', destroy);
    const refusal = refusalOf(req);
    if (refusal !== undefined) return this.#refuse(req, socket, refusal);
    if (!this.shouldHandle(req)) return refuse(socket, { status: 400 });
    const protocols = protocolsOf(req);
    if (protocols === null) {
      return this.#refuse(req, socket, { status: 400, message: 'Invalid Sec-WebSocket-Protocol header' });
    }
    this.#verify(req, socket, () => this.#complete(protocols, req, socket, head, callback));
  }

  #reasonToFallBack(req, socket) {
    if (isHandedOver(socket)) return undefined;
    // Whether one of the extensions that are offered can be had is for ws to say.
    const offers = this.options.perMessageDeflate && req.headers['sec-websocket-extensions'] !== undefined;
    return offers ? 'permessageDeflate' : obstacleOf(socket);
  }

  #refuse(req, socket, refusal) {
    if (this.listenerCount('wsClientError') === 0) return refuse(socket, refusal);
    this.emit('wsClientError', new Error(refusal.message), socket, req);
  }

  #verify(req, socket, accept) {
    const { verifyClient } = this.options;
    if (!verifyClient) return accept();
    if (verifyClient.length !== 2) {
      return verifyClient(clientInfo(req)) ? accept() : refuse(socket, { status: 401 });
    }
    const done = (/** @type {any} */ verified, status = 401, message = undefined, headers = undefined) =>
      verified ? accept() : refuse(socket, { status: status || 401, message: message || undefined, headers });
    verifyClient(clientInfo(req), done);
  }

  #complete(protocols, req, socket, head, callback) {
    if (!socket.readable || !socket.writable) return void socket.destroy();
    if (isHandedOver(socket)) {
      throw new Error(
        'server.handleUpgrade() was called more than once with the same socket, possibly due to a misconfiguration',
      );
    }
    if (this.#state !== 'running') return refuse(socket, { status: 503 });
    const protocol = this.#choose(protocols, req);
    const headers = acceptance(req, protocol);
    const { length } = headers;
    this.emit('headers', headers, req);
    const obstacle = obstacleOf(socket);
    const rest = obstacle ? head : this.#adopt(headers, protocol, req, socket, head, callback);
    if (rest === undefined) return;
    // ws makes its own of those before.
    this.#fallBack(obstacle ?? 'failed', req, socket, rest, callback, headers.slice(length));
  }

  /** @returns {string | undefined} */
  #choose(protocols, req) {
    if (protocols.size === 0) return undefined;
    const { handleProtocols } = this.options;
    return (handleProtocols ? handleProtocols(protocols, req) : [...protocols][0]) || undefined;
  }

  /** @returns {Buffer | undefined} nothing when it is done, otherwise what had been read */
  #adopt(headers, protocol, req, socket, head, callback) {
    const response = `${headers.join('\r\n')}\r\n\r\n`;
    const webSocket = new WebSocket(this.#sockets, socket, protocol ?? '');
    const end = (/** @type {Buffer | undefined} */ last) => (last ? webSocket.abort(last) : webSocket.terminate());
    const { id, rest } = this.#sockets.adopt(socket, head, response, this.#limits, end);
    if (rest !== undefined) return rest;
    this.#native++;
    webSocket.open(id, () => this.#native--);
    this.#track(webSocket);
    callback(webSocket, req);
    return undefined;
  }

  #track(webSocket) {
    const { clients } = this;
    if (clients === undefined) return;
    clients.add(webSocket);
    // Past its own `on`, which takes every listener for one of the application, and begins to read.
    EventEmitter.prototype.on.call(webSocket, 'close', () => {
      clients.delete(webSocket);
      if (this.#state === 'closing' && clients.size === 0) nextTick(() => this.#emitClose());
    });
  }

  /** @param {string[]} [added] headers, where the handshake has begun */
  #fallBack(reason, req, socket, head, callback, added) {
    try {
      this.#fallback ??= this.#createFallback();
    } catch (error) {
      return this.#refuseForGood(socket, error);
    }
    const accepted = (/** @type {any} */ webSocket) => {
      this.#fallbacks[reason] = (this.#fallbacks[reason] ?? 0) + 1;
      this.#fallen++;
      webSocket.once('close', () => this.#fallen--);
      this.#track(webSocket);
      callback(webSocket, req);
    };
    this.#fallback.handleUpgrade(req, socket, head, accepted, added);
  }

  #createFallback() {
    const fallback = new Fallback(this, this.options);
    if (this.#state !== 'running') fallback.close();
    return fallback;
  }

  #refuseForGood(socket, error) {
    socket.on('error', destroy);
    refuse(socket, { status: 503 });
    if (this.listenerCount('error') > 0) this.emit('error', error);
    else if (!this.#warned) console.warn(`[socket.io-redis-native] ${error.code}: ${error.message}`);
    this.#warned = true;
  }

  /**
   * Refuses further handshakes with 503. Connections stay: engine.io closes them.
   * @param {(error?: Error) => void} [callback] called with the event `close`: when the connections are gone, if they
   *   are tracked
   */
  close(callback) {
    if (this.#state === 'closed') {
      if (callback) this.once('close', () => callback(new Error('The server is not running')));
      return nextTick(() => this.#emitClose());
    }
    if (callback) this.once('close', callback);
    if (this.#state === 'closing') return;
    this.#state = 'closing';
    this.#fallback?.close();
    if (!this.clients?.size) nextTick(() => this.#emitClose());
  }

  #emitClose() {
    this.#state = 'closed';
    this.emit('close');
  }

  /** What there is of connections, and what has fallen back to ws, and why. */
  stats() {
    return {
      native: this.#native,
      ws: this.#fallen,
      fallbacks: { ...this.#fallbacks },
      ...this.#sockets.native.stats(),
    };
  }
}

/** @this {import('node:stream').Duplex} */
function destroy() {
  this.destroy();
}

module.exports = { WebSocketServer };
