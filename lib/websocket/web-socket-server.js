'use strict';

const { EventEmitter } = require('node:events');

const { createWsServer } = require('./fallback');
const { acceptance, protocolsOf, refusalOf, refuse } = require('./handshake');
const { handOver, obstacleOf } = require('./node-socket');
const { readOptions } = require('./options');
const { socketsOf } = require('./sockets');
const { WebSocket } = require('./web-socket');
const { nextTick } = require('../timers');

/** What ws offers to compress with. */
const DEFLATE = /(^|,)\s*permessage-deflate\s*(;|,|$)/;

/**
 * The server that engine.io takes as `wsEngine`, in the place of ws's.
 * Events: `headers` (lines, request) before each handshake is accepted; `close`.
 */
class WebSocketServer extends EventEmitter {
  #options;
  #limits;
  #sockets;
  #closed = false;
  /** Serves what the native side cannot. @type {any} */
  #ws = null;
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

  /** @param {any} [options] those of ws */
  constructor(options = {}) {
    super();
    const { maxBufferedAmount, threads } = /** @type {any} */ (readOptions(/** @type {any} */ (new.target).settings));
    this.#options = options;
    this.#limits = { maxPayload: options.maxPayload ?? 100 * 1024 * 1024, maxBufferedAmount };
    this.#sockets = socketsOf(threads);
  }

  /**
   * Whether a request is for this server.
   * @param {import('node:http').IncomingMessage} req
   */
  shouldHandle({ url = '' }) {
    const { path } = this.#options;
    return !path || url.split('?', 1)[0] === path;
  }

  /**
   * Answers a request to upgrade.
   * @param {import('node:http').IncomingMessage} req
   * @param {any} socket
   * @param {Buffer} head
   * @param {(webSocket: any, req: import('node:http').IncomingMessage) => void} callback gets the connection
   */
  handleUpgrade(req, socket, head, callback) {
    const obstacle = this.#compresses(req) ? 'permessageDeflate' : obstacleOf(socket);
    if (obstacle !== undefined) return this.#fallBack(obstacle, req, socket, head, callback);
    const refusal = refusalOf(req) ?? (this.shouldHandle(req) ? undefined : { status: 400, message: 'Bad Request' });
    if (refusal !== undefined) return refuse(socket, refusal);
    if (this.#closed) return refuse(socket, { status: 503, message: 'Service Unavailable' });
    if (!socket.readable || !socket.writable) return void socket.destroy();
    const [protocol] = /** @type {Set<string>} */ (protocolsOf(req));
    const headers = acceptance(req, protocol);
    this.emit('headers', headers, req);
    const webSocket = new WebSocket(this.#sockets, socket, protocol ?? '');
    const response = headers.concat('\r\n').join('\r\n');
    let id = 0;
    const adopt = (/** @type {number} */ descriptor, /** @type {Buffer} */ read) => {
      id = this.#sockets.native.adopt(descriptor, read, response, this.#limits);
    };
    const release = handOver(socket, head, adopt, () => webSocket.terminate());
    this.#native++;
    webSocket.open(id, () => {
      this.#native--;
      release();
    });
    callback(webSocket, req);
  }

  /** Whether ws would compress. */
  #compresses(req) {
    return Boolean(this.#options.perMessageDeflate) && DEFLATE.test(req.headers['sec-websocket-extensions'] ?? '');
  }

  #fallBack(reason, req, socket, head, callback) {
    this.#fallbacks[reason] = (this.#fallbacks[reason] ?? 0) + 1;
    if (this.#ws === null) {
      this.#ws = createWsServer({ ...this.#options, noServer: true });
      this.#ws.on('headers', (/** @type {any[]} */ ...args) => this.emit('headers', ...args));
      if (this.#closed) this.#ws.close();
    }
    this.#ws.handleUpgrade(req, socket, head, (/** @type {any} */ webSocket) => {
      this.#fallen++;
      webSocket.once('close', () => this.#fallen--);
      callback(webSocket, req);
    });
  }

  /**
   * Refuses further handshakes. Connections stay: engine.io closes them.
   * @param {(error?: Error) => void} [callback]
   */
  close(callback) {
    if (callback) this.once('close', callback);
    if (this.#closed) return;
    this.#closed = true;
    this.#ws?.close();
    nextTick(() => this.emit('close'));
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

module.exports = { WebSocketServer };
