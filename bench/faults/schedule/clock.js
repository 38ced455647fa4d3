'use strict';

const { setTimeout: delay } = require('node:timers/promises');

/** @type {import('../conductor').Fault[]} */
const FAULTS = [
  {
    id: 'clock',
    title: "nodes' clocks set forward and back by an hour, and then connections cut",
    setup: 'dated',
    times: { quick: 2, full: 6 },
    async run({ times, outage, random, setClocks, proxies }) {
      for (let time = 0; time < times; time++) {
        await outage(async () => {
          setClocks(time % 2 === 0 ? '+3600' : '-3600');
          await delay(random.between(500, 2000));
          for (const all of Object.values(proxies)) all[time % all.length].cut();
        });
      }
      setClocks('+0');
    },
  },
];

module.exports = { FAULTS };
