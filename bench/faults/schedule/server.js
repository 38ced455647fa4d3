'use strict';

/** What a server does, or what is done to it. */

const fs = require('node:fs');
const { setTimeout: delay } = require('node:timers/promises');

const { PASSWORD, USER } = require('../setups');

/** @type {import('../conductor').Fault[]} */
const FAULTS = [
  {
    id: 'restart',
    title: 'Redis killed, and started again',
    setup: 'single',
    times: { quick: 2, full: 20 },
    async run({ times, outage, random, redis }) {
      for (let time = 0; time < times; time++) {
        await outage(async () => {
          await redis.kill();
          await delay(random.between(20, 1500));
          await redis.restart();
        });
        await delay(random.between(100, 600));
      }
    },
  },
  {
    id: 'client-pause',
    title: '`CLIENT PAUSE`, 1 to 6 s',
    setup: 'single',
    times: { quick: 1, full: 5 },
    async run({ times, quick, outage, random, redis }) {
      for (let time = 0; time < times; time++) {
        await outage(async () => {
          const pause = quick ? 1000 : random.between(1000, 6000);
          await redis.command('CLIENT', 'PAUSE', pause);
          await delay(pause);
        });
        await delay(random.between(100, 600));
      }
    },
  },
  {
    id: 'frozen',
    title: 'Redis frozen, 1 to 6 s',
    setup: 'single',
    times: { quick: 1, full: 3 },
    async run({ times, quick, outage, random, redis }) {
      for (let time = 0; time < times; time++) {
        await outage(async () => {
          redis.pause();
          await delay(quick ? 1000 : random.between(1000, 6000));
          redis.resume();
        });
      }
    },
  },
  {
    id: 'password-rotation',
    title: 'password changed, and connections closed',
    setup: 'single',
    times: { quick: 2, full: 6 },
    async run({ times, outage, redis, passwordFile }) {
      for (let time = 1; time <= times; time++) {
        // As it was at the end: a server that starts again knows the first one.
        const password = time === times ? PASSWORD : `password-${time}`;
        await outage(async () => {
          await redis.command('ACL', 'SETUSER', USER, 'resetpass', `>${password}`);
          fs.writeFileSync(passwordFile, password);
          await redis.command('CLIENT', 'KILL', 'USER', USER);
        });
        await delay(200);
      }
    },
  },
];

module.exports = { FAULTS };
