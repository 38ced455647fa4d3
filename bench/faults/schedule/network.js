'use strict';

/** What the network does: a proxy is in front of Redis for each node. */

const { setTimeout: delay } = require('node:timers/promises');

/** @param {any} part @param {number} node @returns {any[]} that node's proxies, of both sides */
function proxiesOf({ proxies }, node) {
  return Object.values(proxies).map((all) => all[node]);
}

/** @type {import('../conductor').Fault[]} */
const FAULTS = [
  {
    id: 'cut',
    title: 'connections of one node cut',
    setup: 'single',
    times: { quick: 2, full: 20 },
    async run(part) {
      for (let time = 0; time < part.times; time++) {
        await part.outage(() => proxiesOf(part, part.random.between(0, 3)).forEach((proxy) => proxy.cut()));
        await delay(part.random.between(100, 600));
      }
    },
  },
  {
    id: 'half-open',
    title: 'half-open connections of one node: nothing passes, nothing is closed, new ones are let in',
    setup: 'single',
    note: 'well again includes the time until the silence is noticed, which takes ours 2.5 to 3 s',
    limit: 4000,
    times: { quick: 1, full: 5 },
    async run(part) {
      for (let time = 0; time < part.times; time++) {
        const proxies = proxiesOf(part, part.random.between(0, 3));
        await part.outage(() => proxies.forEach((proxy) => proxy.strand()));
        // Nothing of what is in them is to arrive after all.
        for (const proxy of proxies) proxy.cutFrozen();
      }
    },
  },
  {
    id: 'partition',
    title: 'one node cut off from Redis, 3 to 10 s',
    setup: 'single',
    times: { quick: 1, full: 5 },
    async run(part) {
      for (let time = 0; time < part.times; time++) {
        const proxies = proxiesOf(part, part.random.between(0, 3));
        await part.outage(async () => {
          for (const proxy of proxies) proxy.vanish();
          await delay(part.quick ? 3000 : part.random.between(3000, 10_000));
          for (const proxy of proxies) {
            proxy.accept();
            proxy.cut();
            proxy.thaw();
          }
        });
      }
    },
  },
  {
    id: 'slow-subscriber',
    title: 'one node stopped until Redis closes its connection, whose output buffer is full',
    setup: 'single',
    times: { quick: 1, full: 3 },
    async run({ times, outage, redis, fleets }) {
      await redis.command('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 1mb 0 0');
      const subscribers = async () =>
        (await redis.command('CLIENT', 'LIST', 'TYPE', 'PUBSUB')).trim().split('\n').length;
      for (let time = 0; time < times; time++) {
        await outage(async () => {
          const before = await subscribers();
          for (const { nodes } of fleets) nodes[2].pause();
          while ((await subscribers()) > before - fleets.length) {
            await Promise.all(fleets.map(({ nodes }) => nodes[0].ask('flood', { count: 100, bytes: 20_000 })));
          }
          for (const { nodes } of fleets) nodes[2].resume();
        });
      }
      await redis.command('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 32mb 8mb 60');
    },
  },
];

module.exports = { FAULTS };
