'use strict';

/**
 * Of Redis streams, which keep what was sent: what others do to servers and connections, and masters that change. A
 * master may lose what it has confirmed, since replicas get it later: see each.
 */

const { setTimeout: delay } = require('node:timers/promises');

const { slotOf } = require('../../../dev/redis-cluster');
const { until } = require('../../../dev/redis-server');
const { PREFIXES } = require('../sides');
const network = require('./network');
const server = require('./server');

/** After a new master is announced. */
const LIMIT = 3000;
/** For how long a master takes no writes, in ms: longer than a failover takes. */
const PAUSE = 120_000;
const STREAMS = [...new Set(Object.values(PREFIXES))];

/** As in the other schedules; one of them in the short one. */
const ON_SERVER = [...server.FAULTS, ...network.FAULTS]
  .filter(({ id }) => ['restart', 'cut', 'partition', 'client-pause'].includes(id))
  .map((fault) => ({ ...ofStreams(fault), setup: 'streams', fullOnly: fault.id !== 'restart' }));

/** @param {import('../conductor').Fault} fault */
function ofStreams(fault) {
  return { ...fault, id: `streams-${fault.id}`, title: `streams: ${fault.title}` };
}

/**
 * Lets a master take no more writes, and resolves once its replicas have all.
 * @param {{ server: any }} master
 * @param {{ server: any }[]} replicas
 */
async function hush(master, replicas) {
  await master.server.command('CLIENT', 'PAUSE', PAUSE, 'WRITE');
  const offsets = () => Promise.all([master, ...replicas].map((node) => offsetOf(node.server)));
  await until('the replicas have all', async () => new Set(await offsets()).size === 1);
}

/** How far a server is in what a master sends its replicas. */
async function offsetOf(redis) {
  const info = await redis.command('INFO', 'replication');
  return /^master_repl_offset:(\d+)/m.exec(info)?.[1];
}

/**
 * The old master takes writes until it is told that it is none, and loses them: the adapter is to know that.
 * @type {import('../conductor').Fault}
 */
const SENTINEL_FAILOVER = {
  id: 'failover-sentinel',
  title: 'failover by Sentinel: after the master was killed, and asked for',
  setup: 'streams-sentinel',
  limit: LIMIT,
  fullOnly: true,
  times: { quick: 1, full: 10 },
  async run({ times, outage, all, rest }) {
    for (let time = 0; time < times; time++) {
      // Else no master at all would be there for long, whatever the clients do.
      if (time > 0 && time % 2 === 0) await delay(rest);
      const old = await all.master();
      const killed = time % 2 === 0;
      await outage(async () => {
        if (!killed) return void (await all.failover());
        await all.kill(old.port);
        await all.promoted(old.port);
      });
      if (killed) await all.restart(old.port);
      await all.healthy();
    }
  },
};

/**
 * A master that is killed takes no writes any more once its replicas have all, so that it loses nothing.
 * @type {import('../conductor').Fault}
 */
const CLUSTER_FAILOVER = {
  id: 'failover-cluster',
  title: "failover of a Cluster: after a stream's master was killed, and asked for",
  setup: 'streams-cluster',
  limit: LIMIT,
  fullOnly: true,
  times: { quick: 1, full: 10 },
  async run({ times, outage, cluster }) {
    for (let time = 0; time < times; time++) {
      const old = await cluster.masterOf(slotOf(STREAMS[(time >> 1) % STREAMS.length]));
      const killed = time % 2 === 0;
      await outage(async () => {
        // It hands over by itself without a loss.
        if (!killed) return void (await cluster.failover(old.port));
        await hush(old, await cluster.replicas(old.port));
        await cluster.kill(old.port);
        await cluster.healthy();
      });
      if (killed) await cluster.restart(old.port);
      await cluster.healthy();
    }
  },
};

/** @type {import('../conductor').Fault} */
const MIGRATION = {
  id: 'migration-cluster',
  title: 'slots of streams moved to another master',
  setup: 'streams-cluster',
  limit: LIMIT,
  times: { quick: 2, full: 10 },
  async run({ times, outage, random, cluster }) {
    for (let time = 0; time < times; time++) {
      await outage(async () => {
        for (const stream of STREAMS) {
          const owner = await cluster.masterOf(slotOf(stream));
          const others = (await cluster.masters()).filter((node) => node !== owner);
          await cluster.migrateSlot(slotOf(stream), random.of(others).port);
        }
      });
      await delay(random.between(100, 600));
    }
  },
};

/** @type {import('../conductor').Fault[]} */
const FAULTS = [...ON_SERVER, ...[SENTINEL_FAILOVER, CLUSTER_FAILOVER, MIGRATION].map(ofStreams)];

module.exports = { FAULTS };
