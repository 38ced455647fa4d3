'use strict';

/** What the application, and others on its channels, do. */

const { setTimeout: delay } = require('node:timers/promises');

const { publishMalformed } = require('../malformed');

/** @param {string} id @param {number} seconds @returns {import('../conductor').Fault} */
function blocked(id, seconds) {
  return {
    id,
    title: `event loop of one node blocked, ${seconds} s`,
    setup: 'single',
    times: { quick: 1, full: 2 },
    async run({ times, outage, fleets, random }) {
      for (let time = 0; time < times; time++) {
        const node = random.between(0, 3);
        await outage(() =>
          Promise.all(fleets.map(({ nodes }) => nodes[node].ask('block', { ms: seconds * 1000 }))).then(
            () => undefined,
          ),
        );
        await delay(200);
      }
    },
  };
}

/** @type {import('../conductor').Fault[]} */
const FAULTS = [
  blocked('blocked-3s', 3),
  { ...blocked('blocked-20s', 20), fullOnly: true },
  {
    id: 'malformed',
    title: 'malformed payloads from elsewhere: 10,000 (short), 1,000,000',
    setup: 'single',
    times: { quick: 10_000, full: 1_000_000 },
    async run({ times, outage, redis, random }) {
      await outage(() => publishMalformed(redis.port, times, random));
    },
  },
];

/** With a small mailbox. @type {import('../conductor').Fault[]} */
const MAILBOX_FAULTS = [
  { ...blocked('full-mailbox', 3), title: 'event loop of one node blocked for 3 s, mailbox full', setup: 'mailbox' },
];

module.exports = { FAULTS, MAILBOX_FAULTS };
