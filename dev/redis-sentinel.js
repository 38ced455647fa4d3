'use strict';

/** A real master, its replicas and the sentinels that watch them, on this machine; gone when this process is gone. */

const { HOST, Nodes, startNode } = require('./redis-nodes');
const { until } = require('./redis-server');

/** How often sentinels ask and tell, in ms: far more often than they do by default, since tests wait for it. */
const PERIODS = {
  'info-period': 300,
  'ping-period': 100,
  'publish-period': 200,
  'ask-period': 200,
  'tilt-period': 2000,
};

/** @typedef {import('./redis-nodes').Node} Node */

/** @param {string[]} list names and values in turn @returns {Record<string, string>} */
function toObject(list) {
  return Object.fromEntries(list.flatMap((name, index) => (index % 2 === 0 ? [[name, list[index + 1]]] : [])));
}

class Sentinels extends Nodes {
  /**
   * @param {string} name
   * @param {Node[]} data master and replicas
   * @param {Node[]} sentinels
   */
  constructor(name, data, sentinels) {
    super(data, sentinels);
    this.name = name;
    /** The servers with data, whatever their roles are now. */
    this.data = data;
    this.sentinels = sentinels;
  }

  get #watching() {
    return this.sentinels.filter(({ state }) => state === 'up');
  }

  /** @returns {Promise<Node>} the master, once all running sentinels name the same */
  async master() {
    return until('all sentinels name one master', () => this.#named());
  }

  /** @returns {Promise<Node | null>} whom all running sentinels name */
  async #named() {
    const answers = this.#watching.map(({ server }) =>
      server.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.name),
    );
    const ports = new Set((await Promise.all(answers)).map(([, port]) => Number(port)));
    return ports.size === 1 ? this.node([...ports][0]) : null;
  }

  /** @returns {Promise<Node[]>} the running servers with data that are not the master */
  async replicas() {
    const master = await this.master();
    return this.data.filter((node) => node !== master && node.state === 'up');
  }

  /**
   * Makes a replica the master, and resolves with it once all sentinels name it. The old master runs, and becomes a
   * replica some time later: see `healthy()`.
   */
  async failover() {
    const old = await this.master();
    let asked = false;
    return until('another master is named', async () => {
      const named = await this.#named();
      if (named && named !== old) return named;
      if (!asked && named) {
        // Refused as long as another failover goes on, or no replica is fit.
        await this.#watching[0].server.command('SENTINEL', 'FAILOVER', this.name);
        asked = true;
      }
      return null;
    });
  }

  /** Kills the master without a farewell, and resolves with it. */
  async killMaster() {
    const master = await this.master();
    await this.kill(master.port);
    return master;
  }

  /**
   * Resolves with the new master once all running sentinels name another one.
   * @param {number} oldPort
   * @returns {Promise<Node>}
   */
  async promoted(oldPort) {
    return until(`another master than ${oldPort} is named`, async () => {
      const named = await this.#named();
      return named?.port === oldPort ? null : named;
    });
  }

  /** @param {number} port */
  async restart(port) {
    await super.restart(port);
    if (this.sentinels.includes(this.node(port))) await hasten(this.node(port));
  }

  /**
   * Resolves when all sentinels that run know each other and all replicas, these have taken what the master sends, and
   * all is as it should be.
   */
  async healthy() {
    await until('sentinels, master and replicas are healthy', async () => {
      const master = await this.#named();
      if (master?.state !== 'up') return false;
      const replicas = this.data.filter((node) => node !== master && node.state === 'up');
      const checks = await Promise.all([
        leads(master, replicas),
        ...replicas.map((replica) => follows(replica, master)),
        ...this.#watching.map((sentinel) => this.#sees(sentinel, master, replicas)),
      ]);
      return checks.every(Boolean);
    });
  }

  /** @param {Node} sentinel @param {Node} master @param {Node[]} replicas */
  async #sees({ server }, master, replicas) {
    const seen = toObject(await server.command('SENTINEL', 'MASTER', this.name));
    if (seen.flags !== 'master' || seen['role-reported'] !== 'master') return false;
    if (Number(seen['num-other-sentinels']) < this.#watching.length - 1) return false;
    const known = (await server.command('SENTINEL', 'REPLICAS', this.name)).map(toObject);
    return replicas.every(({ port }) => {
      const replica = known.find((each) => Number(each.port) === port);
      return (
        replica?.flags === 'slave' && replica['master-link-status'] === 'ok' && Number(replica['slave-repl-offset'])
      );
    });
  }
}

/** @param {Node} master @param {Node[]} replicas whether they have all acknowledged what it sent */
async function leads(master, replicas) {
  const info = await master.server.command('INFO', 'replication');
  // Offset 0: connected, and nothing taken yet.
  return (
    info.includes('role:master') &&
    replicas.every(({ port }) => new RegExp(`port=${port},state=online,offset=[1-9]`).test(info))
  );
}

/** @param {Node} replica @param {Node} master whether it is in sync with it */
async function follows(replica, master) {
  const info = await replica.server.command('INFO', 'replication');
  return info.includes(`master_port:${master.port}\r`) && info.includes('master_link_status:up');
}

/** Redis before 7 knows no such command: there it all takes longer. @param {Node} sentinel */
async function hasten({ server }) {
  await server.command('SENTINEL', 'DEBUG', ...Object.entries(PERIODS).flat()).catch(() => {});
}

/**
 * Starts a master, its replicas and sentinels on free ports of 127.0.0.1, and resolves when all know each other.
 * @param {object} [options]
 * @param {number} [options.sentinels]
 * @param {number} [options.replicas]
 * @param {string} [options.name] of the master, for the sentinels
 * @param {string} [options.password] of master and replicas
 * @param {string} [options.sentinelPassword]
 * @param {number} [options.downAfter] of silence a master is down, in ms
 * @param {number} [options.failoverTimeout] in ms; the next failover of their own begins after twice that
 * @param {string[]} [options.args] more arguments for master and replicas
 * @returns {Promise<Sentinels>}
 */
async function startSentinels(options = {}) {
  const { sentinels = 3, replicas = 1, name = 'mymaster', downAfter = 1000, failoverTimeout = 3000 } = options;
  const { password, sentinelPassword } = options;
  const args = [
    ...['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1'],
    ...(password ? ['--masterauth', password] : []),
    ...(options.args ?? []),
  ];
  const all = new Sentinels(name, [], []);
  /** @param {Node[]} list @param {Parameters<typeof startNode>[0]} settings */
  const add = async (list, settings) => list.push(await startNode(settings));
  try {
    // Sentinels write into its file whose replica a server is, which holds when it starts again.
    await add(all.data, { password, args, config: '' });
    const { port } = all.data[0];
    const replicaOf = `replicaof ${HOST} ${port}`;
    const config = [
      `sentinel monitor ${name} ${HOST} ${port} ${Math.floor(sentinels / 2) + 1}`,
      ...(password ? [`sentinel auth-pass ${name} ${password}`] : []),
      `sentinel down-after-milliseconds ${name} ${downAfter}`,
      `sentinel failover-timeout ${name} ${failoverTimeout}`,
    ].join('\n');
    const watching = { password: sentinelPassword, args: ['--sentinel'], config };
    await Promise.all([
      ...Array.from({ length: replicas }, () => add(all.data, { password, args, config: replicaOf })),
      ...Array.from({ length: sentinels }, () => add(all.sentinels, watching)),
    ]);
    await Promise.all(all.sentinels.map(hasten));
    await all.healthy();
    return all;
  } catch (error) {
    await all.stop();
    throw error;
  }
}

module.exports = { startSentinels };
