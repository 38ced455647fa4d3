'use strict';

/** A packet that says nothing, after which a client polls again. */
const NOOP = '8::';

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

module.exports = { answeringPolls };
