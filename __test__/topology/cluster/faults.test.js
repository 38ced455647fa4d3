'use strict';

/** Classic messages through a cluster whose nodes go: each is delivered or told of, none twice, all in order. */

const assert = require('node:assert');
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

  async function open(channel = 'load') {
    const [publisher, subscriber] = (stores = [0, 1].map(() => storeOn(clusterAs('options', cluster))));
    load = new Load(publisher, channel);
    receipt = new Receipt(subscriber, channel);
    await receipt.subscribed;
    await Promise.all(stores.map(connected));
    load.start(CHUNK);
    await receipt.more(1000);
  }

  async function close() {
    await load.stop();
    await closeAll(...stores);
  }

  beforeEach(async () => {
    cluster = await startCluster();
    await open();
  });

  afterEach(async () => {
    await close();
    await cluster.stop();
  });

  /**
   * Both stores publish, and are subscribed to, their heartbeats: what shows the subscriber is its channel.
   * @returns {Promise<number>} the port of the node that it is subscribed on
   */
  async function subscribersPort() {
    /** @type {any} */
    let found;
    const isSubscribedOn = async ({ server }) => (await server.command('PUBSUB', 'NUMSUB', load.channel))[1] > 0;
    await until('a node to have the subscriber', async () => {
      const { running } = cluster;
      const are = await Promise.all(running.map(isSubscribedOn));
      found = running.find((_, i) => are[i]);
      return found;
    });
    return found.port;
  }
  /** Nothing else in a cluster tells whose messages a node publishes. */
  const publishersPort = () => Number(stores[0].stats().connections.pub.endpoint.split(':').at(-1));

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
      const since = receipt.eventLog.events.length;
      await cluster.node(port).server.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await receipt.eventLog.next('connect', 'sub', undefined, since);
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
    const port = publishersPort();
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
    while (publishersPort() === (await subscribersPort())) {
      // They come back to their node: others choose anew. What was sent before may still be on its way.
      await close();
      await open(`${load.channel}+`);
    }
    const port = await subscribersPort();
    await cluster.pause(port);
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
