'use strict';

const { timeoutError } = require('../adapter/requests');
const { attempt } = require('../backplane/attempt');
const { clearTimeout, setTimeout } = require('../timers');

/**
 * Emits an event and collects what clients acknowledge, as Socket.IO does it.
 * @param {InstanceType<typeof import('./namespace').EmitterNamespace>} namespace
 * @param {any[]} data the event's name and arguments
 * @param {import('./namespace').Target} target
 * @param {boolean} single whether there is one client, whose answer is no array
 * @param {(error: Error | null, responses: any) => void} callback called once; what it throws is uncaught
 */
function collectAcks(namespace, data, target, single, callback) {
  const timeout = target.flags.timeout ?? namespace.requestsTimeout;
  /** @type {any[]} */
  const responses = [];
  let servers = Infinity;
  let heard = 0;
  let clients = 0;
  let isDone = false;

  const finish = (/** @type {Error | null} */ error) => {
    if (isDone) return;
    isDone = true;
    clearTimeout(timer);
    attempt(callback, null, [error, single ? (error ? null : responses[0]) : responses]);
  };
  const check = () => {
    if (heard >= servers && responses.length >= clients) finish(null);
  };
  const timer = setTimeout(() => {
    const expected = Number.isFinite(servers) ? servers : 0;
    finish(timeoutError('operation has timed out', { expected, received: heard, missing: [] }, responses));
  }, timeout);
  const acks = {
    timeout,
    count: (/** @type {number} */ count) => {
      clients += count;
      heard++;
      check();
    },
    ack: (/** @type {any} */ response) => {
      responses.push(response);
      check();
    },
  };
  namespace.broadcastWithAck(data, target, acks).then((count) => {
    servers = count;
    check();
  }, finish);
}

module.exports = { collectAcks };
