'use strict';

/** The one file that knows what is inside Node's sockets: their handle, and its descriptor. */

const net = require('node:net');
const os = require('node:os');

const { nextTick } = require('../timers');

/** libuv's word for a connection that takes no more. */
const UV_EPIPE = -os.constants.errno.EPIPE;
/** Of a handle's `shutdown`: it is done already. */
const DONE = 1;

/** Bun and Deno have sockets that look like Node's; reads that are under way there cannot be called back. */
const IS_NODE = process.versions.bun === undefined && !('Deno' in globalThis);

/**
 * Why the native side cannot have a socket, if it cannot.
 * @param {any} socket
 * @returns {'tls' | 'notASocket' | 'platform' | 'noDescriptor' | 'pendingWrites' | undefined}
 */
function obstacleOf(socket) {
  if (socket.encrypted) return 'tls';
  if (!(socket instanceof net.Socket)) return 'notASocket';
  if (process.platform === 'win32') return 'platform';
  if (!IS_NODE || !(descriptorOf(socket) >= 0)) return 'noDescriptor';
  if (socket.writableLength > 0) return 'pendingWrites';
  return undefined;
}

/** @param {any} socket */
function descriptorOf(socket) {
  return socket._handle?.fd;
}

/**
 * Takes the place of a socket's handle once the native side has the connection: the addresses stay readable, and
 * what ends the socket ends the connection. The socket looks open until then, and its server counts it.
 */
class Detached {
  #names;
  #end;
  /** What was written past the WebSocket: an answer of HTTP, as by engine.io. @type {Buffer | undefined} */
  #last;

  /**
   * @param {any} handle Node's
   * @param {number} bytesWritten as the socket tells it; other engine.io servers end sockets without any
   * @param {(last?: Buffer) => void} end ends the native connection, behind these bytes
   */
  constructor(handle, bytesWritten, end) {
    this.#names = { getpeername: nameOf(handle, 'getpeername'), getsockname: nameOf(handle, 'getsockname') };
    this.#end = end;
    this.fd = -1;
    /** As if Node read: it need not begin. */
    this.reading = true;
    this.bytesRead = handle.bytesRead;
    this.bytesWritten = bytesWritten;
    this.writeQueueSize = 0;
  }

  getpeername(out) {
    Object.assign(out, this.#names.getpeername);
    return 0;
  }

  getsockname(out) {
    Object.assign(out, this.#names.getsockname);
    return 0;
  }

  /** What is written past the WebSocket is no frame: the client is to find that, and the connection ends. */
  fail(data, encoding) {
    if (typeof data === 'string' || Buffer.isBuffer(data))
      this.#last = Buffer.from(/** @type {any} */ (data), encoding);
    return UV_EPIPE;
  }

  /** By `end()`. */
  shutdown() {
    this.#end(this.#last);
    return DONE;
  }

  /** By `destroy()`. */
  close(callback) {
    this.#end(this.#last);
    if (callback !== undefined) nextTick(callback);
  }
}

/** How handles are written to, and in which encoding. */
const WRITES = {
  Buffer: undefined,
  v: undefined,
  Utf8String: 'utf8',
  AsciiString: 'latin1',
  Latin1String: 'latin1',
  Ucs2String: 'utf16le',
};
for (const [kind, encoding] of Object.entries(WRITES)) {
  const value = /** @this {Detached} */ function write(_request, data) {
    return this.fail(data, encoding);
  };
  Object.defineProperty(Detached.prototype, `write${kind}`, { value });
}
for (const name of ['readStart', 'readStop', 'ref', 'unref']) {
  Object.defineProperty(Detached.prototype, name, { value: () => 0 });
}

/** An address as a handle tells it; handles of unix sockets do not. */
function nameOf(handle, method) {
  const name = {};
  handle[method]?.(name);
  return name;
}

/** What has been read of a socket and nobody has taken. @returns {Buffer[]} */
function takeRead(socket) {
  const chunks = [];
  for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) chunks.push(chunk);
  return chunks;
}

/**
 * Has the native side own the connection of a socket.
 * @param {any} socket
 * @param {Buffer} head what the HTTP parser has read beyond the request
 * @param {number} bytesWritten what the native side writes at once
 * @param {(descriptor: number, head: Buffer) => void} adopt duplicates the descriptor
 * @param {(last?: Buffer) => void} end ends the native connection, behind these bytes
 * @returns {Buffer | undefined} nothing when it is done; where `adopt` has thrown, all that had been read
 */
function handOver(socket, head, bytesWritten, adopt, end) {
  const read = takeRead(socket);
  const all = read.length === 0 ? head : Buffer.concat([head, ...read]);
  socket.setTimeout(0);
  socket.setNoDelay(true);
  const handle = socket._handle;
  const detached = new Detached(handle, bytesWritten, end);
  try {
    adopt(descriptorOf(socket), all);
  } catch {
    return all;
  }
  socket._handle = detached;
  // A reset would be no other end.
  socket.resetAndDestroy = socket.destroy;
  handle.readStop();
  // Ends no connection as long as there is a duplicate.
  handle.close();
  return undefined;
}

/** Whether a socket has been handed over. @param {any} socket */
function isHandedOver(socket) {
  return socket._handle instanceof Detached;
}

module.exports = { handOver, isHandedOver, obstacleOf };
