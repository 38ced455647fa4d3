/* global io */

/** The connection to whichever worker it leads to, over the client that the server brought along: 0.9's or 4's. */

const FIRST_DELAY = 200;
const LAST_DELAY = 2000;

/**
 * @typedef {object} Connection
 * @property {any} socket
 * @property {() => string | null} id the client id, while it is connected
 * @property {() => string | undefined} transport
 * @property {(refused: () => void) => void} onRefused
 */

/** @returns {Connection} */
function connectAdapter() {
  const socket = io({ transports: ['websocket'], reconnectionDelay: FIRST_DELAY, reconnectionDelayMax: LAST_DELAY });
  return {
    socket,
    id: () => socket.id ?? null,
    transport: () => socket.io.engine?.transport.name,
    onRefused: (refused) => socket.on('connect_error', refused),
  };
}

/** @returns {Connection} */
function connectStore() {
  const socket = io.connect('', {
    transports: ['websocket', 'xhr-polling'],
    'reconnection delay': FIRST_DELAY,
    'reconnection limit': LAST_DELAY,
    'max reconnection attempts': Infinity,
  });
  // A WebSocket that reaches its worker before the handshake does is told to come again.
  // The 0.9 client then says goodbye into a buffer, which its next connection would
  // open with, and end. There is nothing in that buffer to keep: the page knows what is pending.
  socket.on('connecting', () => {
    socket.socket.buffer = [];
  });
  return {
    socket,
    id: () => socket.socket.sessionid,
    transport: () => socket.socket.transport?.name,
    onRefused: (refused) => socket.on('connect_failed', refused),
  };
}

/** Whether it is Socket.IO 4. */
export const isAdapter = io.Manager !== undefined;

/** @returns {Connection} */
export function connect() {
  return isAdapter ? connectAdapter() : connectStore();
}
