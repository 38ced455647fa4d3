'use strict';

const { EventEmitter } = require('node:events');

const { nextTick } = require('../timers');

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;
const STATES = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'];
const EMPTY = Buffer.alloc(0);

/** The native connection of each. @type {WeakMap<object, number>} */
const ids = new WeakMap();

/**
 * A native connection, as ws's `WebSocket` is to its users. Text messages come as strings.
 * Events: `message` (data, isBinary), `close` (code, reason), `error`, `ping`, `pong`.
 */
class WebSocket extends EventEmitter {
  #sockets;
  #id = 0;
  #release = () => {};
  #readyState = OPEN;
  #paused = true;
  /** Of what was sent with a callback and has not left. @type {((error?: Error) => void)[]} */
  #callbacks = [];

  /**
   * @param {ReturnType<typeof import('./sockets').socketsOf>} sockets
   * @param {any} socket Node's, whose addresses stay readable
   * @param {string} protocol the subprotocol, or nothing
   */
  constructor(sockets, socket, protocol) {
    super();
    this.#sockets = sockets;
    this.protocol = protocol;
    /** Node's socket: destroyed, with its addresses. */
    this._socket = socket;
  }

  /**
   * Begins to use a native connection.
   * @param {number} id
   * @param {() => void} release called when it is gone
   */
  open(id, release) {
    this.#id = id;
    this.#release = release;
    ids.set(this, id);
    this.#sockets.add(id, this);
    // What arrives waits until somebody listens: engine.io does so after a while.
    this.on('newListener', this.#onListener);
    this.#sockets.flushSoon();
  }

  #onListener = (event) => {
    if (event !== 'message') return;
    this.removeListener('newListener', this.#onListener);
    this.resume();
  };

  /** @type {'nodebuffer'} */
  get binaryType() {
    return 'nodebuffer';
  }

  /** Extensions are left to ws. */
  get extensions() {
    return '';
  }

  get isPaused() {
    return this.#paused;
  }

  get url() {
    return undefined;
  }

  /** 1 while it is open, then 2 (closing) and 3 (closed). */
  get readyState() {
    return this.#readyState;
  }

  /** Bytes that the kernel has not taken yet. */
  get bufferedAmount() {
    return this.#readyState === CLOSED ? 0 : this.#sockets.native.bufferedAmount(this.#id);
  }

  /**
   * Sends a message.
   * @param {any} data
   * @param {any} [options] `{ binary }`
   * @param {(error?: Error) => void} [callback] called once the kernel has all of it
   */
  send(data, options, callback) {
    if (typeof options === 'function') [options, callback] = [undefined, options];
    if (!this.#canSend(callback)) return;
    const waits = callback !== undefined && this.awaits();
    this.#write(typeof data === 'number' ? String(data) : data, options, waits ? callback : undefined);
    this.#sockets.flushSoon();
    if (callback !== undefined && !waits) callback();
  }

  #write(data, options, callback) {
    const { native } = this.#sockets;
    const isText = typeof data === 'string';
    if (isText && options?.binary !== true) native.sendText(this.#id, data, this.#ticket(callback));
    else if (!isText && options?.binary === false) {
      native.sendText(this.#id, bufferOf(data).toString(), this.#ticket(callback));
    } else native.sendBinary(this.#id, bufferOf(data), this.#ticket(callback));
  }

  /** @param {any} [data] @param {any} [_mask] @param {(error?: Error) => void} [callback] */
  ping(data, _mask, callback) {
    this.#control('ping', data, _mask, callback);
  }

  /** @param {any} [data] @param {any} [_mask] @param {(error?: Error) => void} [callback] */
  pong(data, _mask, callback) {
    this.#control('pong', data, _mask, callback);
  }

  #control(kind, data, mask, callback) {
    const done = [data, mask, callback].find((each) => typeof each === 'function');
    if (!this.#canSend(done)) return;
    const payload = data === undefined || typeof data === 'function' ? EMPTY : bufferOf(data);
    if (payload.length > 125) throw new RangeError('The data size must not be greater than 125 bytes');
    this.#sockets.native[kind](this.#id, payload, this.#ticket(done));
    this.#sockets.flushSoon();
  }

  #canSend(callback) {
    if (this.#readyState === OPEN) return true;
    if (callback) {
      const state = `${this.#readyState} (${STATES[this.#readyState]})`;
      nextTick(callback, new Error(`WebSocket is not open: readyState ${state}`));
    }
    return false;
  }

  /**
   * Whether callbacks of `send` are to wait until the kernel has what was sent; else they are called at once. Engine.io
   * always passes one, which is seldom of any use: its adapter replaces this.
   */
  awaits = () => true;

  /** Each connection's tickets come back in their order, so its number does for all of them. */
  #ticket(callback) {
    if (callback === undefined) return 0;
    this.#callbacks.push(callback);
    return this.#id;
  }

  /**
   * Begins to close: a close frame leaves behind all that was sent, and the client has 30 s to answer it.
   * @param {number} [code]
   * @param {string | Buffer} [reason] of 123 bytes at most
   */
  close(code, reason = '') {
    if (this.#readyState !== OPEN) return;
    if (code !== undefined && !isStatus(code)) throw new TypeError('First argument must be a valid error code number');
    const text = String(reason);
    if (Buffer.byteLength(text) > 123) throw new RangeError('The message must not be greater than 123 bytes');
    this.#readyState = CLOSING;
    // The client's answer is waited for, whether anybody listens or not.
    this.resume();
    this.#sockets.native.close(this.#id, code ?? 0, text);
    this.#sockets.flushSoon();
  }

  /** Ends the connection at once. */
  terminate() {
    if (this.#readyState === CLOSED) return;
    this.#readyState = CLOSING;
    this.#sockets.native.terminate(this.#id);
    this.#sockets.flushSoon();
  }

  /** Reads no more of the client. */
  pause() {
    if (this.#readyState !== OPEN) return;
    this.#paused = true;
    this.#sockets.native.pause(this.#id);
    this.#sockets.flushSoon();
  }

  /** Reads again. */
  resume() {
    if (!this.#paused || this.#readyState === CLOSED) return;
    this.#paused = false;
    this.#sockets.native.resume(this.#id);
    this.#sockets.flushSoon();
  }

  // What the native side has to say.

  /** @param {string | Buffer} data @param {boolean} isBinary */
  onMessage(data, isBinary) {
    this.emit('message', data, isBinary);
  }

  /** @param {Buffer} data */
  onPing(data) {
    this.emit('ping', data);
  }

  /** @param {Buffer} data */
  onPong(data) {
    this.emit('pong', data);
  }

  onSent() {
    this.#callbacks.shift()?.();
  }

  /** @param {string} code @param {string} message */
  onError(code, message) {
    this.#readyState = CLOSING;
    this.emit('error', Object.assign(new RangeError(message), { code }));
  }

  /** @param {number} code @param {string} reason */
  onClosed(code, reason) {
    this.#readyState = CLOSED;
    this.#sockets.remove(this.#id);
    this.#release();
    for (const callback of this.#callbacks.splice(0)) {
      nextTick(callback, new Error('The socket was closed while data was being written'));
    }
    // What its last messages have put off to the next tick comes first, as with ws.
    nextTick(() => this.emit('close', code, Buffer.from(reason)));
  }
}

for (const [value, name] of STATES.entries()) {
  for (const target of [WebSocket, WebSocket.prototype])
    Object.defineProperty(target, name, { enumerable: true, value });
}

function isStatus(code) {
  const isStandard = code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code);
  return isStandard || (code >= 3000 && code <= 4999);
}

/** As ws makes it of what is sent. */
function bufferOf(data) {
  if (Buffer.isBuffer(data)) return data;
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.from(typeof data === 'number' ? String(data) : data);
}

/**
 * The native connection of a WebSocket.
 * @param {any} webSocket
 * @returns {number | undefined} nothing for one of ws
 */
function idOf(webSocket) {
  return ids.get(webSocket);
}

module.exports = { CONNECTING, idOf, WebSocket };
