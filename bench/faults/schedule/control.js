'use strict';

/** No fault at all: what the load alone does to the figures, above all to the memory. */

const { setTimeout: delay } = require('node:timers/promises');

/** How long, in ms: as long as the longest schedule of that setup takes. @type {Record<string, number>} */
const LENGTHS = { single: 20_000, sharded: 30_000 };

/** @type {import('../conductor').Fault[]} */
const FAULTS = Object.entries(LENGTHS).map(([setup, length]) => ({
  id: `control-${setup}`,
  title: `no fault (control): ${length / 1000} s of the load alone${setup === 'sharded' ? ', sharded pub/sub' : ''}`,
  setup,
  fullOnly: true,
  times: { quick: 0, full: 0 },
  run: () => delay(length),
}));

module.exports = { FAULTS };
