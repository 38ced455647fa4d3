'use strict';

const { setTimeout: delay } = require('node:timers/promises');

/** @type {import('../conductor').Fault[]} */
const FAULTS = [
  {
    id: 'clock',
    title: "nodes' clocks set forward and back by an hour, and then connections cut",
    setup: 'dated',
    note: 'connections are cut 3 s later: where a clock is set back within the second before, that gap is too short',
    times: { quick: 2, full: 6 },
    async run({ times, outage, random, setClocks, proxies }) {
      for (let time = 0; time < times; time++) {
        await outage(async () => {
          setClocks(time % 2 === 0 ? '+3600' : '-3600');
          // Until pings have been answered on the new time: a gap across a clock that is set back is too short.
          await delay(random.between(3000, 4000));
          for (const all of Object.values(proxies)) all[time % all.length].cut();
        });
      }
      setClocks('+0');
    },
  },
];

module.exports = { FAULTS };
