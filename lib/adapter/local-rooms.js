'use strict';

const { crosses } = require('./room-names');
const { closedError } = require('../errors');
const { clearTimeout, setTimeout } = require('../timers');

/**
 * Passes on to the native side which rooms have sockets here, once a tick and before anything else
 * arrives, and says when the subscriptions that they need are confirmed. Rooms that are neither strings
 * nor numbers are left out: they are local.
 */
class LocalRooms {
  #update;
  #beforeDrain;
  #registerCallback;
  #isDegraded;
  #closed = false;
  /** By name, how many rooms of it there are more than the native side knows of. @type {Map<string, number>} */
  #changes = new Map();
  #flush = () => this.#passOn();
  /** `asked`: whether Redis has been. @type {Map<string, { promise: Promise<void>, settle: (error?: Error | null) => void, asked: boolean }>} */
  #unconfirmed = new Map();

  /**
   * @param {object} backplane
   * @param {(added: string[], removed: string[], tickets: number[]) => void} backplane.update
   * @param {(callback: () => void) => void} backplane.beforeDrain calls back once, at the end of the tick or
   *   before anything else arrives
   * @param {((callback: (error?: Error | null) => void) => number) | null} backplane.registerCallback gives a
   *   ticket; null where no room needs a subscription of its own
   * @param {() => boolean} backplane.isDegraded whether Redis refuses subscriptions
   */
  constructor({ update, beforeDrain, registerCallback, isDegraded }) {
    this.#update = update;
    this.#beforeDrain = beforeDrain;
    this.#registerCallback = registerCallback;
    this.#isDegraded = isDegraded;
  }

  /** A room has got its first socket. @param {string | number} room */
  roomCreated(room) {
    if (this.#closed || !crosses(room)) return;
    const name = String(room);
    this.#change(name, 1);
    if (this.#registerCallback !== null && !this.#unconfirmed.has(name)) this.#await(name);
  }

  #await(name) {
    /** @type {(error?: Error | null) => void} */
    let settle = () => {};
    const promise = /** @type {Promise<void>} */ (
      new Promise((resolve, reject) => {
        settle = (error) => (error ? reject(error) : resolve(undefined));
      })
    );
    // Nothing may wait for it.
    promise.catch(() => {});
    const waiting = { promise, settle, asked: false };
    this.#unconfirmed.set(name, waiting);
    return waiting;
  }

  /** A room has lost its last socket. @param {string | number} room */
  roomDeleted(room) {
    if (!this.#closed && crosses(room)) this.#change(String(room), -1);
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
      // It may be refused: one room more and one less has Redis asked for it again.
      const again = change === 0 && waiting && this.#isDegraded() ? 1 : 0;
      for (let i = 0; i < change + again; i++) {
        added.push(name);
        if (this.#registerCallback && waiting)
          tickets.push(this.#registerCallback((error) => this.#settle(name, waiting, error)));
      }
      for (let i = 0; i > change - again; i--) removed.push(name);
      if (waiting && change + again > 0) waiting.asked = true;
      // The room is empty, or existed for too short a time to be subscribed to.
      if (waiting && (change < 0 || !waiting.asked)) this.#settle(name, waiting);
    }
    this.#changes.clear();
    if (added.length + removed.length > 0) this.#update(added, removed, tickets);
  }

  #settle(name, waiting, error) {
    waiting.settle(error);
    // Another subscription to it may be awaited by now.
    if (this.#unconfirmed.get(name) === waiting) this.#unconfirmed.delete(name);
  }

  /**
   * @param {Iterable<string | number>} rooms
   * @param {number} timeout in ms
   * @returns {Promise<void> | undefined} resolves once the rooms are subscribed to or the time is up, and
   *   rejects when one cannot be; nothing when there is nothing to wait for
   */
  confirmed(rooms, timeout) {
    const confirmed = this.#confirmations(rooms);
    if (confirmed === undefined) return undefined;
    const joined = atMost(timeout, confirmed);
    // Most applications do not wait for a join, and it must not be an unhandled rejection then.
    joined.catch(() => {});
    return joined;
  }

  #confirmations(rooms) {
    if (this.#registerCallback === null) return undefined;
    if (this.#closed) return Promise.reject(closedError());
    const degraded = this.#isDegraded();
    if (this.#unconfirmed.size === 0 && !degraded) return undefined;
    const waits = [];
    for (const room of rooms) {
      if (!crosses(room)) continue;
      const waiting = this.#unconfirmed.get(String(room)) ?? (degraded ? this.#askAgain(String(room)) : undefined);
      if (waiting) waits.push(waiting.promise);
    }
    return waits.length === 0 ? undefined : Promise.all(waits);
  }

  /** A room that was there before may be refused. */
  #askAgain(name) {
    this.#change(name, 0);
    return this.#await(name);
  }

  /** Ends all waiting: nothing is subscribed to any more. */
  close() {
    this.#closed = true;
    for (const { settle } of this.#unconfirmed.values()) settle(closedError());
    this.#unconfirmed.clear();
    this.#changes.clear();
  }
}

/**
 * @param {number} timeout in ms
 * @param {Promise<unknown>} promise
 * @returns {Promise<void>} resolves when the time is up, at the latest
 */
async function atMost(timeout, promise) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, timeout);
    timer.unref();
  });
  try {
    await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

module.exports = { LocalRooms };
