'use strict';

/** Publishing and subscribing: each test runs on the JavaScript store, then on ours. */

const assert = require('node:assert/strict');
const { EventEmitter } = require('node:events');
const { after, before, beforeEach, describe, it } = require('node:test');

const { startRedis } = require('../../../dev/redis-server.js');
const { ask, clientList, implementations, inbox, opener, subscribe, until } = require('../../support/stores.js');
const { LIMIT } = require('../../support/limits.js');

let server;
before(async () => {
  server = await startRedis();
});
after(() => server.stop());

for (const { name, RedisStore } of implementations) {
  describe(name, LIMIT, () => {
    const open = opener(RedisStore, () => server);
    let a;
    let b;
    beforeEach(() => {
      a = open({ nodeId: 'a' });
      b = open({ nodeId: 'b' });
    });

    it('is an event emitter with the parts that the server uses', () => {
      assert.ok(a instanceof EventEmitter);
      assert.ok(a instanceof RedisStore);
      assert.equal(a.getMaxListeners(), 0);
      assert.deepEqual(a.clients, {});
      assert.equal(a.nodeId, 'a');
      assert.equal(a.manager, undefined);
      assert.equal(typeof a.pack, 'function');
      assert.equal(typeof a.unpack, 'function');
      for (const client of [a.pub, a.sub, a.cmd]) assert.equal(typeof client.send_command, 'function');
    });

    it('keeps the options object that it was given', () => {
      const options = a.options;
      assert.equal(options.redisPub, a.pub);
      assert.equal(options.redisSub, a.sub);
      assert.equal(options.redisClient, a.cmd);
      assert.equal(options.nodeId(), 'a');
    });

    it('publish() brings the arguments to the other node', async () => {
      const consumer = inbox();
      await subscribe(b, 'message', consumer);
      a.publish('message', 'one', 2, { three: [4] }, null);
      assert.deepEqual(await consumer.next(), ['one', 2, { three: [4] }, null]);
    });

    it('publish() with no arguments calls the consumer with none', async () => {
      const consumer = inbox();
      await subscribe(b, 'message', consumer);
      a.publish('message');
      assert.deepEqual(await consumer.next(), []);
    });

    it('publish(), subscribe() and unsubscribe() return nothing', () => {
      assert.equal(a.publish('message', 1), undefined);
      assert.equal(
        a.subscribe(
          'message',
          () => {},
          () => {},
        ),
        undefined,
      );
      assert.equal(
        a.unsubscribe('message', () => {}),
        undefined,
      );
    });

    it('emits publish with the very arguments, in the same tick', () => {
      const listener = inbox();
      a.on('publish', listener);
      const packet = { type: 'event' };
      a.publish('message', packet, undefined, 3);
      assert.deepEqual(listener.calls, [['message', packet, undefined, 3]]);
      assert.equal(listener.calls[0][1], packet);
    });

    it('emits subscribe with the three arguments, given or not', () => {
      const listener = inbox();
      const consumer = () => {};
      const fn = () => {};
      a.on('subscribe', listener);
      a.subscribe('one', consumer, fn);
      a.subscribe('two', consumer);
      a.subscribe('three');
      assert.deepEqual(listener.calls, [
        ['one', consumer, fn],
        ['two', consumer, undefined],
        ['three', undefined, undefined],
      ]);
    });

    it('emits unsubscribe with the two arguments, given or not', () => {
      const listener = inbox();
      const fn = () => {};
      a.on('unsubscribe', listener);
      a.unsubscribe('one', fn);
      a.unsubscribe('two');
      assert.deepEqual(listener.calls, [
        ['one', fn],
        ['two', undefined],
      ]);
    });

    it('publish() throws at what JSON cannot hold, and emits nothing', () => {
      const listener = inbox();
      a.on('publish', listener);
      const circle = {};
      circle.circle = circle;
      assert.throws(() => a.publish('message', circle), TypeError);
      assert.throws(() => a.publish('message', 1n), TypeError);
      assert.deepEqual(listener.calls, []);
    });

    it("calls subscribe's fn without arguments, later, once", async () => {
      const fn = inbox();
      a.subscribe('message', () => {}, fn);
      assert.equal(fn.calls.length, 0);
      assert.deepEqual(await fn.next(), []);
      await subscribe(a, 'other', () => {});
      assert.equal(fn.calls.length, 1);
    });

    it("calls subscribe's fn of a channel that it already has, and without a consumer too", async () => {
      await subscribe(a, 'message', () => {});
      await subscribe(a, 'message', () => {});
      await subscribe(a, 'message', undefined);
      await subscribe(a, 'unheard', undefined);
    });

    it('calls each fn of subscriptions made at once', async () => {
      const fn = inbox();
      for (let i = 0; i < 3; i++) a.subscribe('message', () => {}, fn);
      assert.deepEqual(await fn.take(3), [[], [], []]);
    });

    it('subscribes without consumer and fn', async () => {
      a.subscribe('message');
      await until(async () => (await server.command('PUBSUB', 'NUMSUB', 'message'))[1] === 1);
    });

    it("calls unsubscribe's fn without arguments, once Redis has confirmed it", async () => {
      await subscribe(a, 'message', () => {});
      assert.deepEqual(await ask(a, 'unsubscribe', 'message'), []);
      assert.deepEqual(await server.command('PUBSUB', 'NUMSUB', 'message'), ['message', 0]);
    });

    it("calls unsubscribe's fn of a channel that it never had", async () => {
      await subscribe(a, 'message', () => {});
      assert.deepEqual(await ask(a, 'unsubscribe', 'never'), []);
    });

    it('calls every consumer of a channel, in their order, each with arguments of its own', async () => {
      for (const channel of ['message', 'dispatch']) {
        const seen = inbox();
        await subscribe(b, channel, (...args) => {
          seen('first', structuredClone(args));
          args[3].push('spoilt');
        });
        await subscribe(b, channel, (...args) => seen('second', args));
        await subscribe(b, channel, (...args) => seen('third', args));
        const args = ['room', '5:::{}', false, ['id']];
        a.publish(channel, ...args);
        assert.deepEqual(await seen.take(3), [
          ['first', args],
          ['second', args],
          ['third', args],
        ]);
      }
    });

    it('calls a consumer twice that was subscribed twice', async () => {
      const consumer = inbox();
      await subscribe(b, 'message', consumer);
      await subscribe(b, 'message', consumer);
      a.publish('message', 1);
      a.publish('message', 2);
      assert.deepEqual(await consumer.take(4), [[1], [1], [2], [2]]);
    });

    it('calls consumers without this', async () => {
      const consumer = inbox();
      await subscribe(b, 'message', function consume() {
        consumer(this);
      });
      a.publish('message');
      assert.deepEqual(await consumer.next(), [null]);
    });

    it("does not deliver a node's own messages", async () => {
      const own = inbox();
      const others = inbox();
      await subscribe(a, 'message', own);
      await subscribe(b, 'message', others);
      a.publish('message', 'of a');
      await others.next();
      // a has had its own message now, so the next one shows that it was skipped.
      b.publish('message', 'of b');
      assert.deepEqual(await own.next(), ['of b']);
      assert.equal(others.calls.length, 1);
    });

    it('delivers only to the channel, which is no pattern', async () => {
      const right = inbox();
      const wrong = inbox();
      for (const channel of ['room', 'room:', 'room:*', 'ROOM:1', '*']) await subscribe(b, channel, wrong);
      await subscribe(b, 'room:1', right);
      a.publish('room:1', 1);
      a.publish('room:1', 2);
      assert.deepEqual(await right.take(2), [[1], [2]]);
      assert.equal(wrong.calls.length, 0);
    });

    it('takes any channel name: empty, Unicode, spaces, line ends, NUL', async () => {
      const consumer = inbox();
      const names = ['', 'комната 😀', ' a b ', 'a\r\nb', 'a\0b', '__proto__', 'constructor', 'x'.repeat(10_000)];
      for (const channel of names) await subscribe(b, channel, (...args) => consumer(channel, ...args));
      for (const channel of names) a.publish(channel, 'for', channel);
      assert.deepEqual(
        await consumer.take(names.length),
        names.map((channel) => [channel, 'for', channel]),
      );
    });

    it('takes a number for a channel', async () => {
      const consumer = inbox();
      await subscribe(b, 5, consumer);
      a.publish(5, 'five');
      assert.deepEqual(await consumer.next(), ['five']);
      assert.deepEqual(await ask(b, 'unsubscribe', 5), []);
    });

    it('delivers nothing more after unsubscribe(), and to the new consumer after subscribe()', async () => {
      const old = inbox();
      await subscribe(b, 'message', old);
      await subscribe(b, 'message', old);
      b.unsubscribe('message');
      const consumer = inbox();
      await subscribe(b, 'message', consumer);
      a.publish('message', 1);
      assert.deepEqual(await consumer.next(), [1]);
      assert.equal(old.calls.length, 0);
    });

    it('leaves other channels alone on unsubscribe()', async () => {
      const consumer = inbox();
      await subscribe(b, 'one', consumer);
      await subscribe(b, 'two', consumer);
      await ask(b, 'unsubscribe', 'one');
      a.publish('one', 1);
      a.publish('two', 2);
      assert.deepEqual(await consumer.next(), [2]);
    });

    it('a consumer that unsubscribes has had its last message, its neighbour this one too', async () => {
      const seen = inbox();
      await subscribe(b, 'message', (i) => {
        seen('first', i);
        b.unsubscribe('message');
      });
      await subscribe(b, 'message', (i) => seen('second', i));
      await subscribe(b, 'end', () => seen('end'));
      for (let i = 0; i < 5; i++) a.publish('message', i);
      a.publish('end');
      assert.deepEqual(await seen.take(3), [['first', 0], ['second', 0], ['end']]);
    });

    it('a consumer may publish, subscribe and ask', async () => {
      const seen = inbox();
      await subscribe(a, 'answer', seen);
      await subscribe(b, 'question', (text) => {
        b.subscribe('more', seen, () => {
          b.client('id').set('text', text, (error) => b.publish('answer', text, error));
        });
      });
      a.publish('question', 'why');
      assert.deepEqual(await seen.next(), ['why', null]);
    });

    it("keeps the order of one node's messages across channels", async () => {
      const seen = inbox();
      const channels = ['join', 'dispatch', 'leave', 'open', 'close'];
      for (const channel of channels) await subscribe(b, channel, (i) => seen(channel, i));
      const sent = Array.from({ length: 1000 }, (_, i) => [channels[(i * 7) % 5], String(i)]);
      for (const [channel, i] of sent) a.publish(channel, ...(channel === 'dispatch' ? [i, '5:::', false, []] : [i]));
      assert.deepEqual(await seen.take(sent.length), sent);
    });

    it('keeps what is published and subscribed before it is connected', async () => {
      const seen = inbox();
      const late = open({ nodeId: 'late' });
      late.subscribe('early', seen);
      late.subscribe('late', seen, () => {
        const publisher = open({ nodeId: 'publisher' });
        for (let i = 0; i < 5; i++) publisher.publish(i % 2 ? 'early' : 'late', i);
      });
      assert.deepEqual(await seen.take(5), [[0], [1], [2], [3], [4]]);
    });

    it('many nodes hear one', async () => {
      const seen = inbox();
      const nodes = [1, 2, 3, 4].map((nodeId) => open({ nodeId }));
      for (const node of nodes) await subscribe(node, 'message', (text) => seen(node.nodeId, text));
      a.publish('message', 'all');
      const heard = await seen.take(4);
      assert.deepEqual(
        heard.sort(([x], [y]) => x - y),
        [1, 2, 3, 4].map((id) => [id, 'all']),
      );
    });

    it('makes an id of its own without the option nodeId', async () => {
      const seen = inbox();
      const [x, y] = [open(), open()];
      assert.notEqual(x.nodeId, y.nodeId);
      await subscribe(y, 'message', seen);
      x.publish('message', 1);
      assert.deepEqual(await seen.next(), [1]);
    });

    it('calls the option nodeId once, without arguments', () => {
      const nodeId = inbox();
      open({
        nodeId: (...args) => {
          nodeId(...args);
          return 'id';
        },
      });
      assert.deepEqual(nodeId.calls, [[]]);
    });

    it('destroy() returns nothing, ends the clients passed to it and leaves no connection', async () => {
      const clients = [a.pub, a.sub, a.cmd, b.pub, b.sub, b.cmd];
      await subscribe(a, 'message', () => {});
      await ask(a.client('id'), 'get', 'x');
      assert.equal(a.destroy(), undefined);
      assert.equal(b.destroy(), undefined);
      for (const client of clients) assert.equal(client.connected, false);
      await until(async () => (await clientList(server)).length === 0);
    });
  });
}
