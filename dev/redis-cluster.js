'use strict';

/** A real Redis Cluster on this machine: made, broken and mended at will, and gone when this process is gone. */

const net = require('node:net');
const { once } = require('node:events');

const { HOST, Nodes, startNode } = require('./redis-nodes');
const { until } = require('./redis-server');

const SLOTS = 16_384;
/** How long a replica goes on with a failover that it was asked for, in ms (CLUSTER_MF_TIMEOUT in Redis). */
const MANUAL_FAILOVER = 5000;
/** Whether a replica takes over only where it is asked to. */
const NO_FAILOVER = 'cluster-replica-no-failover';
/** Ports of the cluster's bus: below those that the kernel gives to connections, which may take a dead node's. */
const BUS_PORTS = { first: 11_000, count: 20_000 };

/** @typedef {import('./redis-nodes').Node & { id: string }} Node `id`: as in CLUSTER NODES */

/** What a node says of one node. @typedef {{ id: string, flags: string[], master: string | null, epoch: number, slots: [number, number][] }} Line */

/**
 * The slot of a key, or of a sharded channel: CRC-16/XMODEM of what is between its first braces, or of all.
 * @param {string | Buffer} key
 * @returns {number}
 */
function slotOf(key) {
  const bytes = Buffer.from(key);
  const open = bytes.indexOf('{');
  const close = open < 0 ? -1 : bytes.indexOf('}', open + 1);
  let crc = 0;
  for (const byte of close > open + 1 ? bytes.subarray(open + 1, close) : bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return crc % SLOTS;
}

/**
 * @param {string} text of CLUSTER NODES
 * @returns {Line[]}
 */
function parseNodes(text) {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [id, , flags, master, , , epoch, , ...slots] = line.split(' ');
      const owned = slots.filter((range) => !range.startsWith('['));
      return {
        id,
        flags: flags.split(','),
        master: master === '-' ? null : master,
        epoch: Number(epoch),
        slots: owned.map((range) => {
          const [first, last = first] = range.split('-').map(Number);
          return /** @type {[number, number]} */ ([first, last]);
        }),
      };
    });
}

/** @returns {Promise<number>} a port for the bus that is free */
async function freeBusPort() {
  const port = BUS_PORTS.first + Math.floor(Math.random() * BUS_PORTS.count);
  const server = net.createServer().listen(port, HOST);
  try {
    await once(server, 'listening');
  } catch {
    return freeBusPort();
  }
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * @param {string[]} args
 * @param {string} [password]
 * @returns {Promise<Node>}
 */
async function startClusterNode(args, password) {
  const bus = String(await freeBusPort());
  const node = await startNode({ password, args: ['--cluster-port', bus, ...args] });
  return { ...node, id: await node.server.command('CLUSTER', 'MYID') };
}

/** @extends {Nodes<Node>} */
class Cluster extends Nodes {
  #password;

  /**
   * @param {Node[]} nodes
   * @param {string | undefined} password
   */
  constructor(nodes, password) {
    super(nodes);
    this.urls = nodes.map(({ server }) => server.url);
    this.slotOf = slotOf;
    this.#password = password;
  }

  /** Nodes that run and answer. */
  get running() {
    return this.nodes.filter(({ state }) => state === 'up');
  }

  /** Kills a server without a farewell; a replica of it takes over. @param {number} port */
  async kill(port) {
    await this.#replaceable(port);
    await super.kill(port);
  }

  /** Freezes a server, for which a replica takes over when that lasts. @param {number} port */
  async pause(port) {
    await this.#replaceable(port);
    super.pause(port);
  }

  /**
   * Lets replicas take over from this server, and from no other: where the machine is busy, one may seem to be down
   * that only waits for its turn, and what it has not passed on yet would be lost.
   * @param {number} port
   */
  async #replaceable(port) {
    const replicas = await this.replicas(port);
    await Promise.all(
      this.running.map((node) =>
        node.server.command('CONFIG', 'SET', NO_FAILOVER, replicas.includes(node) ? 'no' : 'yes'),
      ),
    );
  }

  /** What a node says of the cluster. @param {Node} node */
  async #view({ server }) {
    return parseNodes(await server.command('CLUSTER', 'NODES'));
  }

  /** What each running node says of itself. */
  async #selves() {
    const views = await Promise.all(this.running.map(async (node) => ({ node, lines: await this.#view(node) })));
    return views.map(({ node, lines }) => ({
      node,
      self: /** @type {Line} */ (lines.find(({ flags }) => flags.includes('myself'))),
    }));
  }

  /** @returns {Promise<Node[]>} running nodes that are masters with slots, by what they say themselves */
  async masters() {
    const selves = await this.#selves();
    return selves.filter(({ self }) => self.flags.includes('master') && self.slots.length > 0).map(({ node }) => node);
  }

  /**
   * @param {number} [masterPort] of this master alone
   * @returns {Promise<Node[]>} running nodes that are replicas
   */
  async replicas(masterPort) {
    const master = masterPort === undefined ? undefined : this.node(masterPort).id;
    return (await this.#selves())
      .filter(({ self }) => self.master !== null && (master === undefined || self.master === master))
      .map(({ node }) => node);
  }

  /**
   * @param {number} slot
   * @returns {Promise<Node>} the running node that serves it: of two that say so, the one of the later epoch
   */
  async masterOf(slot) {
    const owners = (await this.#selves()).filter(
      ({ self }) => self.flags.includes('master') && self.slots.some(([first, last]) => first <= slot && slot <= last),
    );
    owners.sort((a, b) => b.self.epoch - a.self.epoch);
    if (owners.length === 0) throw new Error(`no running node serves slot ${slot}`);
    return owners[0].node;
  }

  /**
   * Makes a replica of this master the master, and resolves with it once all running nodes agree. A master that
   * runs hands over; of one that does not, a replica takes over without a vote.
   * @param {number} masterPort
   * @param {'FORCE' | 'TAKEOVER'} [how]
   */
  async failover(masterPort, how = this.node(masterPort).state === 'up' ? undefined : 'TAKEOVER') {
    const old = this.node(masterPort);
    const replica = await until(`a replica of ${masterPort} that is in sync`, async () => {
      for (const each of await this.replicas(masterPort)) if (how || (await this.#inSync(each))) return each;
      return null;
    });
    let asked = -Infinity;
    await until(`${replica.port} is master instead of ${masterPort}`, async () => {
      // Redis gives up after a while what was asked for, where the machine is busy.
      if (Date.now() - asked > MANUAL_FAILOVER + 1000) {
        asked = Date.now();
        await replica.server.command('CLUSTER', 'FAILOVER', ...(how ? [how] : []));
      }
      return this.#agreed((lines) => {
        const line = (id) => lines.find((each) => each.id === id);
        return line(replica.id)?.flags.includes('master') && line(old.id)?.slots.length === 0;
      });
    });
    return replica;
  }

  /** @param {Node} node @returns {Promise<boolean>} whether this replica has what its master has */
  async #inSync({ server }) {
    return (await server.command('INFO', 'replication')).includes('master_link_status:up');
  }

  /** @param {(lines: Line[]) => unknown} sees @returns {Promise<boolean>} whether all running nodes see it so */
  async #agreed(sees) {
    const views = await Promise.all(this.running.map((node) => this.#view(node)));
    return views.every(sees);
  }

  /**
   * Moves a slot with its keys to another master, as `redis-cli --cluster reshard` does.
   * @param {number} slot
   * @param {number} toPort
   * @param {object} [options]
   * @param {() => unknown} [options.during] called and awaited when the slot is between the two, its keys not moved
   */
  async migrateSlot(slot, toPort, { during } = {}) {
    const [from, to] = [await this.masterOf(slot), this.node(toPort)];
    if (from === to) return;
    await to.server.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
    await from.server.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
    await during?.();
    const login = this.#password ? ['AUTH', this.#password] : [];
    for (;;) {
      const keys = await from.server.command('CLUSTER', 'GETKEYSINSLOT', slot, 100);
      if (keys.length === 0) break;
      await from.server.command('MIGRATE', HOST, toPort, '', 0, 60_000, ...login, 'KEYS', ...keys);
    }
    // The new owner first: a slot that nobody has would be lost with the old one.
    const others = (await this.masters()).filter((node) => node !== to && node !== from);
    for (const { server } of [to, from, ...others]) await server.command('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
    await until(`all nodes know that slot ${slot} is on ${toPort}`, () =>
      this.#agreed((lines) => {
        const owner = lines.find(({ slots }) => slots.some(([first, last]) => first <= slot && slot <= last));
        return owner?.id === to.id;
      }),
    );
  }

  /**
   * Resolves when all running nodes take commands, agree on who serves which slots, see those as failed that do not
   * run, and no others, and have their replicas in sync.
   */
  async healthy() {
    await until('the cluster is healthy', async () => {
      const { running } = this;
      const ids = new Set(running.map(({ id }) => id));
      const states = await Promise.all(running.map(({ server }) => server.command('CLUSTER', 'INFO')));
      if (!states.every((state) => state.includes('cluster_state:ok'))) return false;
      const views = await Promise.all(running.map((node) => this.#view(node)));
      const known = views.every((lines) => {
        const seen = lines.filter(({ id }) => ids.has(id));
        const gone = lines.filter(({ id }) => !ids.has(id));
        const troubled = seen.some(({ flags }) => flags.some((flag) => /^(fail\??|handshake|noaddr)$/.test(flag)));
        const noticed = gone.every(({ flags, slots }) => flags.includes('fail') || slots.length === 0);
        return seen.length === ids.size && !troubled && noticed;
      });
      if (!known || new Set(views.map(owners)).size !== 1) return false;
      const synced = (await this.replicas()).map((node) => this.#inSync(node));
      return (await Promise.all(synced)).every(Boolean);
    });
  }
}

/** @param {Line[]} lines @returns {string} who has which slots, and whose replica each one is */
function owners(lines) {
  return lines
    .filter(({ flags }) => !flags.includes('fail'))
    .map(({ id, master, slots }) => `${id} ${master} ${slots.join(' ')}`)
    .sort()
    .join('\n');
}

/**
 * Makes one cluster of these nodes, all of which know each other.
 * @param {Node[]} nodes the masters first
 * @param {number} masters
 */
async function join(nodes, masters) {
  await Promise.all(
    nodes.map(async ({ server }, index) => {
      await server.command('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
      if (index >= masters) return;
      const [first, next] = [index, index + 1].map((part) => Math.round((part * SLOTS) / masters));
      await server.command('CLUSTER', 'ADDSLOTSRANGE', first, next - 1);
    }),
  );
  const buses = nodes.map(({ server }) => server.command('CONFIG', 'GET', 'cluster-port'));
  const addresses = (await Promise.all(buses)).map(([, bus], index) => [HOST, nodes[index].port, bus]);
  for (const [index, { server }] of nodes.entries())
    for (const address of addresses.slice(index + 1)) await server.command('CLUSTER', 'MEET', ...address);
  for (const [index, { server }] of nodes.entries()) {
    if (index < masters) continue;
    // It replicates only whom it knows already.
    await until('a replica knows its master', async () => {
      await server.command('CLUSTER', 'REPLICATE', nodes[index % masters].id);
      return true;
    });
  }
}

/**
 * Starts a cluster on free ports of 127.0.0.1, without persistence, and resolves when it is healthy.
 * @param {object} [options]
 * @param {number} [options.masters] which share the slots evenly
 * @param {number} [options.replicas] of each master
 * @param {number} [options.nodeTimeout] after which a silent node is down, in ms
 * @param {boolean} [options.fullCoverage] whether all slots need a node, for the others to be served
 * @param {string} [options.password]
 * @param {string[]} [options.args] more arguments for each server
 * @returns {Promise<Cluster>}
 */
async function startCluster(options = {}) {
  const { masters = 3, replicas = 1, nodeTimeout = 1500, fullCoverage = true, password, args = [] } = options;
  const each = [
    ...['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf', '--cluster-announce-ip', HOST],
    ...['--cluster-node-timeout', String(nodeTimeout), '--cluster-require-full-coverage', fullCoverage ? 'yes' : 'no'],
    ...['--cluster-migration-barrier', '100', '--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1'],
    ...[`--${NO_FAILOVER}`, 'yes'],
    ...(password ? ['--masterauth', password] : []),
    ...args,
  ];
  const count = masters * (1 + replicas);
  const started = await Promise.allSettled(Array.from({ length: count }, () => startClusterNode(each, password)));
  const cluster = new Cluster(
    started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : [])),
    password,
  );
  try {
    for (const node of started) if (node.status === 'rejected') throw node.reason;
    await join(cluster.nodes, masters);
    await cluster.healthy();
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

module.exports = { slotOf, startCluster };
