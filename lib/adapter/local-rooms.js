'use strict';

const { crosses } = require('./room-names');

/**
 * Passes on to the native side which rooms have sockets here, once a tick and before anything else arrives, and says when the
 * subscriptions that they need are confirmed. Rooms that are neither strings nor numbers are left out:
 * they are local.
 */
class LocalRooms {
  #update;
  #beforeDrain;
  #registerCallback;
  /** By name, how many rooms of it there are more than the native side knows of. @type {Map<string, number>} */
  #changes = new Map();
  #flush = () => this.#passOn();
  /** `asked`: whether Redis has been. @type {Map<string, { promise: Promise<void>, resolve: () => void, asked: boolean }>} */
  #unconfirmed = new Map();

  /**
   * @param {object} backplane
   * @param {(added: string[], removed: string[], tickets: number[]) => void} backplane.update
   * @param {(callback: () => void) => void} backplane.beforeDrain calls back once, at the end of the tick or
   *   before anything else arrives
   * @param {((callback: () => void) => number) | null} backplane.registerCallback gives a ticket; null where
   *   no room needs a subscription of its own
   */
  constructor({ update, beforeDrain, registerCallback }) {
    this.#update = update;
    this.#beforeDrain = beforeDrain;
    this.#registerCallback = registerCallback;
  }

  /** A room has got its first socket. @param {string | number} room */
  roomCreated(room) {
    if (!crosses(room)) return;
    const name = String(room);
    this.#change(name, 1);
    if (this.#registerCallback === null || this.#unconfirmed.has(name)) return;
    let resolve = () => {};
    const promise = /** @type {Promise<void>} */ (new Promise((done) => {
      resolve = /** @type {() => void} */ (done);
    }));
    this.#unconfirmed.set(name, { promise, resolve, asked: false });
  }

  /** A room has lost its last socket. @param {string | number} room */
  roomDeleted(room) {
    if (crosses(room)) this.#change(String(room), -1);
  }

  #change(name, by) {
    if (this.#changes.size === 0) this.#beforeDrain(this.#flush);
    this.#changes.set(name, (this.#changes.get(name) ?? 0) + by);
  }

  #passOn() {
    const added = [];
    const removed = [];
    const tickets = [];
    for (const [name, change] of this.#changes) {
      const waiting = this.#unconfirmed.get(name);
      for (let i = 0; i < change; i++) {
        added.push(name);
        if (this.#registerCallback && waiting) tickets.push(this.#registerCallback(() => this.#confirm(name, waiting)));
      }
      for (let i = 0; i > change; i--) removed.push(name);
      if (waiting && change > 0) waiting.asked = true;
      // The room is empty, or existed for too short a time to be subscribed to.
      if (waiting && (change < 0 || !waiting.asked)) this.#confirm(name, waiting);
    }
    this.#changes.clear();
    if (added.length + removed.length > 0) this.#update(added, removed, tickets);
  }

  #confirm(name, waiting) {
    waiting.resolve();
    // Another subscription to it may be awaited by now.
    if (this.#unconfirmed.get(name) === waiting) this.#unconfirmed.delete(name);
  }

  /**
   * @param {Iterable<string | number>} rooms
   * @returns {Promise<unknown> | undefined} resolves once the rooms are subscribed to; nothing when
   *   there is nothing to wait for
   */
  confirmed(rooms) {
    if (this.#unconfirmed.size === 0) return undefined;
    const waits = [];
    for (const room of rooms) {
      const waiting = crosses(room) ? this.#unconfirmed.get(String(room)) : undefined;
      if (waiting) waits.push(waiting.promise);
    }
    return waits.length === 0 ? undefined : Promise.all(waits);
  }
}

module.exports = { LocalRooms };
