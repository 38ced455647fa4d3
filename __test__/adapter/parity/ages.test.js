'use strict';

/** Socket.IO 4.3.1 to the newest, each with the base class of its own time, in one cluster. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const official7 = require('redis-adapter-7.2');
const redis3 = require('redis-3');
const { LIMIT, PATIENCE } = require('../../support/limits');
const { installBeside } = require('../../support/versions');
const { until } = require('../../support/load');
const { createFixture } = require('../faults/fixture');

const OLD = ['socket.io-4.3', 'socket.io-4.4', 'socket.io-4.5'];
const sorted = (items) => [...items].sort();

/** A server of an older Socket.IO with a client, and one of the newest. */
async function setUp(t, version, settings) {
  const fixture = await createFixture(t);
  const old = await fixture.node({ installed: installBeside(version), ...settings });
  const newest = await fixture.node(settings);
  const [there, here] = [await fixture.client(old), await fixture.client(newest)];
  return { fixture, old, newest, there, here };
}

for (const version of OLD) {
  const hasAcks = version === 'socket.io-4.5';

  describe(`${version} and the newest`, LIMIT, () => {
    it('a broadcast with acknowledgements gets those that there can be', async (t) => {
      const { old, newest, there, here } = await setUp(t, version);
      for (const client of [there, here]) client.answers('ask', () => client.id);
      assert.deepEqual(
        sorted(await newest.io.timeout(PATIENCE).emitWithAck('ask')),
        sorted(hasAcks ? [here.id, there.id] : [here.id]),
      );
      assert.deepEqual(old.eventLog().all('error'), []);
      newest.io.emit('still there');
      await there.event('still there');
    });

    it('allSockets() of the older one is about all servers, as with the adapter of its time', async (t) => {
      const { fixture, old, newest, there, here } = await setUp(t, version);
      here.peer.join('room');
      assert.deepEqual(sorted(await old.io.allSockets()), sorted([there.id, here.id]));
      assert.deepEqual([...(await old.io.in('room').allSockets())], [here.id]);
      assert.deepEqual([...(await old.adapter().sockets(new Set(['room'])))], [here.id]);
      assert.deepEqual([...(await newest.io.allSockets())], [here.id], 'of the newest, about itself');
      // The control: the same Socket.IO with the adapter of its time.
      const clients = [redis3.createClient(fixture.redis.port), redis3.createClient(fixture.redis.port)];
      t.after(() => clients.forEach((client) => client.end(true)));
      const control = new (installBeside(version).Server)({ adapter: official7.createAdapter(clients[0], clients[1]) });
      control.of('/');
      await until('the control', async () => (await fixture.subscribers('socket.io-request#/#')) === 3);
      assert.deepEqual(sorted(await control.allSockets()), sorted([there.id, here.id]));
      assert.deepEqual([...(await control.in('room').allSockets())], [here.id]);
    });

    it('one socket joins, leaves and is disconnected by its id', async (t) => {
      const { old, newest, there, here } = await setUp(t, version);
      for (const [node, client] of [
        [old, here],
        [newest, there],
        [old, there],
      ]) {
        await node.adapter().remoteJoin(client.id, 'room');
        assert.deepEqual(client.peer.rooms, new Set([client.id, 'room']));
        await node.adapter().remoteLeave(client.id, 'room');
        assert.deepEqual(client.peer.rooms, new Set([client.id]));
      }
      await old.adapter().remoteDisconnect(here.id, true);
      assert.equal(await here.gone(), 'server namespace disconnect');
      old.adapter().requestsTimeout = 50;
      await assert.rejects(old.adapter().remoteJoin('nowhere', 'room'), {
        code: 'ERR_REQUEST_TIMEOUT',
        message: 'timeout reached while waiting for remoteJoin response',
      });
    });

    for (const parser of [false, true]) {
      it(`binary reaches the sockets of others${parser ? ', with a parser too' : ''}`, async (t) => {
        const opts = parser ? { parser: require('notepack.io') } : {};
        const { old, newest, there, here } = await setUp(t, version, { opts });
        const heard = [];
        there.peer.onAnyOutgoing?.((...args) => heard.push(args));
        for (const node of [old, newest]) {
          const part = Buffer.from('part');
          node.io.emit('news', { part, list: [part] });
          node.io.except('nobody').emit('news', part);
          for (const client of [there, here]) {
            assert.deepEqual(await client.event('news'), [{ part, list: [part] }]);
            assert.deepEqual(await client.event('news'), [part]);
          }
        }
        if (there.peer.onAnyOutgoing) {
          const part = Buffer.from('part');
          const once = [
            ['news', { part, list: [part] }],
            ['news', part],
          ];
          assert.deepEqual(heard, [...once, ...once], 'and so do listeners');
        }
      });
    }

    it('fetchSockets, serverSideEmit, rooms, both ways', async (t) => {
      const { old, newest, there, here } = await setUp(t, version);
      const all = sorted([there.id, here.id]);
      for (const [from, to] of [
        [old, newest],
        [newest, old],
      ]) {
        assert.equal(await from.adapter().serverCount(), 2);
        assert.deepEqual(sorted((await from.io.fetchSockets()).map(({ id }) => id)), all);
        assert.deepEqual(sorted(await from.adapter().allRooms()), all);
        to.io.on('ask', (question, done) => done(question));
        const answers = await new Promise((resolve, reject) => {
          from.io.serverSideEmit('ask', 1, (error, list) => (error ? reject(error) : resolve(list)));
        });
        assert.deepEqual(answers, [1]);
      }
    });
  });
}
