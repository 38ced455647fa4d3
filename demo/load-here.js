'use strict';

const { mainThreadNs } = require('../dev/main-thread.js');
const { RATE, ROOM } = require('./load.js');

/** The clients of the load, as one worker sees them, and what they cost it. */
class LoadHere {
  #sockets = 0;
  #since = { at: Date.now(), ns: mainThreadNs() };

  /** @param {any} io */
  constructor(io) {
    io.sockets.on('connection', (/** @type {any} */ socket) => {
      socket.on('join the load', () => this.#join(socket));
      // One client asks for each message; Redis takes it to the clients of all workers.
      socket.on('tick', (/** @type {unknown} */ text) => io.sockets.in(ROOM).emit('load', text));
    });
  }

  #join(socket) {
    socket.join(ROOM);
    this.#sockets++;
    socket.on('disconnect', () => this.#sockets--);
  }

  /**
   * @returns {{ sockets: number, busy: number, microseconds: number | null }} since this was asked last: the part of the
   *   time for which the event loop's thread was at work, and what that is for each message to a socket
   */
  figures() {
    const now = { at: Date.now(), ns: mainThreadNs() };
    const seconds = (now.at - this.#since.at) / 1000;
    const used = (now.ns - this.#since.ns) / 1000;
    this.#since = now;
    const messages = RATE * seconds * this.#sockets;
    return {
      sockets: this.#sockets,
      busy: seconds > 0 ? used / 1e6 / seconds : 0,
      microseconds: messages > 0 ? used / messages : null,
    };
  }
}

module.exports = { LoadHere };
