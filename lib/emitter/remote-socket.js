'use strict';

/** A socket of a server, as that has described it: what it was then. */
class RemoteSocket {
  #operator;

  /**
   * @param {any} operator a `BroadcastOperator` for it
   * @param {{ id: string, handshake: any, rooms: any[], data: any }} socket
   */
  constructor(operator, { id, handshake, rooms, data }) {
    this.#operator = operator;
    this.id = id;
    this.handshake = handshake;
    this.rooms = new Set(rooms);
    this.data = data;
  }

  /** How long the client may take to acknowledge what is emitted. @param {number} timeout in ms */
  timeout(timeout) {
    return this.#operator.timeout(timeout);
  }

  /** Emits an event to it. @param {any} event @param {...any} args */
  emit(event, ...args) {
    return this.#operator.emit(event, ...args);
  }

  /** The same with a promise of what the client acknowledges. @param {any} event @param {...any} args */
  emitWithAck(event, ...args) {
    return this.#operator.emitWithAck(event, ...args);
  }

  /** Has it join rooms. @param {any} rooms */
  join(rooms) {
    this.#operator.socketsJoin(rooms);
  }

  /** Has it leave rooms. @param {any} rooms */
  leave(rooms) {
    this.#operator.socketsLeave(rooms);
  }

  /** Disconnects it. @param {boolean} [close] its connection too */
  disconnect(close = false) {
    this.#operator.disconnectSockets(close);
    return this;
  }
}

module.exports = { RemoteSocket };
