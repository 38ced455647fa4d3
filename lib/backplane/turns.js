'use strict';

const { nextTick, now, queueMicrotask, setImmediate } = require('../timers');

/** How long the event loop is held at a time, in ms: half of what a timer of 10 ms may wait. */
const BUDGET_MS = 5;

/**
 * What the native side has for the event loop, and what takes it apart.
 * @typedef {object} Source
 * @property {() => any} drain takes a batch, or null
 * @property {() => { isBusy: boolean, resume: (deadline: number) => boolean, deliver: (batch: any, deadline: number) => boolean }} inboxOf
 *   what hands it out, as far as the time goes
 */

/** Takes batches of the native side in turns, between which timers and sockets have theirs. */
class Turns {
  #source;
  /** The time at which what waits has to leave the event loop to others. */
  #deadline = 0;
  /** Whether a turn of the event loop is reserved for the messages that wait. */
  #scheduled = false;

  /** @param {Source} source */
  constructor(source) {
    this.#source = source;
  }

  /**
   * What the native side calls. It holds what it is given, and is held by what these turns belong to: a plain
   * reference would be a cycle that no garbage collector sees.
   * @returns {() => void}
   */
  waker() {
    const reference = new WeakRef(this);
    return () => reference.deref()?.wake();
  }

  /** Something has arrived. */
  wake() {
    if (!this.#scheduled) this.#turn();
  }

  #turn() {
    this.#deadline = now() + BUDGET_MS;
    this.#drain();
  }

  /** Hands out one batch, or the rest of one. */
  #drain() {
    this.#scheduled = false;
    const inbox = this.#source.inboxOf();
    let more;
    if (inbox.isBusy) {
      inbox.resume(this.#deadline);
      // What has arrived meanwhile has woken nothing.
      more = true;
    } else {
      const batch = this.#source.drain();
      if (batch === null) return;
      more = !inbox.deliver(batch, this.#deadline) || batch.more;
    }
    if (!more) return;
    this.#scheduled = true;
    if (now() > this.#deadline) {
      // Timers and sockets get their turn before the rest.
      setImmediate(() => this.#turn());
    } else {
      // What the batch resolved may have sockets join rooms, which counts for the next one: a microtask
      // comes after those that are there, and a tick after those that they make.
      queueMicrotask(() => nextTick(() => this.#drain()));
    }
  }
}

module.exports = { Turns };
