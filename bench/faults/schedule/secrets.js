'use strict';

const { setTimeout: delay } = require('node:timers/promises');

/** @type {import('../conductor').Fault[]} */
const FAULTS = [
  {
    id: 'certificate-rotation',
    title: "server's certificate changed, of one authority and of another, and connections closed",
    setup: 'secured',
    times: { quick: 2, full: 6 },
    async run({ times, outage, redis, certificates }) {
      for (let time = 0; time < times; time++) {
        const issuer = time % 2 === 0 ? certificates.stranger : certificates.ca;
        const { files } = certificates.issue(`server-${time}`, { issuer });
        await outage(async () => {
          await redis.command('CONFIG', 'SET', 'tls-cert-file', files.cert, 'tls-key-file', files.key);
          for (const type of ['NORMAL', 'PUBSUB']) await redis.command('CLIENT', 'KILL', 'TYPE', type);
        });
        await delay(200);
      }
    },
  },
];

module.exports = { FAULTS };
