'use strict';

/**
 * The one file that knows what is inside Node's sockets: their descriptor, and how an HTTP server counts
 * them.
 */

const net = require('node:net');

/**
 * Why the native side cannot have a socket, if it cannot.
 * @param {any} socket
 * @returns {'tls' | 'notASocket' | 'platform' | 'noDescriptor' | 'pendingWrites' | undefined}
 */
function obstacleOf(socket) {
  if (socket.encrypted) return 'tls';
  if (!(socket instanceof net.Socket)) return 'notASocket';
  if (process.platform === 'win32') return 'platform';
  if (!(descriptorOf(socket) >= 0)) return 'noDescriptor';
  if (socket.writableLength > 0) return 'pendingWrites';
  return undefined;
}

/** @param {any} socket */
function descriptorOf(socket) {
  return socket._handle?.fd;
}

/**
 * Has the native side own the connection of a socket. The socket is destroyed, which ends no connection as long as
 * a duplicate of its descriptor is open. Its addresses stay readable; its `destroy()` and `end()` end the native
 * connection; and the server that has accepted it counts it until then.
 * @param {any} socket
 * @param {Buffer} head what the HTTP parser has read beyond the request
 * @param {(descriptor: number, head: Buffer) => void} adopt
 * @param {() => void} end ends the native connection
 * @returns {() => void} to be called once the native connection is gone
 * @throws what `adopt` throws; the socket is as it was then, but for what it has read
 */
function handOver(socket, head, adopt, end) {
  // Node keeps what has been asked for.
  void [socket.remoteAddress, socket.localAddress];
  socket.setTimeout(0);
  socket.setNoDelay(true);
  socket._handle.readStop();
  const read = socket.read();
  adopt(descriptorOf(socket), read === null ? head : Buffer.concat([head, read]));
  const release = keepCounted(socket._server);
  socket.destroy();
  socket.destroy = () => {
    end();
    return socket;
  };
  socket.end = socket.destroy;
  return release;
}

/**
 * Has a server count a connection more, so that its `close()` waits for it.
 * @param {any} server
 * @returns {() => void} counts it no more
 */
function keepCounted(server) {
  if (typeof server?._connections !== 'number' || typeof server._emitCloseIfDrained !== 'function') return () => {};
  server._connections++;
  return () => {
    server._connections--;
    server._emitCloseIfDrained();
  };
}

module.exports = { handOver, obstacleOf };
