'use strict';

/** ready() of an adapter, and of what createAdapter returns. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { Server } = require('socket.io-4');
const { createAdapter } = require('../../..');
const { LIMIT } = require('../../support/limits');
const { createFixture } = require('./fixture');

const CLOSED = { code: 'ERR_CLOSED' };
const KEYS = ['socket.io-request#/#', 'socket.io-response#/#'];

/** How a promise has ended so far, after all that is due. */
async function stateOf(promise) {
  const pending = {};
  for (let i = 0; i < 20; i++) await new Promise(setImmediate);
  const first = await Promise.race([promise, pending]).catch((error) => error);
  return first === pending ? 'pending' : first === undefined ? 'resolved' : first.code;
}

for (const subscriptionMode of ['pattern', 'dynamic', 'dynamic-private']) {
  describe(`${subscriptionMode}: ready()`, LIMIT, () => {
    /** @param {import('node:test').TestContext} t */
    function serve(t, url, namespaces = ['/']) {
      const adapter = createAdapter(url, { subscriptionMode, commandTimeout: 500 });
      const io = new Server({ adapter });
      t.after(() => adapter.close());
      for (const name of namespaces) io.of(name).adapter.on('error', () => {});
      return { adapter, io };
    }

    it('resolves when all is subscribed to, and what is published arrives', async (t) => {
      const fixture = await createFixture(t);
      const namespaces = ['/', '/chat', '/more'];
      const { adapter, io } = serve(t, fixture.redis.url, namespaces);
      const { io: other, adapter: otherAdapter } = serve(t, fixture.redis.url, namespaces);
      await Promise.all([adapter.ready(), otherAdapter.ready()]);
      for (const channel of KEYS) assert.equal(await fixture.subscribers(channel), 2);
      for (const name of namespaces) {
        assert.equal(await io.of(name).adapter.serverCount(), 2);
        other.of(name).on('ask', (ack) => ack(name));
        assert.deepEqual(await io.of(name).serverSideEmitWithAck('ask'), [name]);
      }
      // One that comes later has its own.
      await io.of('/late').adapter.ready();
      assert.equal(await fixture.subscribers('socket.io-request#/late#'), 1);
      await adapter.ready();
    });

    it('waits for a Redis that is away', async (t) => {
      const fixture = await createFixture(t);
      await fixture.redis.kill();
      const { adapter, io } = serve(t, fixture.redis.url);
      const first = adapter.ready();
      const again = io.of('/').adapter.ready();
      assert.deepEqual([await stateOf(first), await stateOf(again)], ['pending', 'pending']);
      await fixture.redis.restart();
      await Promise.all([first, again]);
      await fixture.redis.kill();
      const second = adapter.ready();
      assert.equal(await stateOf(second), 'pending');
      await fixture.redis.restart();
      await second;
      for (const channel of KEYS) assert.equal(await fixture.subscribers(channel), 1);
    });

    it('waits for the connection that publishes', async (t) => {
      const fixture = await createFixture(t);
      const proxy = await fixture.proxy();
      proxy.refuse();
      const adapter = createAdapter(proxy.url, fixture.redis.url, { subscriptionMode, commandTimeout: 500 });
      const io = new Server({ adapter });
      t.after(() => adapter.close());
      const events = [];
      for (const event of ['connect', 'error'])
        io.of('/').adapter.on(event, ({ connection }) => events.push(`${event} ${connection}`));
      const ready = adapter.ready();
      while (!events.includes('connect sub')) await new Promise(setImmediate);
      assert.equal(await stateOf(ready), 'pending');
      proxy.accept();
      await ready;
      assert.ok(events.includes('connect pub'));
    });

    it('rejects when Redis refuses a subscription, until it is granted', async (t) => {
      const fixture = await createFixture(t);
      const acl = (...rules) =>
        fixture.redis.command('ACL', 'SETUSER', 'app', 'on', '>secret', '-@all', '+@pubsub', ...rules);
      await acl('resetchannels', '&socket.io-request#*', '&socket.io#*', '&socket.io-native#*');
      const { adapter, io } = serve(t, fixture.redis.url.replace('//', '//app:secret@'));
      const granted = new Promise((resolve) => {
        io.of('/').adapter.on('connect', ({ connection }) => connection === 'sub' && resolve(undefined));
      });
      const refused = { code: 'ERR_SUBSCRIPTION_REFUSED' };
      await assert.rejects(adapter.ready(), refused);
      await assert.rejects(adapter.ready(), refused);
      await acl('allchannels');
      // Redis may have refused once more before that.
      await granted;
      await adapter.ready();
    });

    it('rejects with the end of the adapter, and where there is none', async (t) => {
      const fixture = await createFixture(t);
      await assert.rejects(createAdapter(fixture.redis.url).ready(), CLOSED);
      await fixture.redis.kill();
      const { adapter, io } = serve(t, fixture.redis.url, ['/', '/chat']);
      const ready = [adapter.ready(), io.of('/chat').adapter.ready()];
      io.of('/chat').adapter.close();
      for (const each of ready) await assert.rejects(each, CLOSED);
      const last = io.of('/').adapter.ready();
      adapter.close();
      await assert.rejects(last, CLOSED);
      await assert.rejects(adapter.ready(), CLOSED);
      await assert.rejects(io.of('/').adapter.ready(), CLOSED);
    });
  });
}
