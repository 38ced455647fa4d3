'use strict';

/** What our store does beyond the JavaScript store, or where that one would have thrown. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { after, before, beforeEach, describe, it } = require('node:test');

const { RedisStore } = require('../..');
const { startRedis } = require('../../dev/redis-server.js');
const { ask, clientList, connected, inbox, opener, subscribe } = require('../support/stores.js');
const { LIMIT } = require('../support/limits.js');

let server;
before(async () => {
  server = await startRedis();
});
after(() => server.stop());

const open = opener(RedisStore, () => server);
let store;
let other;
beforeEach(async () => {
  await server.command('FLUSHALL');
  store = open({ nodeId: 'a' });
  other = open({ nodeId: 'b' });
});

/** Has a store destroyed, and waits for its end. */
async function close(target, ...args) {
  const closed = once(target, 'close');
  target.destroy(...args);
  return closed;
}

describe('destroy()', LIMIT, () => {
  it('with seconds lets the data of all clients expire', async () => {
    for (const id of ['one', 'two']) store.client(id).set('key', 'value');
    await close(store, 1000);
    assert.deepEqual(store.clients, {});
    for (const id of ['one', 'two']) {
      const left = await server.command('TTL', id);
      assert.ok(left > 0 && left <= 1000, String(left));
    }
  });

  it('deletes data that was set in the same tick, before close', async () => {
    await server.command('HSET', 'id', 'old', 'value');
    store.client('id').set('key', 'value');
    await close(store);
    assert.equal(await server.command('EXISTS', 'id'), 0);
  });

  it('lets what was published in the same tick leave, before close', async () => {
    const consumer = inbox();
    await subscribe(other, 'message', consumer);
    for (let i = 0; i < 1000; i++) store.publish('message', i);
    await close(store);
    assert.deepEqual(
      await consumer.take(1000),
      Array.from({ length: 1000 }, (_, i) => [i]),
    );
    assert.equal(store.stats().published, 1000);
    assert.equal(store.stats().dropped, 0);
  });

  it('answers what was asked before it, before close', async () => {
    const answers = inbox();
    store.client('id').set('key', 'value', answers).get('key', answers).has('key', answers);
    await close(store);
    assert.deepEqual(answers.calls, [
      [null, 1],
      [null, 'value'],
      [null, true],
    ]);
  });

  it('works right after construction', async () => {
    const early = open({ nodeId: 'early' });
    early.publish('message', 1);
    await close(early);
    assert.equal(early.stats().published, 1);
  });

  it('may be called twice; close is told once', async () => {
    const closed = inbox();
    store.on('close', closed);
    store.destroy();
    store.destroy();
    await closed.next();
    store.destroy();
    await close(other);
    assert.equal(closed.calls.length, 1);
  });

  it('leaves all connections closed', async () => {
    await connected(store);
    await close(store);
    assert.deepEqual(
      Object.values(store.stats().connections).map(({ state }) => state),
      ['closed', 'closed', 'closed'],
    );
  });

  it('delivers nothing that comes later', async () => {
    const consumer = inbox();
    await subscribe(store, 'message', consumer);
    await close(store);
    other.publish('message', 1);
    await ask(other.client('id'), 'get', 'key');
    assert.equal(consumer.calls.length, 0);
  });
});

describe('after destroy()', LIMIT, () => {
  beforeEach(() => close(store));

  it('get, set, has and del call back with ERR_CLOSED', async () => {
    const client = store.client('id');
    for (const [method, ...args] of [
      ['get', 'key'],
      ['set', 'key', 'value'],
      ['has', 'key'],
      ['del', 'key'],
    ]) {
      const answer = await ask(client, method, ...args);
      assert.equal(answer.length, 1, method);
      assert.ok(answer[0] instanceof Error);
      assert.equal(answer[0].code, 'ERR_CLOSED');
    }
  });

  it('publish, subscribe, unsubscribe, destroyClient and stats do no harm', async () => {
    const dropped = store.stats().dropped;
    store.publish('message', 1);
    store.subscribe('message', () => assert.fail('a message after the end'));
    store.unsubscribe('message');
    store.client('id').set('key', 'value');
    store.destroyClient('id');
    store.destroyClient('id', 5);
    other.publish('message', 2);
    await ask(other.client('id'), 'get', 'key');
    assert.equal(await server.command('EXISTS', 'id'), 0);
    assert.equal(store.stats().published, 0);
    assert.ok(store.stats().dropped > dropped);
  });
});

describe('messages', LIMIT, () => {
  /** What is no message of a Socket.IO store, by what is wrong with it. */
  const MALFORMED = {
    nothing: [''],
    'no JSON': [
      'x',
      '{',
      '{"nodeId":"x","args":[1]',
      '{"nodeId":"x","args":[1]}}',
      '{"nodeId":"x","args":[1],}',
      '[',
      '{"nodeId":"x","args":[01]}',
      "{'nodeId':1}",
      'undefined',
      '{"nodeId":"x","args":["\u0001"]}',
    ],
    'no object': ['null', '5', '"text"', '[]', 'true'],
    'no arguments': ['{"nodeId":"x","args":"text"}', '{"nodeId":"x","args":5}', '{"nodeId":"x","args":true}'],
    'no MessagePack': [
      Buffer.from([0x81]),
      Buffer.from([0x81, 0xa4]),
      Buffer.from([0xdf, 0xff, 0xff, 0xff, 0xff]),
      Buffer.from([0x80, 0x80]),
    ],
    bytes: [Buffer.from([0]), Buffer.from([0xff, 0xfe]), Buffer.from([0xc1]), Buffer.alloc(1000, 0x91)],
    'too deep': [`{"nodeId":"x","args":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
  };

  for (const [kind, payloads] of Object.entries(MALFORMED)) {
    for (const channel of ['message', 'dispatch']) {
      it(`ignores and counts ${kind}, and tells it once, on ${channel}`, async () => {
        const consumer = inbox();
        const errors = inbox();
        store.on('error', errors);
        await subscribe(store, channel, consumer);
        for (const payload of [...payloads, ...payloads]) await server.command('PUBLISH', channel, payload);
        const well = ['room', '5:::', false, []];
        other.publish(channel, ...well);
        assert.deepEqual(await consumer.next(), well);
        assert.equal(store.stats().malformed, payloads.length * 2);
        assert.equal(store.stats().received, payloads.length * 2 + 1);
        assert.equal(store.stats().delivered, 1);
        const kinds = new Set(errors.calls.map(([error]) => error.message));
        assert.equal(kinds.size, errors.calls.length);
        for (const [error] of errors.calls) {
          assert.ok(error instanceof Error);
          assert.equal(error.code, 'ERR_MALFORMED_MESSAGE');
          assert.equal(error.connection, 'sub');
          assert.ok(error.message.includes(channel));
        }
      });
    }
  }

  it('without a consumer go nowhere', async () => {
    const consumer = inbox();
    await subscribe(store, 'message', undefined);
    await subscribe(store, 'end', consumer);
    other.publish('message', 1);
    other.publish('end');
    assert.deepEqual(await consumer.next(), []);
  });

  it('a consumer subscribed while messages arrive hears the next ones', async () => {
    const late = inbox();
    await subscribe(store, 'message', () => {
      if (late.calls.length === 0) store.subscribe('message', late);
    });
    await subscribe(store, 'end', () => late('end'));
    other.publish('message', 1);
    other.publish('message', 2);
    other.publish('end');
    const [first] = await late.next();
    assert.equal(first, 2);
  });
});

describe('events', LIMIT, () => {
  it('tells connect with the connection and the endpoint', async () => {
    const events = inbox();
    const fresh = open({ nodeId: 'c' });
    fresh.on('connect', events);
    const told = await events.take(2);
    assert.deepEqual(told.map(([{ connection }]) => connection).sort(), ['pub', 'sub']);
    for (const args of told) {
      assert.equal(args.length, 1);
      assert.deepEqual(Object.keys(args[0]).sort(), ['connection', 'endpoint']);
      assert.equal(args[0].endpoint, `127.0.0.1:${server.port}`);
    }
  });

  it('is connected only once early subscriptions are confirmed', async () => {
    const fresh = open({ nodeId: 'c' });
    for (let i = 0; i < 2500; i++) fresh.subscribe(`channel ${i}`, () => {});
    await connected(fresh);
    assert.equal((await server.command('PUBSUB', 'CHANNELS', 'channel *')).length, 2500);
    // And the channel of heartbeats.
    assert.equal((await clientList(server)).filter(({ sub }) => sub === '2501').length, 1);
  });

  it('an error that nobody listens for goes to the console', async (t) => {
    const warn = t.mock.method(console, 'warn', () => {});
    const consumer = inbox();
    await subscribe(store, 'message', consumer);
    await server.command('PUBLISH', 'message', 'x');
    other.publish('message', 1);
    await consumer.next();
    assert.equal(warn.mock.callCount(), 1);
    assert.match(warn.mock.calls[0].arguments[0], /^\[socket\.io-redis-native\] ERR_MALFORMED_MESSAGE: /);
  });
});

describe('stats()', LIMIT, () => {
  it('counts what is published, received, delivered and filtered', async () => {
    const consumer = inbox();
    await subscribe(store, 'message', consumer);
    await subscribe(other, 'message', consumer);
    for (let i = 0; i < 10; i++) store.publish('message', i);
    for (let i = 0; i < 5; i++) other.publish('message', i);
    await consumer.take(15);
    // The replies to the publishes have come when that of a later command has.
    for (const node of [store, other]) await ask(node.client('id'), 'get', 'key');
    const figures = ({
      nodeId,
      published,
      received,
      delivered,
      filteredOwn,
      malformed,
      dropped,
      unconfirmed,
      reconnects,
    }) => ({
      nodeId,
      published,
      received,
      delivered,
      filteredOwn,
      malformed,
      dropped,
      unconfirmed,
      reconnects,
    });
    const rest = { malformed: 0, dropped: 0, unconfirmed: 0, reconnects: 0 };
    assert.deepEqual(figures(store.stats()), {
      nodeId: 'a',
      published: 10,
      received: 15,
      delivered: 5,
      filteredOwn: 10,
      ...rest,
    });
    assert.deepEqual(figures(other.stats()), {
      nodeId: 'b',
      published: 5,
      received: 15,
      delivered: 10,
      filteredOwn: 5,
      ...rest,
    });
  });

  it('says how full the queues are and how the connections are', async () => {
    const endpoint = `127.0.0.1:${server.port}`;
    const fresh = open({ nodeId: 'c' });
    fresh.publish('message', 1);
    fresh.client('id').get('key');
    const { queues, connections } = fresh.stats();
    assert.equal(queues.publish.messages, 2);
    assert.ok(queues.publish.bytes > 0);
    assert.deepEqual(queues.command, { messages: 0, bytes: 0 });
    assert.deepEqual(connections.pub, { state: 'connecting', endpoint: '' });
    await connected(fresh);
    await ask(fresh.client('id'), 'get', 'key');
    assert.deepEqual(fresh.stats().queues, {
      publish: { messages: 0, bytes: 0 },
      command: { messages: 0, bytes: 0 },
      mailbox: { messages: 0, bytes: 0 },
    });
    const up = { state: 'connected', endpoint };
    assert.deepEqual(fresh.stats().connections, { pub: up, sub: { ...up, refused: [] }, cmd: up });
  });
});
