'use strict';

/**
 * The one file that knows what is inside engine.io's `Socket` and WebSocket transport: when broadcasts may go
 * past it, and how everything else goes straight to the connection's one queue.
 */

const { idOf } = require('../websocket/web-socket');

/** Events whose listeners see every packet. */
const SEEING = ['packetCreate', 'flush'];
/** The revision of engine.io's protocol in which a packet is the same for all clients. */
const REVISION = 4;

/** @type {WeakMap<object, Connection>} */
const connections = new WeakMap();

/** One engine.io socket, with whatever transport it has. */
class Connection {
  #conn;
  /** How many listeners see its packets. */
  #seeing;
  /** Called when {@link Connection.native} has changed. @type {Set<() => void>} */
  #watchers = new Set();
  /** The native connection that packets go past engine.io to; 0 where they must not. */
  native = 0;

  /** @param {any} conn */
  constructor(conn) {
    this.#conn = conn;
    this.#seeing = SEEING.reduce((sum, event) => sum + conn.listenerCount(event), 0);
    conn.on('newListener', (/** @type {string} */ event) => this.#listening(event, 1));
    conn.on('removeListener', (/** @type {string} */ event) => this.#listening(event, -1));
    conn.on('upgrade', () => this.#update());
    this.#update();
  }

  #listening(event, by) {
    if (!SEEING.includes(event)) return;
    this.#seeing += by;
    this.#update();
  }

  #update() {
    const before = this.native;
    this.native = this.#seeing === 0 ? straighten(this.#conn) : 0;
    if (this.native !== before) for (const watcher of this.#watchers) watcher();
  }

  /** Has a function called when `native` has changed. @param {() => void} watcher @returns {() => void} takes that back */
  watch(watcher) {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }
}

/** Those whose packets all go straight to the native queue. @type {WeakSet<object>} */
const straightened = new WeakSet();

/**
 * Has all that engine.io writes go to the native queue at once, so that nothing waits in its own buffer while a
 * broadcast goes past it.
 * @param {any} conn
 * @returns {number} the native connection; 0 where there is none, or its clients need packets of their own
 */
function straighten(conn) {
  const { transport } = conn;
  const webSocket = transport?.socket;
  const id = idOf(Object(webSocket)) ?? 0;
  if (id === 0 || conn.upgrading || conn.protocol !== REVISION || !transport.supportsBinary) return 0;
  if (!straightened.has(transport)) {
    straightened.add(transport);
    // What wants to leave always may: the native queue takes it. Else, as with ws, whether all has left.
    Object.defineProperty(transport, 'writable', {
      configurable: true,
      enumerable: true,
      get: () => conn.writeBuffer.length > 0 || webSocket.bufferedAmount === 0,
      set: () => {},
    });
    webSocket.awaits = () => awaitsCallback(conn);
    conn.flush();
  }
  return id;
}

/** Whether a callback of the application waits for what is sent, or for what was sent before. */
function awaitsCallback({ sentCallbackFn }) {
  return sentCallbackFn.length !== 1 || sentCallbackFn[0] !== null;
}

/**
 * @param {any} conn an engine.io socket
 * @returns {Connection}
 */
function connectionOf(conn) {
  let connection = connections.get(conn);
  if (connection === undefined) connections.set(conn, (connection = new Connection(conn)));
  return connection;
}

/**
 * Whether a socket is connected by a native WebSocket now; cheaper than {@link connectionOf}.
 * @param {any} conn
 */
function isNative(conn) {
  return idOf(Object(conn?.transport?.socket)) !== undefined;
}

module.exports = { connectionOf, isNative };
