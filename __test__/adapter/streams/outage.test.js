'use strict';

/** What streams keep while Redis, or a server's way to it, is away. */

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { describe, it } = require('node:test');
const { createStreamsAdapter } = require('../../..');
const { startProxy } = require('../../../dev/proxy');
const { LIMIT, SHORT } = require('../../support/limits');
const { until } = require('../../support/load');
const { breakOff, comeBack, successorOf, withoutOffsets } = require('../../support/recovery');
const { createFixture, range } = require('../faults/fixture');

const SERVER = { connectionStateRecovery: {} };

/** A server on streams that reads. */
async function streamsNode(fixture, { url = fixture.redis.url, server = {}, ...opts } = {}) {
  const factory = createStreamsAdapter(url, { commandTimeout: SHORT, ...opts });
  const node = await fixture.node({ factory, server });
  await factory.ready();
  return node;
}

/** A client that came back ends with the test. */
function keeperOf(fixture) {
  return {
    redis: fixture.redis,
    keep(client) {
      fixture.after(() => client.manager._close());
      return client;
    },
  };
}

for (const [title, server] of /** @type {[string, object][]} */ ([
  ['', {}],
  [', of servers whose clients can be recovered', SERVER],
])) {
  describe(`while a server cannot reach Redis${title}`, LIMIT, () => {
    it('what others broadcast waits in the stream, and comes once, in order', async (t) => {
      const fixture = await createFixture(t);
      const proxy = await fixture.proxy();
      const [a, b] = [await streamsNode(fixture, { server }), await streamsNode(fixture, { url: proxy.url, server })];
      const there = await fixture.client(b);
      for (const round of [1, 2, 3]) {
        await until('its connections', () => b.adapter().stats().connections.sub.state === 'connected');
        const gone = b.eventLog().next('disconnect', 'sub', undefined, b.eventLog().events.length);
        proxy.refuse();
        await gone;
        for (const i of range(1, 500)) a.io.emit('news', round, i);
        a.io.emit('end');
        await until('the entries', () => a.adapter().stats().queues.publish.messages === 0);
        proxy.accept();
        assert.deepEqual(
          withoutOffsets(await there.until('end')),
          range(1, 500).map((i) => ['news', round, i]),
        );
      }
    });

    it('a gap says that the stream has dropped some, and the rest comes', async (t) => {
      const fixture = await createFixture(t);
      const proxy = await fixture.proxy();
      const maxLen = 100;
      const a = await streamsNode(fixture, { server, maxLen });
      const b = await streamsNode(fixture, { url: proxy.url, server, maxLen });
      const there = await fixture.client(b);
      a.io.emit('first');
      await there.event('first');
      const since = b.eventLog().events.length;
      proxy.refuse();
      await b.eventLog().next('disconnect', 'sub', undefined, since);
      for (const i of range(1, 2000)) a.io.emit('news', i);
      await until('the entries', () => a.adapter().stats().queues.publish.messages === 0);
      const [first] = await fixture.redis.command('XRANGE', 'socket.io', '-', '+', 'COUNT', '1');
      proxy.accept();
      a.io.emit('end');
      const heard = withoutOffsets(await there.until('end')).map(([, i]) => i);
      assert.ok(heard.length >= maxLen && heard.length < 2000, `${heard.length} of 2000`);
      assert.deepEqual(heard, range(2000 - heard.length + 1, 2000));
      const gaps = () => b.eventLog().events.filter(({ event, stream }) => event === 'gap' && stream !== undefined);
      await until('a gap', () => gaps().length > 0);
      const [{ stream, from, to }, ...others] = gaps();
      assert.deepEqual([stream, to, others], ['socket.io', first[0], []]);
      assert.ok(from < to, `${from} < ${to}`);
    });

    it('its own clients hear what it broadcasts at once, others when it is over, and nobody twice', async (t) => {
      const fixture = await createFixture(t);
      const proxy = await fixture.proxy();
      const [a, b] = [await streamsNode(fixture, { server }), await streamsNode(fixture, { url: proxy.url, server })];
      const [here, there] = [await fixture.client(b), await fixture.client(a)];
      const since = b.eventLog().events.length;
      proxy.refuse();
      for (const name of ['pub', 'sub']) await b.eventLog().next('disconnect', name, undefined, since);
      for (const i of range(1, 100)) b.io.emit('news', i);
      b.io.emit('end');
      const expected = range(1, 100).map((i) => ['news', i]);
      assert.deepEqual(await here.until('end'), expected);
      proxy.accept();
      assert.deepEqual(withoutOffsets(await there.until('end')), expected);
      a.io.emit('end');
      assert.deepEqual(withoutOffsets(await here.until('end')), []);
    });
  });
}

describe('a server that is killed while it brings a client back', LIMIT, () => {
  it('leaves the session to the next one', async (t) => {
    const fixture = await createFixture(t);
    const proxy = await startProxy(fixture.redis.port, { latency: 100 });
    fixture.after(() => proxy.close());
    const node = await streamsNode(fixture, { server: SERVER });
    const before = await fixture.client(node);
    before.peer.join('room');
    node.io.emit('first');
    await before.event('first');
    const cluster = keeperOf(fixture);
    await breakOff(cluster, before);
    node.io.to('room').emit('missed', 1);
    await until('the entry', () => node.adapter().stats().queues.publish.messages === 0);
    const child = fork(path.join(__dirname, 'children/server.js'), [proxy.url, '{}']);
    fixture.after(() => child.kill('SIGKILL'));
    const [{ port }] = await once(child, 'message');
    // It takes the session, and has to wait for what was missed: it was not there to read it.
    const key = `sio:session:${/** @type {any} */ (before.socket)._pid}`;
    const { manager, socket } = successorOf(before, /** @type {any} */ ({ url: `http://127.0.0.1:${port}` }));
    const closed = once(manager, 'close');
    socket.connect();
    await until('the session to be taken', async () => (await fixture.redis.command('EXISTS', key)) === 0);
    await until('the session to be there again', () => fixture.redis.command('EXISTS', key));
    child.kill('SIGKILL');
    await closed;
    assert.equal(socket.connected, false);
    const after = await comeBack(cluster, before, node);
    assert.equal(after.socket.recovered, true);
    assert.deepEqual([...after.peer.rooms].sort(), [before.id, 'room'].sort());
    node.io.emit('end');
    assert.deepEqual(withoutOffsets(await after.until('end')), [['missed', 1]]);
  });
});
