'use strict';

/** Classic messages through a cluster whose nodes go: each is delivered or told of, none twice, all in order. */

const assert = require('node:assert');
const { on } = require('node:events');
const { afterEach, beforeEach, describe, it } = require('node:test');

const { Load, Receipt, assertBothHit, closeAll, finish } = require('../../support/load');
const { LIMIT } = require('../../support/limits');
const { connected } = require('../../support/stores');
const { clusterAs, startCluster, storeOn, until } = require('./fixture');

/** Messages in each turn of about 1 ms. */
const CHUNK = 5;

describe('messages through a cluster', LIMIT, () => {
  /** @type {Awaited<ReturnType<typeof startCluster>>} */
  let cluster;
  let stores;
  let load;
  let receipt;

  beforeEach(async () => {
    cluster = await startCluster();
    const [publisher, subscriber] = (stores = [0, 1].map(() => storeOn(clusterAs('options', cluster))));
    load = new Load(publisher, 'load');
    receipt = new Receipt(subscriber, 'load');
    await receipt.subscribed;
    await Promise.all(stores.map(connected));
    load.start(CHUNK);
    await receipt.more(1000);
  });

  afterEach(async () => {
    await load.stop();
    await closeAll(...stores);
    await cluster.stop();
  });

  /**
   * Of what a connection did last, there is a moment in which it is this.
   * @param {RegExp} pattern
   * @returns {Promise<number>} the port of a node of which a client does or has this
   */
  async function portWith(pattern) {
    /** @type {any} */
    let found;
    await until(`a connection like ${pattern}`, async () => {
      const lists = await Promise.all(cluster.running.map(({ server }) => server.command('CLIENT', 'LIST')));
      found = cluster.running.find((_, i) => pattern.test(lists[i]));
      return found;
    });
    return found.port;
  }
  const subscribersPort = () => portWith(/ sub=[1-9]/);
  const subscribedAgain = async () => {
    for await (const [{ connection }] of on(stores[1], 'connect')) if (connection === 'sub') return;
  };
  const publishersPort = () => portWith(/ cmd=publish /);

  /** All is well again, and the books are in order. */
  async function settle() {
    await cluster.healthy();
    await Promise.all(stores.map(connected));
    await receipt.more(1000);
    await finish(load, receipt);
    assertBothHit(load, receipt);
  }

  it('when masters hand over, one after the other', async () => {
    for (const { port } of await cluster.masters()) {
      await cluster.failover(port);
      await receipt.more(500);
    }
    await settle();
  });

  it('without a gap when the node that is subscribed on becomes a replica', async () => {
    const gaps = [];
    stores[1].on('gap', (gap) => gaps.push(gap));
    const port = await subscribersPort();
    await cluster.failover(port);
    await settle();
    assert.strictEqual(await subscribersPort(), port);
    assert.deepStrictEqual(gaps, []);
  });

  it('on the same node again when the subscriber is cut off', async () => {
    const port = await subscribersPort();
    for (let cuts = 0; cuts < 5; cuts++) {
      const again = subscribedAgain();
      await cluster.node(port).server.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await again;
      assert.strictEqual(await subscribersPort(), port);
    }
    await settle();
  });

  it('when the node is killed that is subscribed on', async () => {
    const port = await subscribersPort();
    await cluster.kill(port);
    await cluster.healthy();
    await receipt.more(500);
    await cluster.restart(port);
    await settle();
  });

  it('when the node is killed that is published on', async () => {
    const port = await publishersPort();
    await cluster.kill(port);
    await receipt.more(500);
    await cluster.healthy();
    await receipt.more(500);
    await cluster.restart(port);
    await settle();
  });

  it('when all nodes are restarted, one after the other', async () => {
    for (const { port } of cluster.nodes) {
      await cluster.kill(port);
      await cluster.healthy();
      await cluster.restart(port);
      await cluster.healthy();
      await receipt.more(200);
    }
    await settle();
  });

  it('when a node is in the map and does not answer', async () => {
    // What a frozen node has in its buffers is published when it goes on, behind what went another way.
    await until('the publisher to be elsewhere', async () => {
      const port = await subscribersPort();
      if ((await publishersPort()) !== port) return true;
      await cluster.node(port).server.command('CLIENT', 'KILL', 'TYPE', 'normal');
      return false;
    });
    const port = await subscribersPort();
    cluster.pause(port);
    await cluster.healthy();
    await receipt.more(500);
    cluster.resume(port);
    await until('it to be a replica', async () => (await cluster.replicas()).some((node) => node.port === port));
    await settle();
  });

  it('when slots move', async () => {
    const [from, to] = await cluster.masters();
    for (let slot = 0; slot < 20; slot++) {
      if ((await cluster.masterOf(slot)) !== to) await cluster.migrateSlot(slot, to.port);
      else await cluster.migrateSlot(slot, from.port);
    }
    await settle();
  });
});

describe('a cluster of which only other nodes than the named are left', LIMIT, () => {
  it('goes on', async (t) => {
    const cluster = await startCluster();
    t.after(() => cluster.stop());
    const [seed] = await cluster.masters();
    const stores = [0, 1].map(() => storeOn(clusterAs('options', { urls: [seed.server.url] })));
    t.after(() => closeAll(...stores));
    const load = new Load(stores[0], 'load');
    const receipt = new Receipt(stores[1], 'load');
    await receipt.subscribed;
    load.start(CHUNK);
    await receipt.more(500);
    await cluster.kill(seed.port);
    await cluster.healthy();
    await receipt.more(500);
    await finish(load, receipt);
    assertBothHit(load, receipt);
  });
});
