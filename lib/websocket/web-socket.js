'use strict';

const { EventEmitter } = require('node:events');

const { attempt } = require('../backplane/attempt');
const { nextTick } = require('../timers');
const { makeEventTarget } = require('./event-target');

const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;
const STATES = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'];
const BINARY_TYPES = ['nodebuffer', 'arraybuffer', 'fragments', ...(typeof Blob === 'function' ? ['blob'] : [])];
const EMPTY = Buffer.alloc(0);
/** What a control frame holds at most, in bytes, and what of it is left to a reason. */
const MAX_CONTROL = 125;
const MAX_REASON = 123;
/** Until somebody listens, so many bytes of messages are kept; then no more are read. */
const MAX_EARLY = 64 * 1024;
/** Who listens to one of these wants to hear of the client. */
const HEARING = new Set(['message', 'ping', 'pong', 'close']);

/** Where short texts are encoded for the native side. @type {any} `utf8Write` is what `write` calls */
const SCRATCH = Buffer.allocUnsafeSlow(48 * 1024);

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
  /** What has come before anybody has listened: engine.io begins to after a while. @type {[any, boolean][] | null} */
  #early = [];
  #earlyBytes = 0;
  /** Whether no more is read because of that. */
  #held = false;
  #paused = false;
  #binaryType = 'nodebuffer';
  /** Of what was sent with a callback and has not left. @type {((error?: Error) => void)[]} */
  #callbacks = [];

  /**
   * @param {ReturnType<typeof import('./sockets').socketsOf>} sockets
   * @param {any} socket Node's
   * @param {string} protocol the subprotocol, or nothing
   */
  constructor(sockets, socket, protocol) {
    super();
    this.#sockets = sockets;
    this.protocol = protocol;
    /** Node's socket: it has the addresses, and ends when the connection does. */
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
    this.#read(true);
  }

  // `once` calls them.

  /** @param {string | symbol} event @param {(...args: any[]) => void} listener */
  on(event, listener) {
    super.on(event, listener);
    if (this.#early !== null && HEARING.has(/** @type {string} */ (event))) this.#hear();
    return this;
  }

  /** @param {string | symbol} event @param {(...args: any[]) => void} listener */
  addListener(event, listener) {
    return this.on(event, listener);
  }

  /** @param {string | symbol} event @param {(...args: any[]) => void} listener */
  prependListener(event, listener) {
    super.prependListener(event, listener);
    if (this.#early !== null && HEARING.has(/** @type {string} */ (event))) this.#hear();
    return this;
  }

  /** Hands out what has come before, in a later tick as everything else. */
  #hear() {
    nextTick(() => {
      const early = this.#early;
      if (early === null || this.#paused) return;
      this.#early = null;
      for (const [data, isBinary] of early) attempt(this.#deliver, this, [data, isBinary]);
      if (this.#held) this.resume();
    });
  }

  #read(reads) {
    if (reads) this.#sockets.native.resume(this.#id);
    else this.#sockets.native.pause(this.#id);
    this.#sockets.flushSoon();
  }

  /** What binary messages come as: `nodebuffer` (default), `arraybuffer`, `fragments` (an array of one Buffer), `blob`. */
  get binaryType() {
    return this.#binaryType;
  }

  set binaryType(type) {
    if (BINARY_TYPES.includes(type)) this.#binaryType = type;
  }

  /** Extensions are left to ws. */
  get extensions() {
    return '';
  }

  /** Whether {@link pause} was called last. */
  get isPaused() {
    return this.#paused;
  }

  /** Only clients have one. */
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
   * @param {any} data a string, a number, a Buffer, an ArrayBuffer or a view of one
   * @param {any} [options] `{ binary }`: unless it is a string, say otherwise
   * @param {(error?: Error) => void} [callback] called once the kernel has all of it, or an error
   * @throws {TypeError} when it is something else
   */
  send(data, options, callback) {
    if (typeof options === 'function') [options, callback] = [undefined, options];
    if (!this.#canSend(callback)) return;
    this.#write(typeof data === 'number' ? String(data) : data, options, callback);
    this.#sockets.flushSoon();
  }

  #write(data, options, callback) {
    const { native } = this.#sockets;
    if (typeof data === 'string' && options?.binary !== true) {
      // A string has three bytes of UTF-8 for each of its units at most.
      if (3 * data.length > SCRATCH.length) return native.sendText(this.#id, data, this.#ticket(callback));
      return native.sendUtf8(this.#id, SCRATCH, SCRATCH.utf8Write(data, 0), this.#ticket(callback));
    }
    const bytes = bufferOf(data);
    if (options?.binary ?? true) native.sendBinary(this.#id, bytes, this.#ticket(callback));
    else native.sendText(this.#id, bytes.toString(), this.#ticket(callback));
  }

  /**
   * Sends a ping.
   * @param {any} [data] of 125 bytes at most
   * @param {any} [mask] nothing: servers do not mask
   * @param {(error?: Error) => void} [callback] as of {@link send}
   * @throws {RangeError} when there are more
   */
  ping(data, mask, callback) {
    this.#control('ping', data, mask, callback);
  }

  /**
   * Sends a pong. Pings are answered without.
   * @param {any} [data] of 125 bytes at most
   * @param {any} [mask] nothing: servers do not mask
   * @param {(error?: Error) => void} [callback] as of {@link send}
   * @throws {RangeError} when there are more
   */
  pong(data, mask, callback) {
    this.#control('pong', data, mask, callback);
  }

  #control(kind, data, mask, callback) {
    const done = [data, mask, callback].find((each) => typeof each === 'function');
    if (!this.#canSend(done)) return;
    const payload = typeof data === 'function' ? EMPTY : bufferOf(typeof data === 'number' ? String(data) : data);
    if (payload.length > MAX_CONTROL) throw new RangeError('The data size must not be greater than 125 bytes');
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
   * @throws {TypeError} when the code is none that may be sent
   * @throws {RangeError} when the reason is too long
   */
  close(code, reason = '') {
    if (this.#readyState !== OPEN) return;
    const text = code === undefined ? '' : String(reason);
    if (code !== undefined && !isStatus(code)) throw new TypeError('First argument must be a valid error code number');
    if (Buffer.byteLength(text) > MAX_REASON) {
      throw new RangeError('The message must not be greater than 123 bytes');
    }
    this.#readyState = CLOSING;
    this.#sockets.native.close(this.#id, code ?? 0, text);
    // The client's answer is waited for, whether anybody listens or not.
    if (this.#held) this.resume();
    this.#sockets.flushSoon();
  }

  /**
   * Ends the connection behind bytes that are no frames, as where somebody writes to the socket of ws.
   * @param {Buffer} bytes
   */
  abort(bytes) {
    if (this.#readyState === CLOSED) return;
    this.#readyState = CLOSING;
    this.#sockets.native.abort(this.#id, bytes);
    this.#sockets.flushSoon();
  }

  /** Ends the connection at once. */
  terminate() {
    if (this.#readyState === CLOSED) return;
    this.#readyState = CLOSING;
    this.#sockets.native.terminate(this.#id);
    this.#sockets.flushSoon();
  }

  /** Reads no more of the client. What has been read already may still come. */
  pause() {
    if (this.#readyState === CLOSED) return;
    this.#paused = true;
    this.#read(false);
  }

  /** Reads again. */
  resume() {
    if (this.#readyState === CLOSED || !(this.#paused || this.#held)) return;
    this.#paused = this.#held = false;
    this.#read(true);
    if (this.#early !== null) this.#hear();
  }

  // What the native side has to say.

  /** @param {string | Buffer} data @param {boolean} isBinary */
  onMessage(data, isBinary) {
    if (this.#early === null) this.#deliver(data, isBinary);
    else this.#keep(data, isBinary);
  }

  #keep(data, isBinary) {
    this.#early?.push([data, isBinary]);
    this.#earlyBytes += data.length;
    if (this.#held || this.#earlyBytes < MAX_EARLY) return;
    this.#held = true;
    this.#read(false);
  }

  #deliver(data, isBinary) {
    if (isBinary && this.#binaryType !== 'nodebuffer') data = convert(/** @type {Buffer} */ (data), this.#binaryType);
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
    const { [code]: Class = RangeError } = { WS_ERR_INVALID_UTF8: Error };
    this.emit('error', Object.assign(new Class(message), { code }));
  }

  /** @param {number} code @param {string} reason */
  onClosed(code, reason) {
    this.#readyState = CLOSED;
    if (this.listenerCount('message') === 0) this.#early = null;
    this.#sockets.remove(this.#id);
    this.#release();
    this._socket.destroy();
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
makeEventTarget(WebSocket);

function isStatus(code) {
  if (typeof code !== 'number') return false;
  const isStandard = code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code);
  return isStandard || (code >= 3000 && code <= 4999);
}

/** As ws makes it of what is sent. @returns {Buffer} */
function bufferOf(data) {
  if (Buffer.isBuffer(data)) return data;
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.from(typeof data === 'number' ? String(data) : data || EMPTY);
}

/** @param {Buffer} data @param {string} binaryType @returns {any} */
function convert(data, binaryType) {
  if (binaryType === 'fragments') return [data];
  if (binaryType === 'blob') return new Blob([/** @type {any} */ (data)]);
  return data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
}

/**
 * The native connection of a WebSocket.
 * @param {any} webSocket
 * @returns {number | undefined} nothing for one of ws
 */
function idOf(webSocket) {
  return ids.get(webSocket);
}

module.exports = { idOf, WebSocket };
