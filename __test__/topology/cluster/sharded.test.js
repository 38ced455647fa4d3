'use strict';

/** `createShardedAdapter` on a cluster, beside official servers: slots that move, and masters that fall. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const { after, before, describe, it } = require('node:test');
const official = require('@socket.io/redis-adapter');
const { Cluster } = /** @type {any} */ (require('ioredis-6'));
const { Server } = require('socket.io-4');
const { startCluster, slotOf } = require('../../../dev/redis-cluster');
const { until } = require('../../../dev/redis-server');
const { createShardedAdapter } = require('../../../index.js');
const { AdapterClient } = require('../../support/adapter-client');
const { ANSWER, LIMIT, PATIENCE } = require('../../support/limits');
const { within } = require('../../support/load');

const ROOMS = ['red', 'green', 'blue', 'yellow', 'black'];
const CHANNELS = ['socket.io#/#', ...ROOMS.map((room) => `socket.io#/#${room}#`)];

/** A server with one client, which is in all rooms. */
class Node {
  #server = http.createServer();
  /** @type {any[]} */
  #clients = [];
  url = '';
  /** @type {any} */
  io;
  /** @type {AdapterClient} */
  client = /** @type {any} */ (null);

  /** @param {any} cluster @param {boolean} native */
  constructor(cluster, native) {
    this.native = native;
    const seeds = cluster.nodes.map((/** @type {any} */ { host, port }) => ({ host, port }));
    if (native) {
      const urls = seeds.map(({ host, port }) => `redis://${host}:${port}`);
      this.io = new Server(this.#server, { adapter: createShardedAdapter(urls, urls, { requestsTimeout: PATIENCE }) });
    } else {
      this.#clients = [0, 1].map(() => new Cluster(seeds, { shardedSubscribers: true }));
      for (const client of this.#clients) client.on('error', () => {});
      this.io = new Server(this.#server, {
        adapter: official.createShardedAdapter(this.#clients[0], this.#clients[1]),
      });
    }
  }

  async start() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const { port } = /** @type {import('node:net').AddressInfo} */ (this.#server.address());
    this.url = `http://127.0.0.1:${port}`;
    this.client = await new AdapterClient(/** @type {any} */ (this), '/').open();
    this.client.answers('ask', (i) => i + 1);
    this.io.on('who', (/** @type {(answer: boolean) => void} */ answer) => answer(this.native));
    await this.client.peer.join(ROOMS);
  }

  async stop() {
    await this.client?.close();
    this.io.close();
    for (const client of this.#clients) client.disconnect();
  }
}

/** Resolves when the masters of these channels have as many subscribers as there are nodes. */
async function settled(cluster, nodes) {
  for (const channel of CHANNELS) {
    await until(
      `${nodes.length} servers are subscribed to ${channel}`,
      async () => {
        const master = await cluster.masterOf(slotOf(channel));
        const [, count] = await master.server.command('PUBSUB', 'SHARDNUMSUB', channel);
        return count === nodes.length;
      },
      PATIENCE,
    );
  }
}

/** The next gap of a server; errors may come before it. @returns {Promise<any>} */
function gapOf(io) {
  const { adapter } = io.of('/');
  const told = new Promise((resolve) => {
    adapter.once('gap', resolve);
  });
  return within('a gap', told, () => adapter.stats());
}

/** Each node sends to all, on every channel, and asks all. */
async function exchange(nodes) {
  for (const sender of nodes) {
    for (const room of ROOMS) sender.io.to(room).emit(room, Buffer.from(room));
    sender.io.to(ROOMS).emit('several');
    sender.io.emit('all', { a: [1] });
    const expected = [...ROOMS.map((room) => [room, Buffer.from(room)]), ['several'], ['all', { a: [1] }]];
    for (const { client } of nodes) {
      const heard = await client.untilAll(...expected.map(([event]) => String(event)));
      const others = heard.filter(([event]) => event !== 'ask');
      assert.deepEqual(others, [], 'all of it comes once');
    }
    const others = nodes.filter((node) => node !== sender);
    assert.equal((await sender.io.fetchSockets()).length, nodes.length);
    const answers = await new Promise((resolve, reject) => {
      sender.io.serverSideEmit('who', (/** @type {any} */ error, /** @type {any[]} */ all) =>
        error ? reject(error) : resolve(all),
      );
    });
    assert.deepEqual(answers.sort(), others.map(({ native }) => native).sort());
    assert.deepEqual(
      await sender.io.timeout(ANSWER).emitWithAck('ask', 1),
      nodes.map(() => 2),
    );
    assert.equal(await sender.io.of('/').adapter.serverCount(), nodes.length);
  }
}

describe('sharded channels on a cluster', LIMIT, () => {
  /** @type {any} */
  let cluster;
  /** @type {Node[]} */
  let nodes = [];

  before(async () => {
    cluster = await startCluster({ masters: 3, replicas: 1 });
    nodes = [true, false, true].map((native) => new Node(cluster, native));
    await Promise.all(nodes.map((node) => node.start()));
    await settled(cluster, nodes);
  });
  after(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await cluster?.stop();
  });

  it('carry broadcasts and requests between our servers and official ones', () => exchange(nodes));

  it('are left and joined again where their slots move to', async () => {
    const natives = nodes.filter(({ native }) => native);
    for (const channel of CHANNELS.slice(0, 3)) {
      const slot = slotOf(channel);
      const from = await cluster.masterOf(slot);
      const to = (await cluster.masters()).find((/** @type {any} */ { port }) => port !== from.port);
      const told = natives.map(({ io }) => gapOf(io));
      await cluster.migrateSlot(slot, to.port);
      for (const gap of await Promise.all(told)) assert.equal(gap.connection, 'sub');
      await settled(cluster, nodes);
    }
    await exchange(nodes);
  });

  it('are put back and confirmed when a replica takes over from a master that dies', async () => {
    const natives = nodes.filter(({ native }) => native);
    await Promise.all(nodes.filter(({ native }) => !native).map((node) => node.stop()));
    nodes = natives;
    await settled(cluster, natives);
    for (const { io } of natives) io.of('/').adapter.on('error', () => {}); // of the master that is away
    const { port } = await cluster.masterOf(slotOf(CHANNELS[0]));
    const told = natives.map(({ io }) => gapOf(io));
    await cluster.kill(port);
    await cluster.failover(port);
    for (const gap of await Promise.all(told)) assert.equal(gap.connection, 'sub');
    await settled(cluster, natives);
    await Promise.all(natives.map(({ io }) => io.of('/').adapter.ready()));
    await exchange(natives);
  });
});
