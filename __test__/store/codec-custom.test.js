'use strict';

/** The application's own `pack` and `unpack`. */

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');
const zlib = require('node:zlib');

const { RedisStore } = require('../..');
const { startRedis } = require('../../dev/redis-server.js');
const { ask, createClient, implementations, inbox, opener, subscribe } = require('../support/stores.js');
const { LIMIT } = require('../support/limits.js');

/** A text codec, which stands on no byte that UTF-8 could break. */
const text = { pack: (message) => `v1 ${JSON.stringify(message)}`, unpack: (packed) => JSON.parse(packed.slice(3)) };

/** A codec of bytes. */
const bytes = {
  pack: (message) => zlib.deflateRawSync(JSON.stringify(message)),
  unpack: (packed) => JSON.parse(zlib.inflateRawSync(packed).toString()),
};

let server;
before(async () => {
  server = await startRedis();
});
after(() => server.stop());

for (const { name, RedisStore: Store } of implementations) {
  describe(name, LIMIT, () => {
    const open = opener(Store, () => server);
    const bufferClient = (options = { return_buffers: true }) => ({ redisSub: createClient(server.port, options) });

    it('packs to text', async () => {
      const consumer = inbox();
      const [a, b] = [open({ nodeId: 'a', ...text }), open({ nodeId: 'b', ...text })];
      await subscribe(b, 'message', consumer);
      a.publish('message', 'é', { x: [null] });
      assert.deepEqual(await consumer.next(), ['é', { x: [null] }]);
    });

    it('packs to Buffers', async () => {
      const consumer = inbox();
      const [a, b] = [open({ nodeId: 'a', ...bytes }), open({ nodeId: 'b', ...bytes, ...bufferClient() })];
      await subscribe(b, 'dispatch', consumer);
      a.publish('dispatch', 'room', '5:::é', false, ['id']);
      assert.deepEqual(await consumer.next(), ['room', '5:::é', false, ['id']]);
    });

    it('calls pack as a method, with the message alone', () => {
      const calls = inbox();
      const store = open({
        nodeId: 'a',
        ...text,
        pack(...args) {
          calls(this, args);
          return '';
        },
      });
      const argument = { x: 1 };
      store.publish('message', argument, undefined);
      assert.equal(calls.calls.length, 1);
      const [self, args] = calls.calls[0];
      assert.equal(self, store);
      assert.deepEqual(args, [{ nodeId: 'a', args: [argument, undefined] }]);
      assert.equal(args[0].args[0], argument);
    });

    it('lets an exception of pack through, and emits nothing', () => {
      const listener = inbox();
      const own = new Error('own');
      const store = open({
        ...text,
        pack() {
          throw own;
        },
      });
      store.on('publish', listener);
      assert.throws(() => store.publish('message', 1), own);
      assert.equal(listener.calls.length, 0);
    });

    for (const [kind, options, isBuffer] of [
      ['text', {}, false],
      ['a Buffer with return_buffers', { return_buffers: true }, true],
      ['a Buffer with detect_buffers', { detect_buffers: true }, true],
    ]) {
      it(`calls unpack as a method, with ${kind}`, async () => {
        const calls = inbox();
        const store = open({
          nodeId: 'b',
          pack: text.pack,
          unpack(...args) {
            calls(this, ...args);
            return { nodeId: 'a', args: [] };
          },
          ...bufferClient(options),
        });
        await subscribe(store, 'message', () => {});
        const payload = Buffer.from([0x61, 0x00, 0xff, 0xc3, 0xa9]);
        await server.command('PUBLISH', 'message', payload);
        const [self, packed, ...rest] = await calls.next();
        assert.equal(self, store);
        assert.deepEqual(packed, isBuffer ? payload : 'a\0\ufffdé');
        assert.deepEqual(rest, []);
      });
    }

    it('unpacks for each consumer, so that each has its own arguments', async () => {
      const consumer = inbox();
      const [a, b] = [open({ nodeId: 'a', ...text }), open({ nodeId: 'b', ...text })];
      for (let i = 0; i < 2; i++) {
        await subscribe(b, 'message', (list) => {
          consumer([...list]);
          list.push('spoilt');
        });
      }
      a.publish('message', [1]);
      assert.deepEqual(await consumer.take(2), [[[1]], [[1]]]);
    });

    it("drops what is == to the node's own id", async () => {
      const consumer = inbox();
      const store = open({ nodeId: 5, ...text });
      await subscribe(store, 'message', consumer);
      for (const nodeId of [5, '5', ' 5.0 ', '0x5', [5], '55', null, undefined]) {
        await server.command('PUBLISH', 'message', text.pack({ nodeId, args: [nodeId] }));
      }
      assert.deepEqual(await consumer.take(3), [['55'], [null], [null]]);
    });

    it('calls consumers without arguments where the message has none', async () => {
      const consumer = inbox();
      const store = open({ nodeId: 5, ...text });
      await subscribe(store, 'message', consumer);
      for (const message of [{}, { args: null }, { args: [] }])
        await server.command('PUBLISH', 'message', text.pack(message));
      assert.deepEqual(await consumer.take(3), [[], [], []]);
    });
  });
}

describe('both stores together', LIMIT, () => {
  const [javascript, native] = implementations.map(({ RedisStore: Store }) => opener(Store, () => server));

  for (const [kind, codec, options] of [
    ['text', text, {}],
    ['bytes', bytes, { return_buffers: true }],
  ]) {
    it(`understand each other in ${kind}`, async () => {
      const consumer = inbox();
      const nodes = [javascript, native].map((open, nodeId) =>
        open({
          nodeId,
          ...codec,
          redisSub: createClient(server.port, options),
        }),
      );
      for (const node of nodes) await subscribe(node, 'message', (...args) => consumer(node.nodeId, ...args));
      nodes[0].publish('message', 'from JavaScript', { é: 1 });
      assert.deepEqual(await consumer.next(), [1, 'from JavaScript', { é: 1 }]);
      nodes[1].publish('message', 'from ours', { é: 1 });
      assert.deepEqual(await consumer.next(), [0, 'from ours', { é: 1 }]);
    });
  }
});

describe('our store beyond that', LIMIT, () => {
  const open = opener(RedisStore, () => server);

  it('gives unpack Buffers when options or other clients ask for them', async () => {
    for (const redisSub of [
      { host: '127.0.0.1', port: server.port, return_buffers: true },
      require('redis-3').createClient(server.port, { return_buffers: true }),
    ]) {
      const calls = inbox();
      const store = open({
        nodeId: 'b',
        pack: text.pack,
        unpack: (packed) => {
          calls(packed);
          return {};
        },
        redisSub,
      });
      await subscribe(store, 'message', () => {});
      await server.command('PUBLISH', 'message', Buffer.from([0xff]));
      assert.deepEqual(await calls.next(), [Buffer.from([0xff])]);
    }
  });

  it('gives unpack Buffers that it may keep and change', async () => {
    const kept = [];
    const consumer = inbox();
    const unpack = (packed) => {
      kept.push(packed);
      return { args: [] };
    };
    const store = open({
      nodeId: 'b',
      pack: text.pack,
      unpack,
      redisSub: createClient(server.port, { return_buffers: true }),
    });
    await subscribe(store, 'message', consumer);
    const sender = open({ pack: ({ args }) => args[0], unpack });
    for (let i = 0; i < 500; i++) sender.publish('message', `payload ${i}`);
    await consumer.take(500);
    assert.deepEqual(
      kept.map(String),
      Array.from({ length: 500 }, (_, i) => `payload ${i}`),
    );
    kept[0].fill(0);
    assert.equal(String(kept[1]), 'payload 1');
  });

  it('takes a Uint8Array from pack for bytes, as an encoder may give it', async () => {
    const consumer = inbox();
    const codec = { ...bytes, pack: (message) => new Uint8Array(bytes.pack(message)) };
    const store = open({ nodeId: 'b', ...codec, redisSub: createClient(server.port, { return_buffers: true }) });
    await subscribe(store, 'message', consumer);
    open({ nodeId: 'a', ...codec }).publish('message', 'é');
    assert.deepEqual(await consumer.next(), ['é']);
  });

  it('counts and tells once what unpack refuses, and goes on', async () => {
    const consumer = inbox();
    const errors = inbox();
    const store = open({ nodeId: 'own', ...text });
    store.on('error', errors);
    await subscribe(store, 'message', consumer);
    await subscribe(store, 'message', consumer);
    const refused = [
      'no JSON',
      'v1 null',
      'v1 5',
      'v1 "text"',
      'v1 {"args":"text"}',
      'v1 {"args":5}',
      '',
      'v1 {"args":{}}',
    ];
    for (const payload of refused) await server.command('PUBLISH', 'message', payload);
    await server.command('PUBLISH', 'message', 'v1 {"args":["well"]}');
    assert.deepEqual(await consumer.take(2), [['well'], ['well']]);
    await ask(store.client('id'), 'get', 'key'); // the batch is over, and so its figures are in
    const { received, delivered, filteredOwn, malformed } = store.stats();
    assert.deepEqual(
      { received, delivered, filteredOwn, malformed },
      {
        received: refused.length + 1,
        delivered: 1,
        filteredOwn: 0,
        malformed: refused.length,
      },
    );
    assert.equal(errors.calls.length, 1);
    const [error] = errors.calls[0];
    assert.equal(error.code, 'ERR_MALFORMED_MESSAGE');
    assert.equal(error.connection, 'sub');
    assert.match(error.message, /unpack/);
    assert.match(error.message, /message/);
  });

  it('counts what is delivered and what is its own once, however many consumers there are', async () => {
    const consumer = inbox();
    const [a, b] = [open({ nodeId: 5, ...text }), open({ nodeId: 6, ...text })];
    for (let i = 0; i < 3; i++) await subscribe(a, 'message', consumer);
    await subscribe(b, 'message', consumer);
    for (let i = 0; i < 10; i++) a.publish('message', i);
    await consumer.take(10);
    for (let i = 0; i < 4; i++) b.publish('message', i);
    await consumer.take(12);
    for (const node of [a, b]) await ask(node.client('id'), 'get', 'key');
    const figures = ({ published, received, delivered, filteredOwn, malformed }) => [
      published,
      received,
      delivered,
      filteredOwn,
      malformed,
    ];
    assert.deepEqual(figures(a.stats()), [10, 14, 4, 10, 0]);
    // The last of b's own may still be on its way, but no later than a message after it.
    a.publish('message', 'end');
    await consumer.next();
    await ask(b.client('id'), 'get', 'key');
    assert.deepEqual(figures(b.stats()), [4, 15, 11, 4, 0]);
  });
});
