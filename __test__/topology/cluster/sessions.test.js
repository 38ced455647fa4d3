'use strict';

/** Session hashes in all slots, while slots move and masters go. */

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');

const { slotOf } = require('../../../dev/redis-cluster');
const { closeAll } = require('../../support/load');
const { ask, connected } = require('../../support/stores');
const { LIMIT, PATIENCE } = require('../../support/limits');
const { clusterAs, startCluster, storeOn, until } = require('./fixture');

/** @type {Awaited<ReturnType<typeof startCluster>>} */
let cluster;
let store;
before(async () => {
  cluster = await startCluster();
  store = storeOn(clusterAs('options', cluster), { commandTimeout: PATIENCE });
  store.on('error', () => {});
  await connected(store);
});
after(async () => {
  if (store) await closeAll(store);
  await cluster?.stop();
});

/** Another master than the one that has the slot. */
async function otherMaster(slot) {
  const owner = await cluster.masterOf(slot);
  return /** @type {any} */ ((await cluster.masters()).find((node) => node !== owner));
}

/** Writes numbers to a field of each id, one after the other, without waiting, until it is stopped. */
function write(ids) {
  const books = { sent: 0, called: 0, failed: 0 };
  /** The numbers in the order in which they were confirmed, by id. @type {Map<string, number[]>} */
  const confirmed = new Map(ids.map((id) => [id, []]));
  let running = true;
  const loop = (async () => {
    for (let number = 1; running; number++) {
      for (const id of ids) {
        books.sent++;
        let called = false;
        store.client(id).set('number', number, (error) => {
          assert.ok(!called, 'a callback is called once');
          called = true;
          books.called++;
          if (error) books.failed++;
          else confirmed.get(id)?.push(number);
        });
      }
      // With what is under way, not at a pace.
      await until('most to be answered', () => books.sent - books.called < 500);
      await new Promise(setImmediate);
    }
  })();
  const stop = async () => {
    running = false;
    await loop;
    await until('all callbacks', () => books.called === books.sent);
    for (const id of ids) {
      const numbers = /** @type {number[]} */ (confirmed.get(id));
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
        'the order of answers is that of writes',
      );
      const [, value] = await ask(store.client(id), 'get', 'number');
      assert.ok(Number(value) >= /** @type {number} */ (numbers.at(-1)), `${id} has ${value}, not ${numbers.at(-1)}`);
    }
    return books;
  };
  const more = (count) => {
    const goal = books.called + count;
    return until(`${count} more answers`, () => books.called >= goal);
  };
  return { books, more, stop };
}

describe('sessions in a cluster', LIMIT, () => {
  it('are set, read, deleted and expired in all slots', async () => {
    const ids = Array.from({ length: 300 }, (_, i) => `all-${i}`);
    const owners = new Set((await Promise.all(ids.map((id) => cluster.masterOf(slotOf(id))))).map(({ port }) => port));
    assert.equal(owners.size, 3);
    for (const method of [
      ['set', 'a', 'b'],
      ['get', 'a'],
      ['has', 'a'],
      ['del', 'a'],
      ['has', 'a'],
    ]) {
      const [name, ...args] = method;
      const answers = await Promise.all(ids.map((id) => ask(store.client(id), name, ...args)));
      const [first] = answers;
      assert.equal(first[0], null);
      for (const answer of answers) assert.deepEqual(answer, first);
    }
    await Promise.all(ids.map((id) => ask(store.client(id), 'set', 'a', 'b')));
    for (const id of ids) store.client(id).destroy(id.endsWith('0') ? 100 : 0);
    for (const id of ids) {
      const { server } = await cluster.masterOf(slotOf(id));
      const ttl = () => server.command('TTL', id);
      if (id.endsWith('0')) await until('an expiry', async () => (await ttl()) > 0);
      else await until('it to be gone', async () => (await ttl()) === -2);
    }
  });

  it('are written in order while their slot moves, there and back', async () => {
    const ids = ['{moving}a', '{moving}b', '{moving}c'];
    const slot = slotOf(ids[0]);
    const load = write(ids);
    await load.more(1000);
    for (let round = 0; round < 4; round++) {
      const to = await otherMaster(slot);
      await cluster.migrateSlot(slot, to.port, { during: () => load.more(500) });
      await load.more(500);
    }
    const { failed } = await load.stop();
    assert.equal(failed, 0);
  });

  it('that are new are made where the slot goes to, and found there', async () => {
    const slot = slotOf('{new}');
    const to = await otherMaster(slot);
    await cluster.migrateSlot(slot, to.port, {
      async during() {
        const answers = await Promise.all(
          Array.from({ length: 50 }, (_, i) => ask(store.client(`{new}${i}`), 'set', 'n', i)),
        );
        for (const answer of answers) assert.deepEqual(answer, [null, 1]);
        assert.equal((await to.server.command('CLUSTER', 'COUNTKEYSINSLOT', slot)) > 0, true);
        for (let i = 0; i < 50; i++) assert.deepEqual(await ask(store.client(`{new}${i}`), 'get', 'n'), [null, `${i}`]);
      },
    });
    for (let i = 0; i < 50; i++) assert.deepEqual(await ask(store.client(`{new}${i}`), 'get', 'n'), [null, `${i}`]);
  });

  it('are written while masters hand over to their replicas', async () => {
    const ids = Array.from({ length: 20 }, (_, i) => `handed-${i}`);
    const load = write(ids);
    await load.more(1000);
    for (const { port } of await cluster.masters()) {
      await cluster.failover(port);
      await load.more(1000);
    }
    await load.stop();
    await cluster.healthy();
  });

  it('are answered, each once, when a master is killed and a replica elected', async () => {
    const ids = Array.from({ length: 20 }, (_, i) => `killed-${i}`);
    let running = true;
    const books = { sent: 0, called: 0 };
    const [victim] = await cluster.masters();
    const loop = (async () => {
      while (running) {
        for (const id of ids) {
          books.sent++;
          store.client(id).set('n', books.sent, () => books.called++);
        }
        await until('not too much', () => books.sent - books.called < 2000);
        await new Promise(setImmediate);
      }
    })();
    await until('answers', () => books.called > 1000);
    await cluster.kill(victim.port);
    await cluster.healthy();
    running = false;
    await loop;
    await until('all callbacks', () => books.called === books.sent);
    await new Promise(setImmediate);
    assert.equal(books.called, books.sent);
    for (const id of ids) {
      assert.deepEqual((await ask(store.client(id), 'set', 'last', 1)).length, 2);
      assert.deepEqual(await ask(store.client(id), 'get', 'last'), [null, '1']);
    }
    await cluster.restart(victim.port);
    await cluster.healthy();
  });

  it('wait while the cluster is down, and fail when their time is up', async () => {
    const short = storeOn(clusterAs('options', cluster), { commandTimeout: 500 });
    short.on('error', () => {});
    await connected(short);
    const slot = slotOf('down');
    const owner = await cluster.masterOf(slot);
    // A slot that nobody has: the cluster is down for all others too.
    await owner.server.command('CLUSTER', 'DELSLOTS', slot);
    try {
      await assert.rejects(owner.server.command('GET', 'down'), /CLUSTERDOWN/);
      const asked = async () => {
        const said = await owner.server.command('INFO', 'errorstats');
        return Number(/errorstat_CLUSTERDOWN:count=(\d+)/.exec(said)?.[1]);
      };
      const [before, since] = [await asked(), Date.now()];
      const [error] = await ask(short.client('down'), 'get', 'x');
      assert.match(error.code, /^ERR_(COMMAND_TIMEOUT|REDIS_REPLY)$/);
      const most = 2 + (Date.now() - since) / 100;
      const count = (await asked()) - before;
      assert.ok(count <= most, `with pauses of 100 ms, it has asked ${count} times, not ${most} at most`);
      const waiting = ask(store.client('down'), 'set', 'x', 1);
      await owner.server.command('CLUSTER', 'ADDSLOTS', slot);
      assert.deepEqual(await waiting, [null, 1]);
    } finally {
      await owner.server.command('CLUSTER', 'ADDSLOTS', slot).catch(() => {});
      await closeAll(short);
    }
    await cluster.healthy();
  });
});
