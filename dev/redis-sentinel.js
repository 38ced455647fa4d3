'use strict';

/** A real master, its replicas and the sentinels that watch them, on this machine; gone when this process is gone. */

const { startRedis, until } = require('./redis-server');

const HOST = '127.0.0.1';

/** How often sentinels ask and tell, in ms: far more often than they do by default, since tests wait for it. */
const PERIODS = {
  'info-period': 300,
  'ping-period': 100,
  'publish-period': 200,
  'ask-period': 200,
  'tilt-period': 2000,
};

/** @typedef {Awaited<ReturnType<typeof startRedis>>} Server */
/** @typedef {{ host: string, port: number, state: 'up' | 'down' | 'paused', server: Server }} Node */

/** @param {Server} server @returns {Node} */
function nodeOf(server) {
  return { host: HOST, port: server.port, state: 'up', server };
}

/** @param {string[]} list names and values in turn @returns {Record<string, string>} */
function toObject(list) {
  return Object.fromEntries(list.flatMap((name, index) => (index % 2 === 0 ? [[name, list[index + 1]]] : [])));
}

class Sentinels {
  /**
   * @param {string} name
   * @param {Node[]} data master and replicas
   * @param {Node[]} sentinels
   */
  constructor(name, data, sentinels) {
    this.name = name;
    /** The servers with data, whatever their roles are now. */
    this.data = data;
    this.sentinels = sentinels;
  }

  /** @param {number} port of a server with data, or of a sentinel */
  node(port) {
    const node = [...this.data, ...this.sentinels].find((each) => each.port === port);
    if (!node) throw new Error(`no server of these is on port ${port}`);
    return node;
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
  async kill(port) {
    const node = this.node(port);
    node.state = 'down';
    await node.server.kill();
  }

  /** Starts a server again that was killed, or that runs: empty, with the role that it had last. @param {number} port */
  async restart(port) {
    const node = this.node(port);
    await this.kill(port);
    await node.server.restart();
    node.state = 'up';
    if (this.sentinels.includes(node)) await hasten(node);
  }

  /** Freezes a server: for the others it is cut off. @param {number} port */
  pause(port) {
    this.node(port).state = 'paused';
    this.node(port).server.pause();
  }

  /** @param {number} port */
  resume(port) {
    this.node(port).server.resume();
    this.node(port).state = 'up';
  }

  /** Resolves when all sentinels that run know each other and all replicas, and all is as it should be. */
  async healthy() {
    await until('sentinels, master and replicas are healthy', async () => {
      const master = await this.#named();
      if (master?.state !== 'up') return false;
      const checks = await Promise.all([
        ...this.#watching.map((sentinel) => this.#sees(sentinel, master)),
        ...this.data.filter(({ state }) => state === 'up').map((node) => follows(node, master)),
      ]);
      return checks.every(Boolean);
    });
  }

  /** @param {Node} sentinel @param {Node} master */
  async #sees({ server }, master) {
    const seen = toObject(await server.command('SENTINEL', 'MASTER', this.name));
    if (seen.flags !== 'master' || seen['role-reported'] !== 'master') return false;
    if (Number(seen['num-other-sentinels']) < this.#watching.length - 1) return false;
    const replicas = (await server.command('SENTINEL', 'REPLICAS', this.name)).map(toObject);
    return this.data
      .filter((node) => node !== master && node.state === 'up')
      .every(({ port }) => {
        const replica = replicas.find((each) => Number(each.port) === port);
        return replica?.flags === 'slave' && replica['master-link-status'] === 'ok';
      });
  }

  /** Ends all servers and removes what they have left. */
  async stop() {
    await Promise.all([...this.sentinels, ...this.data].map(({ server }) => server.stop()));
  }
}

/** @param {Node} node @param {Node} master @returns {Promise<boolean>} whether it is this master, or in sync with it */
async function follows(node, master) {
  const info = await node.server.command('INFO', 'replication');
  if (node === master) return info.includes('role:master');
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
  /** @param {Node[]} list @param {Parameters<typeof startRedis>[0]} settings */
  const add = async (list, settings) => list.push(nodeOf(await startRedis(settings)));
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
