'use strict';

/** Subscriptions that Redis refuses: an error for all that asked, a state that shows it, and tried again. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { setImmediate: turn } = require('node:timers/promises');
const { RedisStore } = require('../../..');
const { LIMIT } = require('../../support/limits');
const { EventLog, closeAll, until } = require('../../support/load');
const { createFixture, stub } = require('./fixture');

/** A join that waited for its time to be up would not end in time. */
const LONG = { requestsTimeout: 100_000 };
const MODES = ['dynamic', 'dynamic-private'];
const CHANNELS = ['&socket.io-request#/#', '&socket.io-response#/#*', '&socket.io-native#/#*'];
const BROADCASTS = {
  pattern: [],
  dynamic: ['&socket.io#/#', `&socket.io#/#${'?'.repeat(20)}#`],
  'dynamic-private': ['&socket.io#/#', `&socket.io#/#${'?'.repeat(20)}#`],
};
const channelOf = (room) => `socket.io#/#${room}#`;
const refusal = (room) => ({ code: 'ERR_SUBSCRIPTION_REFUSED', command: 'SUBSCRIBE', channel: channelOf(room) });

/** A user who may hear all channels but those of rooms. */
async function setUp(t, subscriptionMode) {
  const fixture = await createFixture(t);
  const allow = (...rules) => fixture.redis.command('ACL', 'SETUSER', 'app', ...rules);
  await allow('on', '>pw', '+@all', 'resetchannels', ...CHANNELS, ...BROADCASTS[subscriptionMode]);
  const url = `redis://app:pw@127.0.0.1:${fixture.redis.port}`;
  const sender = await fixture.official();
  return { fixture, allow, url, sender, opts: { subscriptionMode, ...LONG } };
}

for (const mode of MODES) {
  describe(`a room's channel in the mode ${mode}`, LIMIT, () => {
    it('is an error to all that join, until it is granted', async (t) => {
      const { fixture, allow, url, sender, opts } = await setUp(t, mode);
      const node = await fixture.node({ url, opts });
      const adapter = node.adapter();
      const client = await fixture.client(node);
      const other = await fixture.client(node);
      await allow('&socket.io#/#allowed#');
      await client.peer.join('allowed');
      await assert.rejects(client.peer.join('secret'), refusal('secret'));
      const { connections } = adapter.stats();
      assert.deepEqual([connections.sub.state, connections.sub.refused], ['degraded', [channelOf('secret')]]);
      // That the room is there already makes it no success.
      await assert.rejects(other.peer.join('secret'), refusal('secret'));
      await assert.rejects(other.peer.join(['allowed', 'secret']), refusal('secret'));
      other.peer.leave('secret');
      await assert.rejects(other.peer.join('secret'), refusal('secret'));
      // Nothing waits for these.
      client.peer.join('secret-2');
      node.io.to(other.id).socketsJoin('secret-2');
      await until('both errors', () => node.eventLog().all('error').length === 2);
      assert.equal(adapter.stats().connections.sub.refused.length, 2);
      const errors = node.eventLog().all('error');
      assert.deepEqual(
        errors.map(({ connection, code, error }) => [connection, code, error.command, error.channel]),
        [
          ['sub', 'ERR_SUBSCRIPTION_REFUSED', 'SUBSCRIBE', channelOf('secret')],
          ['sub', 'ERR_SUBSCRIPTION_REFUSED', 'SUBSCRIBE', channelOf('secret-2')],
        ],
      );
      assert.match(errors[0].error.message, /NOPERM/);
      sender.io.to('allowed').emit('news', 'all else works');
      for (const each of [client, other]) assert.deepEqual(await each.event('news'), ['all else works']);

      await allow('&socket.io#/#secret#');
      await until('the first channel', () => adapter.stats().connections.sub.refused.length === 1);
      await other.peer.join('secret');
      sender.io.to('secret').emit('news', 'granted');
      assert.deepEqual(await client.event('news'), ['granted']);
      assert.deepEqual(await other.event('news'), ['granted']);
      assert.equal(node.eventLog().all('gap').length, 0, 'it is still degraded');
      const since = node.eventLog().events.length;
      await allow('&socket.io#/#secret-2#');
      await node.eventLog().next('connect', 'sub', undefined, since);
      const gap = await node.eventLog().next('gap', 'sub', undefined, since);
      assert.ok(gap.duration > 0);
      sender.io.to('secret-2').emit('news', 'too');
      assert.deepEqual(await client.event('news'), ['too']);
      assert.equal(adapter.stats().connections.sub.state, 'connected');
      assert.deepEqual([node.eventLog().all('disconnect'), node.eventLog().all('error').length], [[], 2]);
      // A room that is whole needs nothing of Redis.
      assert.equal(other.peer.join('secret-2'), undefined);
    });

    it('ends with the room', async (t) => {
      const { fixture, url, opts } = await setUp(t, mode);
      const node = await fixture.node({ url, opts });
      const { peer } = await fixture.client(node);
      const since = node.eventLog().events.length;
      await assert.rejects(peer.join('secret'), refusal('secret'));
      peer.leave('secret');
      await node.eventLog().next('connect', 'sub', undefined, since);
      assert.deepEqual(node.adapter().stats().connections.sub.refused, []);
    });

    it('taken away at run time', async (t) => {
      const { fixture, allow, url, sender, opts } = await setUp(t, mode);
      await allow('&socket.io#/#secret#');
      const node = await fixture.node({ url, opts });
      const [client, other] = [await fixture.client(node), await fixture.client(node)];
      await client.peer.join('secret');
      const since = node.eventLog().events.length;
      // Redis ends connections that are subscribed to what they no longer may be.
      await allow('resetchannels', ...CHANNELS, ...BROADCASTS[mode]);
      await node.eventLog().next('error', 'sub', ({ error }) => error.channel === channelOf('secret'), since);
      // It is told before the others are confirmed.
      await until('all else to be back', () => node.adapter().stats().connections.sub.state === 'degraded');
      await assert.rejects(other.peer.join('secret'), refusal('secret'));
      await allow('&socket.io#/#secret#');
      await node.eventLog().next('connect', 'sub', undefined, since);
      sender.io.to('secret').emit('news', 1);
      assert.deepEqual(await client.event('news'), [1]);
      assert.deepEqual(await other.event('news'), [1]);
    });
  });

  describe(`closing in the mode ${mode}`, LIMIT, () => {
    const CLOSED = { code: 'ERR_CLOSED' };

    it('ends the joins that wait and those that come', async (t) => {
      const fixture = await createFixture(t);
      const node = await fixture.node({ opts: { subscriptionMode: mode, ...LONG } });
      const adapter = node.adapter();
      stub(node, 'a-socket', ['held'], () => {});
      await adapter.addAll('a-socket', new Set(['first']));
      fixture.redis.pause();
      const pending = adapter.addAll('a-socket', new Set(['pending']));
      for (let i = 0; i < 5; i++) await turn();
      const fresh = adapter.addAll('a-socket', new Set(['fresh']));
      adapter.addAll('a-socket', new Set(['not waited for']));
      const closed = node.eventLog().next('close');
      await adapter.close();
      await assert.rejects(pending, CLOSED);
      await assert.rejects(fresh, CLOSED);
      await assert.rejects(adapter.addAll('a-socket', new Set(['late'])), CLOSED);
      await assert.rejects(adapter.addAll('a-socket', new Set(['held'])), CLOSED);
      adapter.addAll('a-socket', new Set(['late, and not waited for']));
      fixture.redis.resume();
      await closed;
      assert.equal(node.eventLog().events.at(-1).event, 'close');
    });

    it('of the store that the adapter stands on does, too', async (t) => {
      const fixture = await createFixture(t);
      const { url } = fixture.redis;
      const store = new RedisStore({ redisPub: url, redisSub: url, redisClient: url, commandTimeout: 100 });
      const eventLog = new EventLog(store);
      const { Server } = require('socket.io-4');
      const io = new Server({ adapter: store.adapter({ subscriptionMode: mode, ...LONG }) });
      const adapter = /** @type {any} */ (io.of('/').adapter);
      await eventLog.next('connect', 'sub', undefined, 0);
      fixture.redis.pause();
      const pending = adapter.addAll('a-socket', new Set(['pending']));
      for (let i = 0; i < 5; i++) await turn();
      const closed = closeAll(store);
      await assert.rejects(pending, CLOSED);
      await assert.rejects(adapter.addAll('a-socket', new Set(['late'])), CLOSED);
      await closed;
      await assert.rejects(adapter.addAll('a-socket', new Set(['later'])), CLOSED);
      fixture.redis.resume();
      assert.equal(eventLog.events.at(-1).event, 'close');
    });
  });
}

describe("a namespace's pattern", LIMIT, () => {
  it('leaves the connection degraded until it is granted', async (t) => {
    const { fixture, allow, url, sender } = await setUp(t, 'pattern');
    const node = await fixture.node({ url, connects: false });
    const { error } = await node.eventLog().next('error', 'sub', undefined, 0);
    assert.deepEqual(
      [error.code, error.command, error.channel],
      ['ERR_SUBSCRIPTION_REFUSED', 'PSUBSCRIBE', 'socket.io#/#*'],
    );
    await until('a degraded connection', () => node.adapter().stats().connections.sub.state === 'degraded');
    assert.deepEqual(node.adapter().stats().connections.sub.refused, ['socket.io#/#*']);
    assert.equal(node.eventLog().all('connect', 'sub').length, 0);
    const client = await fixture.client(node);
    // What no room needs, no join waits for.
    assert.equal(client.peer.join('room'), undefined);
    await allow('&socket.io#/#*');
    await node.eventLog().next('connect', 'sub', undefined, 0);
    await node.eventLog().next('gap', 'sub', undefined, 0);
    sender.io.to('room').emit('news', 1);
    assert.deepEqual(await client.event('news'), [1]);
    assert.equal(node.eventLog().all('error').length, 1);
  });
});
