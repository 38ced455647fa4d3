'use strict';

/** Streams in a real cluster whose slots move and whose masters go: all that is in a stream comes once, in order. */

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');
const { setTimeout: delay } = require('node:timers/promises');
const { slotOf, startCluster } = require('../../../../dev/redis-cluster');
const { LIMIT, PATIENCE } = require('../../../support/limits');
const { until } = require('../../../support/load');
const { breakOff, comeBack, withoutOffsets } = require('../../../support/recovery');
const { createFixture, range } = require('../../faults/fixture');
const { RECOVERY, added, gapsOfStreams, streamsNode } = require('./fixture');

const NAMESPACES = ['/', '/chat', '/admin', '/news'];
/** More than a test sends. */
const MAX_LEN = 1_000_000;
const TIMES = 10;

/** @type {Awaited<ReturnType<typeof startCluster>>} */
let cluster;
before(async () => {
  cluster = await startCluster();
});
after(() => cluster?.stop());

let tests = 0;

/** The streams that there are, each with the server that has it. @param {string} name */
async function streamsOf(name) {
  const found = [];
  for (const node of await cluster.masters()) {
    for (const key of await node.server.command('KEYS', `${name}*`)) found.push({ key, node });
  }
  return found.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Another master than the one that has the slot. */
async function otherMaster(slot) {
  const owner = await cluster.masterOf(slot);
  return /** @type {any} */ ((await cluster.masters()).find((node) => node !== owner));
}

/** A slot that another master has. @param {{ port: number }} owner */
async function slotElsewhere({ port }) {
  for (const slot of [0, 16_383]) if ((await cluster.masterOf(slot)).port !== port) return slot;
  throw new Error(`${port} has them all`);
}

/** Has the replicas of a master get nothing any more, and take over all the same. */
async function cutReplicas(master) {
  for (const { server } of await cluster.replicas(master.port)) {
    await server.command('CONFIG', 'SET', 'cluster-replica-validity-factor', 0);
  }
  await master.server.command('ACL', 'SETUSER', 'default', '-sync', '-psync');
  await master.server.command('CLIENT', 'KILL', 'TYPE', 'replica');
}

/** Servers with a client of the second one in each namespace, while the first one broadcasts. */
async function underLoad(t, opts, server = {}) {
  const fixture = await createFixture(t);
  const name = `test${++tests}:`;
  const settings = {
    url: cluster.urls,
    namespaces: NAMESPACES.slice(1),
    server,
    maxLen: MAX_LEN,
    streamName: name,
    channelPrefix: name,
    ...opts,
  };
  // Answers come late while nodes go.
  const nodes = [];
  for (let i = 0; i < 2; i++) nodes.push(await streamsNode(fixture, { ...settings, commandTimeout: PATIENCE }));
  const [a, b] = nodes;
  const clients = [];
  for (const nsp of NAMESPACES) clients.push(await fixture.client(b, nsp));
  /** The last number that each of them has heard. */
  const latest = clients.map(() => 0);
  for (const [at, { socket }] of clients.entries()) socket.on('news', (_, number) => (latest[at] = number));
  let [sent, isOver] = [0, false];
  const sending = (async () => {
    for (; !isOver; await delay(1)) {
      sent++;
      for (const nsp of NAMESPACES) a.io.of(nsp).emit('news', nsp, sent);
    }
  })();
  const more = async (count = 200) => {
    const goal = sent + count;
    await until('more to be sent', () => sent >= goal);
  };
  /** Waits until all have heard what is sent from now on. */
  const heardMore = async (count = 200) => {
    const goal = sent + count;
    await until('more to be heard', () => latest.every((number) => number >= goal));
  };
  const streams = () => streamsOf(name);
  /** Ends it. @returns {Promise<{ nsp: string, heard: number[], there: number[] }[]>} what came, and what the streams have */
  const end = async () => {
    await cluster.healthy();
    isOver = true;
    await sending;
    for (const nsp of NAMESPACES) a.io.of(nsp).emit('end');
    const heard = await Promise.all(clients.map(async (client) => withoutOffsets(await client.until('end'))));
    // Not earlier: what is under way is in no stream yet.
    const inStreams = (await Promise.all((await streams()).map(({ key, node }) => added(node.server, key)))).flat();
    const isNews = (nsp) => (event) => event[0] === 'news' && event[1] === nsp;
    return NAMESPACES.map((nsp, at) => {
      assert.ok(heard[at].every(isNews(nsp)), `${nsp}: nothing else`);
      const numbers = [heard[at], inStreams.filter(isNews(nsp))].map((events) => events.map(([, , number]) => number));
      return { nsp, heard: numbers[0], there: numbers[1] };
    });
  };
  /** Ends it, and looks at what came, where nothing was lost that Redis had confirmed. */
  const assertBooks = async () => {
    let missing = 0;
    for (const { nsp, heard, there } of await end()) {
      assert.deepEqual(heard, there, `${nsp}: all that is in the stream`);
      assertInOrder(nsp, heard);
      missing += sent - heard.length;
    }
    const { unconfirmed, dropped, internalErrors } = a.adapter().stats();
    assert.ok(missing <= unconfirmed + dropped, `${missing} are missing, ${unconfirmed} unconfirmed`);
    assert.equal(internalErrors, 0);
    assert.deepEqual(gapsOfStreams(b), []);
  };
  /**
   * Ends it, and looks at what came, where a master was replaced by one that may not have had all: that lacks what was
   * added last, which is one hole in each stream. Before and behind it all came, and in it no more than the old one had.
   * @returns {Promise<number>} how many have come that the streams have lost
   */
  const assertFailedOver = async () => {
    let lost = 0;
    for (const { nsp, heard, there } of await end()) {
      const kept = there.findIndex((number, at) => number !== at + 1);
      const before = kept < 0 ? there.length : kept;
      assert.deepEqual(
        there,
        [...range(1, before), ...range(sent - there.length + before + 1, sent)],
        `${nsp}: one hole`,
      );
      assert.equal(there.at(-1), sent, `${nsp}: and all behind it`);
      const known = new Set(there);
      assert.deepEqual(
        heard.filter((number) => known.has(number)),
        there,
        `${nsp}: all that is in the stream`,
      );
      const gone = heard.filter((number) => !known.has(number));
      assert.deepEqual(gone, range(before + 1, before + gone.length), `${nsp}: what the stream has lost`);
      assertInOrder(nsp, heard);
      lost += gone.length;
    }
    assert.equal(a.adapter().stats().internalErrors, 0);
    // What has read further than the new master had cannot know what else that lacks.
    if (lost === 0) assert.deepEqual(gapsOfStreams(b), []);
    return lost;
  };
  return { fixture, a, b, more, heardMore, streams, assertBooks, assertFailedOver };
}

/** Each number comes once, behind all that are less. @param {string} nsp @param {number[]} numbers */
function assertInOrder(nsp, numbers) {
  const wrong = numbers.findIndex((number, at) => at > 0 && number <= numbers[at - 1]);
  assert.equal(wrong, -1, `${nsp}: after ${numbers[wrong - 1]} came ${numbers[wrong]}`);
}

for (const [title, opts] of /** @type {[string, any][]} */ ([
  ['one stream', {}],
  ['three streams in different slots', { streamCount: 3 }],
  ['sharded channels', { streamCount: 3, useShardedPubSub: true }],
])) {
  describe(`in a cluster, with ${title}`, LIMIT, () => {
    it('slots move with their streams', async (t) => {
      const { more, streams, assertBooks } = await underLoad(t, opts);
      await more();
      for (const { key } of await streams()) {
        await cluster.migrateSlot(slotOf(key), (await otherMaster(slotOf(key))).port, { during: () => more() });
        await more();
      }
      await assertBooks();
    });

    it('masters hand over', async (t) => {
      const { more, streams, assertBooks } = await underLoad(t, opts);
      await more();
      for (const port of new Set((await streams()).map(({ node }) => node.port))) {
        await cluster.failover(port);
        await more();
        await cluster.healthy();
      }
      await assertBooks();
    });

    it('masters take nothing for a while, again and again', async (t) => {
      const { more, streams, assertBooks } = await underLoad(t, opts);
      await more();
      const [{ node }] = await streams();
      const state = async (wanted) =>
        until(`a cluster that is ${wanted}`, async () =>
          (await node.server.command('CLUSTER', 'INFO')).includes(`cluster_state:${wanted}`),
        );
      for (let time = 0; time < TIMES; time++) {
        // It knows no owner of a slot that is not its own, until that one's next message.
        await node.server.command('CLUSTER', 'DELSLOTS', await slotElsewhere(node));
        await state('ok');
        await more(20);
      }
      await assertBooks();
    });

    it('a master is killed, and a replica takes over', async (t) => {
      const { more, heardMore, streams, assertFailedOver } = await underLoad(t, opts);
      await more();
      const [{ node }] = await streams();
      await cluster.kill(node.port);
      await cluster.healthy();
      await heardMore();
      await cluster.restart(node.port);
      await cluster.healthy();
      await assertFailedOver();
    });

    it('a master is killed, and a replica takes over that lacks what has come already', async (t) => {
      const { more, heardMore, streams, assertFailedOver } = await underLoad(t, opts, RECOVERY);
      await more();
      const [{ node }] = await streams();
      await cutReplicas(node);
      await heardMore();
      await cluster.kill(node.port);
      await cluster.healthy();
      await heardMore();
      await cluster.restart(node.port);
      await cluster.healthy();
      assert.ok((await assertFailedOver()) >= 200, 'it has lacked some');
    });

    it('servers ask each other, and clients come back with what they missed', async (t) => {
      const { fixture, a, b, more, assertBooks } = await underLoad(t, opts, RECOVERY);
      const before = await fixture.client(b, '/');
      before.peer.join('room');
      before.answers('ask', () => 'yes');
      assert.deepEqual(await a.io.to('room').timeout(PATIENCE).emitWithAck('ask'), ['yes']);
      assert.deepEqual(
        (await a.io.in('room').fetchSockets()).map(({ id }) => id),
        [before.id],
      );
      b.io.on('hello', (done) => done('hello'));
      assert.deepEqual(await a.io.serverSideEmitWithAck('hello'), ['hello']);
      await more();
      const redis = { command: async (name, key) => (await cluster.masterOf(slotOf(key))).server.command(name, key) };
      const keeper = { redis, keep: (client) => (fixture.after(() => client.manager._close()), client) };
      await breakOff(keeper, before);
      a.io.to('room').emit('missed', 1);
      const back = await comeBack(keeper, before, a);
      assert.equal(back.socket.recovered, true);
      assert.deepEqual([...back.peer.rooms].sort(), [before.id, 'room'].sort());
      await back.event('missed');
      await assertBooks();
    });
  });
}
