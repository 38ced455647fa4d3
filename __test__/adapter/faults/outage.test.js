'use strict';

/** What servers do while Redis is away, and after. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { LIMIT, SHORT } = require('../../support/limits');
const { until } = require('../../support/load');
const { broadcast, createFixture, range } = require('./fixture');

const MODES = ['pattern', 'dynamic', 'dynamic-private'];
/** What a command is rejected with that Redis does not answer. */
const AWAY = { code: 'ERR_COMMAND_TIMEOUT' };

/** How an outage begins and ends. `url`: what a node is to connect to. */
const FAULTS = {
  'Redis killed and restarted': (fixture) => ({
    url: fixture.redis.url,
    begin: () => fixture.redis.kill(),
    end: () => fixture.redis.restart(),
  }),
  'connections cut and refused by a proxy': async (fixture) => {
    const proxy = await fixture.proxy();
    return { url: proxy.url, begin: () => proxy.refuse(), end: () => proxy.accept() };
  },
};

/** What the acknowledgement of something is called with. */
const acked = (call) =>
  new Promise((resolve) => {
    call((...args) => resolve(args));
  });
/** Its connections are noticed to be away. */
const away = (node, since) =>
  Promise.all(['pub', 'sub'].map((name) => node.eventLog().next('disconnect', name, undefined, since)));

// They mostly wait, so they wait together.
describe('while Redis is away', { concurrency: true, ...LIMIT }, () => {
  const stalled = (fixture) => ({
    url: fixture.redis.url,
    begin: () => fixture.redis.pause(),
    end: () => fixture.redis.resume(),
    stalls: true,
  });
  for (const [title, prepare] of Object.entries({
    ...FAULTS,
    'Redis paused for longer than commandTimeout': stalled,
  })) {
    it(`${title}: local sockets get all, nothing throws and nothing rejects unhandled`, async (t) => {
      const fixture = await createFixture(t);
      const { url, begin, end, stalls } = await prepare(fixture);
      const namespaces = ['/chat'];
      const node = await fixture.node({ url, namespaces, opts: { commandTimeout: SHORT } });
      await fixture.node({ url, namespaces });
      const [here, chatting] = [await fixture.client(node), await fixture.client(node, '/chat')];
      here.peer.join('room');
      here.answers('ask', () => 'here');
      assert.equal(await node.adapter().serverCount(), 2);
      const gone = stalls ? undefined : away(node, 0);
      await begin();
      await gone;
      const { io } = node;
      for (const number of range(1, 100)) {
        io.emit('news', number);
        io.to('room').except('nobody').emit('news', -number, Buffer.from('part'));
      }
      io.of('/chat').emit('end');
      io.to(here.id).emit('end');
      assert.deepEqual(
        await here.until('end'),
        range(1, 100).flatMap((n) => [
          ['news', n],
          ['news', -n, Buffer.from('part')],
        ]),
      );
      assert.deepEqual(await chatting.until('end'), []);
      await assertRequestsFail(node, here);
      assert.equal(here.peer.connected, true);
      const back = stalls ? undefined : node.eventLog().next('connect', 'sub');
      await end();
      await back;
      await until('answers', () =>
        node
          .adapter()
          .countSockets()
          .then(
            (count) => count === 1,
            () => false,
          ),
      );
    });
  }

  /** All that asks other servers tells its caller, and nobody else. */
  async function assertRequestsFail({ io }, here) {
    const [[error, responses]] = await Promise.all([
      acked((ack) => io.timeout(SHORT).emit('ask', ack)),
      assert.rejects(io.timeout(SHORT).emitWithAck('ask'), { responses: ['here'] }),
    ]);
    assert.equal(error.message, 'operation has timed out');
    assert.deepEqual(responses, ['here']);
    const [failure, none] = await acked((ack) => io.serverSideEmit('hello', ack));
    assert.ok(failure instanceof Error);
    assert.equal(failure.code, AWAY.code);
    assert.deepEqual(none, []);
    await assert.rejects(io.serverSideEmitWithAck('hello'), AWAY);
    io.serverSideEmit('hello', 1);
    io.socketsJoin('other');
    io.in('other').socketsLeave('other');
    io.in('nobody').disconnectSockets(true);
    const { fetchSockets, allRooms, fetchSocketIds, countSockets, serverCount } = bound(io.of('/').adapter);
    const opts = { rooms: new Set(), except: new Set() };
    await Promise.all([
      assert.rejects(io.fetchSockets(), AWAY),
      ...[fetchSockets, allRooms, fetchSocketIds, countSockets].map((ask) => assert.rejects(ask(opts), AWAY)),
    ]);
    assert.equal(await serverCount(), 2);
    assert.deepEqual(await io.local.fetchSockets(), [here.peer]);
    assert.equal(await countSockets({ flags: { local: true } }), 1);
  }

  const bound = (adapter) =>
    Object.fromEntries(
      ['fetchSockets', 'allRooms', 'fetchSocketIds', 'countSockets', 'serverCount'].map((name) => [
        name,
        (...args) => adapter[name](...args),
      ]),
    );

  it('a Redis that is paused is no outage: all arrives, in order, once it goes on', async (t) => {
    const fixture = await createFixture(t);
    const [a, b] = [await fixture.node(), await fixture.node()];
    const [here, there] = [await fixture.client(a), await fixture.client(b)];
    fixture.redis.pause();
    for (const number of range(1, 500)) a.io.emit('news', number);
    const rooms = a.adapter().allRooms();
    a.io.emit('end');
    const expected = range(1, 500).map((number) => ['news', number]);
    assert.deepEqual(await here.until('end'), expected);
    fixture.redis.resume();
    assert.deepEqual(await there.until('end'), expected);
    assert.deepEqual(await rooms, new Set([here.id, there.id]));
    for (const node of [a, b]) {
      const harm = node.eventLog().events.filter(({ event, code }) => event !== 'connect' && code !== 'ERR_STALLED');
      assert.deepEqual(harm, []);
    }
  });
});

describe('after an outage', LIMIT, () => {
  for (const mode of MODES) {
    for (const [title, prepare] of Object.entries(FAULTS)) {
      it(`${mode}, ${title}: all subscriptions are back by "connect" of "sub"`, async (t) => {
        const fixture = await createFixture(t);
        const { url, begin, end } = await prepare(fixture);
        const namespaces = ['/chat'];
        const node = await fixture.node({ url, namespaces, opts: { subscriptionMode: mode } });
        const there = await fixture.client(node);
        const chatting = await fixture.client(node, '/chat');
        const rooms = range(1, 1500).map((number) => `room${number}`);
        await there.peer.join(rooms);
        const back = node.eventLog().next('connect', 'sub');
        await begin();
        await node.eventLog().next('disconnect', 'sub', undefined, 0);
        await end();
        await back;
        // Redis tells how many have got each of these.
        const reached = [];
        for (const room of ['', 'room1#', 'room777#', 'room1500#', `${there.id}#`]) {
          reached.push(
            await fixture.publish(
              `socket.io#/#${room}`,
              broadcast(['news', room], { rooms: room ? [room.slice(0, -1)] : [] }),
            ),
          );
        }
        assert.deepEqual(reached, [1, 1, 1, 1, 1]);
        assert.equal(await fixture.publish('socket.io#/chat#', broadcast(['end'], { nsp: '/chat' })), 1);
        await fixture.publish('socket.io#/#', broadcast(['end']));
        const expected = ['', 'room1#', 'room777#', 'room1500#', `${there.id}#`].map((room) => ['news', room]);
        assert.deepEqual(await there.until('end'), expected);
        assert.deepEqual(await chatting.until('end'), []);
        const held = await fixture.channels('socket.io#/#room*');
        assert.deepEqual(held, mode === 'pattern' ? [] : rooms.map((room) => `socket.io#/#${room}#`).sort());
        assert.equal(await node.adapter().serverCount(), 1);
      });
    }
  }

  it('is told on the adapter of every namespace', async (t) => {
    const fixture = await createFixture(t);
    const node = await fixture.node({ namespaces: ['/chat', '/more'] });
    // Both connections are up by then, so that both can be lost.
    await node.adapter().ready();
    const before = Date.now();
    await fixture.redis.kill();
    await node.eventLog('/more').next('reconnecting', 'sub', ({ attempt }) => attempt >= 2, 0);
    await fixture.redis.restart();
    await node.eventLog('/more').next('gap', 'sub', undefined, 0);
    await node.eventLog('/more').next('connect', 'pub', undefined, 2);
    const told = (name) =>
      node.eventLog(name).events.map(({ event, connection, code }) => [event, connection, code].join(' '));
    assert.deepEqual(told('/chat'), told('/'));
    assert.deepEqual(told('/more'), told('/'));
    for (const name of ['/', '/chat', '/more']) {
      const eventLog = node.eventLog(name);
      const [lost, ...more] = eventLog.all('disconnect', 'sub');
      assert.deepEqual([lost.error.code, more.length], ['ERR_CONNECTION_LOST', 0]);
      assert.equal(eventLog.all('disconnect', 'pub').length, 1);
      const endpoint = `127.0.0.1:${fixture.redis.port}`;
      assert.ok(
        eventLog.all('reconnecting').every((one) => one.attempt >= 1 && one.delay >= 0 && one.endpoint === endpoint),
      );
      assert.deepEqual(
        eventLog.all('connect', 'sub').map((one) => one.endpoint),
        [endpoint, endpoint],
      );
      const [gap] = eventLog.all('gap', 'sub');
      assert.ok(gap.since <= Date.now() && gap.since + gap.duration >= before, 'it covers the outage');
      assert.deepEqual([gap.dropped, gap.unconfirmed], [0, 0]);
    }
    const { connections, reconnects } = node.adapter('/chat').stats();
    assert.deepEqual([connections.pub.state, connections.sub.state, reconnects], ['connected', 'connected', 2]);
  });

  it('CLIENT KILL of either connection, five times: it comes back and the books balance', async (t) => {
    const fixture = await createFixture(t);
    const [a, b] = [await fixture.node(), await fixture.node()];
    const there = await fixture.client(b);
    let sent = 0;
    for (const round of range(1, 5)) {
      const since = a.eventLog().events.length;
      for (const number of range(1, 2000)) a.io.emit('news', (round - 1) * 2000 + number);
      sent += 2000;
      await fixture.redis.command('CLIENT', 'KILL', 'TYPE', 'normal');
      await a.eventLog().next('connect', 'pub', undefined, since);
    }
    await until('all to be settled', () => a.adapter().stats().queues.publish.messages === 0);
    const { published, dropped, unconfirmed } = a.adapter().stats();
    assert.equal(published + dropped + unconfirmed, sent);
    assert.equal(dropped, 0);
    a.io.emit('end');
    const numbers = (await there.until('end')).map(([, number]) => number);
    assert.ok(
      numbers.every((number, i) => i === 0 || number > numbers[i - 1]),
      'in order, none twice',
    );
    assert.ok(numbers.length >= published && numbers.length <= published + unconfirmed);
    const told = a
      .eventLog()
      .all('gap', 'pub')
      .reduce((sum, gap) => sum + gap.unconfirmed, 0);
    assert.equal(told, unconfirmed);
    for (let round = 0; round < 5; round++) {
      const since = b.eventLog().events.length;
      await fixture.redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await b.eventLog().next('connect', 'sub', undefined, since);
      a.io.emit('round', round);
      assert.deepEqual(await there.event('round'), [round]);
    }
    assert.equal(b.eventLog().all('gap', 'sub').length, 5);
  });
});
