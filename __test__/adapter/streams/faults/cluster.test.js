'use strict';

/** Streams in a real cluster whose slots move and whose masters go: all that is in a stream comes once, in order. */

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');
const { setTimeout: delay } = require('node:timers/promises');
const { slotOf, startCluster } = require('../../../../dev/redis-cluster');
const { LIMIT, PATIENCE } = require('../../../support/limits');
const { until } = require('../../../support/load');
const { breakOff, comeBack, withoutOffsets } = require('../../../support/recovery');
const { createFixture } = require('../../faults/fixture');
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
  const streams = () => streamsOf(name);
  const queued = () => {
    const { publish, command } = a.adapter().stats().queues;
    return publish.messages + command.messages;
  };
  /** Ends it and looks at what came. */
  const assertBooks = async () => {
    await cluster.healthy();
    isOver = true;
    await sending;
    await until('the queue to be empty', () => queued() === 0);
    for (const nsp of NAMESPACES) a.io.of(nsp).emit('end');
    const inStreams = (await Promise.all((await streams()).map(({ key, node }) => added(node.server, key)))).flat();
    let missing = 0;
    for (const [at, nsp] of NAMESPACES.entries()) {
      const heard = withoutOffsets(await clients[at].until('end'));
      const there = inStreams.filter(([name, of]) => name === 'news' && of === nsp);
      assert.deepEqual(heard, there, `${nsp}: all that is in the stream`);
      const numbers = heard.map(([, , number]) => number);
      assert.equal(new Set(numbers).size, numbers.length, `${nsp}: none twice`);
      assert.deepEqual(
        numbers,
        [...numbers].sort((one, other) => one - other),
        `${nsp}: in order`,
      );
      missing += sent - numbers.length;
    }
    const { unconfirmed, dropped, internalErrors } = a.adapter().stats();
    assert.ok(missing <= unconfirmed + dropped, `${missing} are missing, ${unconfirmed} unconfirmed`);
    assert.equal(internalErrors, 0);
    assert.deepEqual(gapsOfStreams(b), []);
  };
  return { fixture, a, b, more, streams, assertBooks };
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
