'use strict';

/** Masters that change. */

const { setTimeout: delay } = require('node:timers/promises');

const { slotOf } = require('../../../dev/redis-cluster');
const { now } = require('../clock');
const { OFFICIAL } = require('../sides');

/** After a new master is announced. */
const LIMIT = 3000;

/** @type {import('../conductor').Fault} */
const SPLIT_BRAIN = {
  id: 'split-brain',
  title: 'split brain: the old master goes on for 3 to 8 s with two nodes on it, then becomes a replica',
  setup: 'pair',
  limit: LIMIT,
  times: { quick: 1, full: 3 },
  async run({ times, quick, outage, random, servers, proxies, follow }) {
    for (let time = 0; time < times; time++) {
      const [old, next] = time % 2 === 0 ? servers : [...servers].reverse();
      const all = Object.values(proxies).flat();
      await outage(async () => {
        await next.command('REPLICAOF', 'NO', 'ONE');
        for (const [, , last] of Object.values(proxies)) {
          last.retarget(next.port);
          last.cut();
        }
        await delay(quick ? 3000 : random.between(3000, 8000));
        for (const proxy of all) proxy.retarget(next.port);
        const announced = now();
        await follow(old, next);
        return announced;
      });
      // Who notices nothing is to begin anew.
      for (const proxy of proxies[OFFICIAL]) proxy.cut();
      await delay(1000);
    }
  },
};

/** @type {import('../conductor').Fault} */
const SENTINEL_FAILOVER = {
  id: 'failover-sentinel',
  title: 'failover by Sentinel: after the master was killed, and asked for',
  setup: 'sentinel',
  note: 'sentinels that do not agree which of them is to lead begin anew after seconds, and meanwhile there is no master: writes of session data are answered with ERR_COMMAND_TIMEOUT after 5 s',
  limit: LIMIT,
  times: { quick: 1, full: 10 },
  async run({ times, outage, all, rest }) {
    for (let time = 0; time < times; time++) {
      // Else no master at all would be there for long, whatever the clients do.
      if (time > 0 && time % 2 === 0) await delay(rest);
      let dead;
      await outage(async () => {
        if (time % 2 === 1) return void (await all.failover());
        dead = await all.killMaster();
        await all.promoted(dead.port);
      });
      if (dead) await all.restart(dead.port);
      await all.healthy();
    }
  },
};

/** Their slots are those of channels, and of session data. */
const KEYS = ['ours#/#all#', 'official#/#all#', 'ours#/#', 'official#/#', 'node0'];

/** @param {string} setup @returns {import('../conductor').Fault[]} */
function onCluster(setup) {
  return [
    {
      id: `failover-${setup}`,
      title: `failover of a Cluster${setup === 'sharded' ? ', sharded pub/sub' : ''}: after a master was killed, and asked for`,
      setup,
      limit: LIMIT,
      times: { quick: 1, full: 10 },
      async run({ times, outage, cluster }) {
        for (let time = 0; time < times; time++) {
          const old = await cluster.masterOf(slotOf(KEYS[time % KEYS.length]));
          const killed = time % 2 === 0;
          await outage(async () => {
            if (!killed) return void (await cluster.failover(old.port));
            await cluster.kill(old.port);
            await cluster.healthy();
          });
          if (killed) await cluster.restart(old.port);
          await cluster.healthy();
        }
      },
    },
    {
      id: `migration-${setup}`,
      title: `slots of channels and sessions moved to another master${setup === 'sharded' ? ', sharded pub/sub' : ''}`,
      setup,
      limit: LIMIT,
      times: { quick: 2, full: 10 },
      async run({ times, outage, random, cluster }) {
        for (let time = 0; time < times; time++) {
          await outage(async () => {
            for (const key of KEYS) {
              const owner = await cluster.masterOf(slotOf(key));
              const others = (await cluster.masters()).filter((node) => node !== owner);
              await cluster.migrateSlot(slotOf(key), random.of(others).port);
            }
          });
          await delay(random.between(100, 600));
        }
      },
    },
  ];
}

/** @type {import('../conductor').Fault[]} */
const FAULTS = [SPLIT_BRAIN, SENTINEL_FAILOVER, ...onCluster('cluster'), ...onCluster('sharded')];

module.exports = { FAULTS };
