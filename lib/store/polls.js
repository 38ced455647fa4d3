'use strict';

const { clearTimeout, setTimeout } = require('../timers');

/** A packet that says nothing, after which a client polls again. */
const NOOP = '8::';
/** How long a first answer waits for Redis at most, in ms. */
const HELD_MS = 500;
/** How many may wait at a time, in this process. Others go out at once. */
const MAX_HELD = 1000;

/** How many first answers wait. */
let held = 0;

/**
 * What of 0.9's transports is looked at.
 * @typedef {object} Transport
 * @property {boolean} open
 * @property {() => void} [clearPollTimeout] where it polls
 * @property {(data: string) => void} doWrite
 * @property {import('node:http').ServerResponse} response
 */

/**
 * A consumer of `open` after which no poll is left without an answer. With `open`, a server tells that a client
 * has come to it. 0.9's manager lets go of the client's poll here then. Without sticky sessions that may be the newer
 * one: a client whose poll was answered there polls here before Redis has brought the message. It would wait for an
 * answer until its heartbeat fails, a minute later; with one it polls again.
 * @param {{ manager: any }} store
 * @param {(...args: any[]) => void} consumer
 * @returns {(...args: any[]) => void}
 */
function answeringPolls(store, consumer) {
  return (...args) => {
    /** @type {Transport | undefined} */
    const transport = store.manager?.transports?.[args[0]];
    consumer(...args);
    if (transport?.open && transport.clearPollTimeout) answer(transport);
  };
}

/** Not by its `write`, which publishes that the client has gone. @param {Transport} poll */
function answer(poll) {
  poll.open = false;
  poll.doWrite(NOOP);
  poll.response.end();
}

/**
 * Holds the answer of a client's first poll, as its server publishes `connect`: the client polls again as soon as it has
 * the answer, without sticky sessions elsewhere. A server that does not know of the `connect` then connects the client
 * once more. For the manager the poll is over meanwhile, so what it has for the client waits for the next one, as ever.
 * @param {{ manager: any }} store
 * @param {string} id the client's
 * @returns {(() => void) | undefined} what lets the answer out, as half a second does; nothing where no poll is held
 */
function holdFirstAnswer(store, id) {
  /** @type {Transport | undefined} */
  const transport = store.manager?.transports?.[id];
  if (!transport?.open || !transport.clearPollTimeout || held >= MAX_HELD) return undefined;
  const { response } = transport;
  /** @type {(() => void)[]} */
  const calls = [];
  const later =
    (/** @type {'writeHead' | 'write' | 'end'} */ name) =>
    (/** @type {any[]} */ ...args) => {
      calls.push(() => /** @type {any} */ (response)[name](...args));
    };
  const release = () => {
    if (transport.response === response) return;
    clearTimeout(timer);
    held--;
    transport.response = response;
    for (const call of calls) call();
  };
  const timer = setTimeout(release, HELD_MS).unref();
  held++;
  transport.response = /** @type {any} */ ({ writeHead: later('writeHead'), write: later('write'), end: later('end') });
  return release;
}

module.exports = { answeringPolls, holdFirstAnswer };
