'use strict';

const { ROOM, TEXT_LENGTH } = require('./load.js');

/** The clients of the flood, as one worker sees them. */
class LoadHere {
  #sockets = 0;
  #ticks = 0;

  /** @param {any} io */
  constructor(io) {
    io.sockets.on('connection', (/** @type {any} */ socket) => {
      let joined = false;
      socket.on('join the load', () => {
        if (joined) return;
        joined = true;
        socket.join(ROOM);
        this.#sockets++;
        socket.on('disconnect', () => this.#sockets--);
      });
      // One client asks for each message; Redis takes it to the clients of all workers.
      socket.on('tick', (/** @type {unknown} */ text) => {
        if (!joined || typeof text !== 'string' || text.length > TEXT_LENGTH) return;
        this.#ticks++;
        io.sockets.in(ROOM).emit('load', text);
      });
    });
  }

  /** @returns {{ sockets: number, ticks: number }} how many clients there are, and how many messages they asked for */
  figures() {
    return { sockets: this.#sockets, ticks: this.#ticks };
  }
}

module.exports = { LoadHere };
