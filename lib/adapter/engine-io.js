'use strict';

/**
 * The one file that knows what is inside engine.io's sockets and transports where these are native: how they
 * write, and who sees that, listeners of Socket.IO's sockets too.
 *
 * A native transport is always writable to its socket, whose buffer stays empty: all that is written goes
 * into the one queue that the native side has for the connection, in the order of the calls. Only what asks
 * whether it may write at all, as volatile packets do, learns how full that queue is.
 */

const { idOf } = require('../websocket/web-socket');
const { WebSocketServer } = require('../websocket/web-socket-server');

/** Whose listeners see what is written: of a socket of engine.io, and of its server. */
const SEEN_BY_SOCKET = ['packetCreate', 'flush', 'drain'];
const SEEN_BY_SERVER = ['flush', 'drain'];

/** By the socket of engine.io. @type {WeakMap<object, Engine>} */
const engines = new WeakMap();
/** The servers whose listeners are watched. @type {WeakSet<object>} */
const watchedServers = new WeakSet();

/**
 * A socket of engine.io whose transport is native, or may become so.
 *
 * `connection` is the number of its native connection as long as broadcasts may be written there without
 * engine.io; else 0.
 */
class Engine {
  #conn;
  /** The transport whose writing is native. @type {any} */
  #native = null;
  /** The transport that has to finish what it writes. @type {any} */
  #busy = null;
  /** @type {Set<() => void>} */
  #callbacks = new Set();
  #update = () => this.#become(this.#isSeen() ? 0 : this.#adopt());
  #onNewListener = (/** @type {any} */ event) => {
    if (SEEN_BY_SOCKET.includes(event)) this.#become(0);
  };
  #onRemoveListener = (/** @type {any} */ event) => {
    if (SEEN_BY_SOCKET.includes(event)) this.#update();
  };
  #onDrain = () => {
    const transport = this.#busy;
    this.#busy = null;
    if (transport === this.#conn.transport) this.#hook(transport);
    this.#update();
  };

  /** @param {any} conn */
  constructor(conn) {
    this.#conn = conn;
    this.connection = 0;
    /** How many changes the connection waits for before it writes broadcasts of other servers. */
    this.holds = 0;
    conn.on('upgrade', this.#update);
    conn.on('newListener', this.#onNewListener);
    conn.on('removeListener', this.#onRemoveListener);
    this.#update();
  }

  /** Calls back when `connection` has changed. @param {() => void} callback */
  onChange(callback) {
    this.#callbacks.add(callback);
  }

  /** @param {() => void} callback */
  offChange(callback) {
    this.#callbacks.delete(callback);
  }

  /** The listeners of the server have changed, or, with `true`, one is about to be added. @param {boolean} isSeen */
  serverIsSeen(isSeen) {
    if (isSeen) this.#become(0);
    else this.#update();
  }

  #become(connection) {
    if (connection === this.connection) return;
    this.connection = connection;
    for (const callback of this.#callbacks) callback();
  }

  #isSeen() {
    const conn = this.#conn;
    const isHeard = (/** @type {string} */ event) => conn.listenerCount(event) > 0;
    return SEEN_BY_SOCKET.some(isHeard) || SEEN_BY_SERVER.some((event) => conn.server.listenerCount(event) > 0);
  }

  /** Has the transport write natively, if it can. @returns {number} the native connection, or 0 */
  #adopt() {
    const { transport } = this.#conn;
    if (transport === this.#native) return idOf(transport.socket) ?? 0;
    if (transport.name !== 'websocket' || !transport.supportsBinary || idOf(transport.socket) === undefined) return 0;
    if (transport.writable) return this.#hook(transport);
    // Older versions write the packets of a flush one by one: none may come between.
    if (this.#busy !== transport) transport.prependOnceListener('drain', this.#onDrain);
    this.#busy = transport;
    return 0;
  }

  #hook(transport) {
    writeNatively(this.#conn, transport);
    this.#native = transport;
    this.#conn.flush();
    return idOf(transport.socket) ?? 0;
  }
}

/**
 * Has a transport hand all packets over at once.
 * @param {any} conn
 * @param {any} transport of it
 */
function writeNatively(conn, transport) {
  const { parser, socket } = transport;
  Object.defineProperty(transport, 'writable', {
    configurable: true,
    enumerable: true,
    get: () => conn.writeBuffer.length > 0 || socket.bufferedAmount === 0,
    set: () => {},
  });
  const onSent = (/** @type {any} */ error) => {
    if (error) transport.onError('write error', error.stack);
    else transport.emit('drain');
  };
  const write = (/** @type {any} */ data) => socket.send(data);
  const writeLast = (/** @type {any} */ data) => socket.send(data, undefined, onSent);
  transport.send = (/** @type {any[]} */ packets) => {
    const last = isAwaited(conn.sentCallbackFn) ? packets.length - 1 : -1;
    for (let i = 0; i < packets.length; i++) {
      const { type, data } = packets[i];
      if (i === last) parser.encodePacket(packets[i], true, writeLast);
      else if (type === 'message' && typeof data === 'string') socket.send(`4${data}`);
      else parser.encodePacket(packets[i], true, write);
    }
  };
}

/**
 * Whether the application waits for what is being sent. Only then engine.io needs to hear when it has left.
 * @param {any[]} callbacks since engine.io 6.3 an item for each flush, `null` where nobody waits; before, the
 *   callbacks themselves
 */
function isAwaited(callbacks) {
  if (callbacks.length === 0) return false;
  if (callbacks[callbacks.length - 1] !== null) return true;
  callbacks.pop();
  return false;
}

/** Watches who sees what the sockets of a server of engine.io write. */
function watchServer(server) {
  if (watchedServers.has(server)) return;
  watchedServers.add(server);
  const tellAll = (/** @type {any} */ event, /** @type {boolean} */ isSeen) => {
    if (!SEEN_BY_SERVER.includes(event)) return;
    for (const conn of Object.values(server.clients)) engines.get(conn)?.serverIsSeen(isSeen);
  };
  server.on('newListener', (/** @type {any} */ event) => tellAll(event, true));
  server.on('removeListener', (/** @type {any} */ event) => tellAll(event, false));
}

/** What changes the listeners that see what is sent to a socket, since 4.5. */
const CHANGING = ['onAnyOutgoing', 'prependAnyOutgoing', 'offAnyOutgoing'];
/** Called when they have changed. @type {WeakMap<object, () => void>} */
const outgoingWatchers = new WeakMap();

/**
 * Has a function called when listeners have come that see what is sent to a socket, or have gone.
 * @param {any} socket
 * @param {() => void} watcher one for each socket
 */
function watchOutgoing(socket, watcher) {
  if (!outgoingWatchers.has(socket)) {
    for (const name of CHANGING) if (typeof socket[name] === 'function') socket[name] = watched(socket[name]);
  }
  outgoingWatchers.set(socket, watcher);
}

/** By the method: one function for all sockets. @type {Map<Function, Function>} */
const watchedMethods = new Map();

function watched(method) {
  let function_ = watchedMethods.get(method);
  if (function_ === undefined) {
    function_ = /** @this {any} */ function (/** @type {any[]} */ ...args) {
      const result = method.apply(this, args);
      outgoingWatchers.get(this)?.();
      return result;
    };
    watchedMethods.set(method, function_);
  }
  return function_;
}

/** Whether a socket's listeners want to see what is sent to it. @param {any} socket */
function isObserved(socket) {
  return socket._anyOutgoingListeners?.length > 0;
}

/**
 * @param {any} socket of Socket.IO, if there is one
 * @returns {Engine | undefined} nothing where its connection cannot become native
 */
function engineFor(socket) {
  const conn = socket?.client?.conn;
  if (conn === undefined || !(conn.server?.ws instanceof WebSocketServer) || conn.protocol !== 4) return undefined;
  const known = engines.get(conn);
  if (known !== undefined) return known;
  watchServer(conn.server);
  const engine = new Engine(conn);
  engines.set(conn, engine);
  return engine;
}

module.exports = { engineFor, isObserved, watchOutgoing };
