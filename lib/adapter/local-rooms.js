'use strict';

const { crosses } = require('./room-names');

/**
 * Tells the native side which rooms have somebody here, once a tick, and says when the
 * subscriptions that they need are confirmed. Rooms that are neither strings nor numbers are left out:
 * they are local.
 */
class HeldRooms {
  #tell;
  #expect;
  /** By name, how many rooms of it there are more than the native side knows of. @type {Map<string, number>} */
  #changes = new Map();
  /** `asked`: whether Redis has been. @type {Map<string, { promise: Promise<void>, resolve: () => void, asked: boolean }>} */
  #unconfirmed = new Map();

  /**
   * @param {(added: string[], removed: string[], tickets: number[]) => void} tell
   * @param {((callback: () => void) => number) | null} expect gives a ticket; null where no room
   *   needs a subscription of its own
   */
  constructor(tell, expect) {
    this.#tell = tell;
    this.#expect = expect;
  }

  /** A room has got its first socket. @param {string | number} room */
  created(room) {
    if (!crosses(room)) return;
    const name = String(room);
    this.#change(name, 1);
    if (this.#expect === null || this.#unconfirmed.has(name)) return;
    let resolve = () => {};
    const promise = /** @type {Promise<void>} */ (new Promise((done) => {
      resolve = /** @type {() => void} */ (done);
    }));
    this.#unconfirmed.set(name, { promise, resolve, asked: false });
  }

  /** A room has lost its last socket. @param {string | number} room */
  deleted(room) {
    if (crosses(room)) this.#change(String(room), -1);
  }

  #change(name, by) {
    if (this.#changes.size === 0) queueMicrotask(() => this.#flush());
    this.#changes.set(name, (this.#changes.get(name) ?? 0) + by);
  }

  #flush() {
    const added = [];
    const removed = [];
    const tickets = [];
    for (const [name, change] of this.#changes) {
      const waiting = this.#unconfirmed.get(name);
      for (let i = 0; i < change; i++) {
        added.push(name);
        if (this.#expect && waiting) tickets.push(this.#expect(() => this.#confirm(name, waiting)));
      }
      for (let i = 0; i > change; i--) removed.push(name);
      if (waiting && change > 0) waiting.asked = true;
      // Nobody is there, or was not long enough for Redis to be asked.
      if (waiting && (change < 0 || !waiting.asked)) this.#confirm(name, waiting);
    }
    this.#changes.clear();
    if (added.length + removed.length > 0) this.#tell(added, removed, tickets);
  }

  #confirm(name, waiting) {
    waiting.resolve();
    // Meanwhile, somebody may have begun to wait for another subscription to it.
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

module.exports = { HeldRooms };
