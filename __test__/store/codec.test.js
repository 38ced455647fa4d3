'use strict';

/** MessagePack and JSON on the wire, also against the JavaScript store with the module `msgpack`. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, it } = require('node:test');

const { decode, encode } = require('@msgpack/msgpack');

const { RedisStore } = require('../..');
const { startRedis } = require('../../dev/redis-server.js');
const { createClient, implementations, inbox, opener, subscribe } = require('../support/stores.js');
const { startPeer } = require('./peer.js');
const { LIMIT } = require('../support/limits.js');

/** Arguments that JSON and MessagePack both bring as they are. */
const ARGS = [
  [],
  [null, true, false],
  [
    0,
    1,
    -1,
    127,
    128,
    255,
    256,
    -32,
    -33,
    -128,
    -129,
    65535,
    65536,
    -32768,
    -32769,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    -(2 ** 31) - 1,
    2 ** 53,
    -(2 ** 53),
    0.5,
    -0.1,
    1e-7,
    1e21,
    5e-324,
    1.7976931348623157e308,
  ],
  ['', 'a', 'é'.repeat(15), 'é'.repeat(16), 'x'.repeat(255), 'x'.repeat(256), 'x'.repeat(65535), 'x'.repeat(65536)],
  ['комната', '😀', '\0', '"\\\u2028'],
  [[], [[]], {}, { a: { b: [1, { c: null }] } }, { '': 0, é: 1, length: 2 }],
  [
    Array.from({ length: 15 }, (_, i) => i),
    Array.from({ length: 16 }, (_, i) => i),
    Array.from({ length: 65536 }, () => 0),
  ],
  [Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`key ${i}`, i]))],
  ['room', '5:::{"name":"msg","args":["é"]}', false, []],
  ['room', '5:::{"name":"msg"}', true, ['id1', 'id2']],
  ['room', '5:::', null, ['é']],
];
const DISPATCHES = ARGS.slice(-3);

let server;
let dir; // a project that has the module msgpack
before(async () => {
  server = await startRedis();
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sio-msgpack-'));
  const home = path.join(dir, 'node_modules', 'msgpack');
  fs.mkdirSync(home, { recursive: true });
  fs.writeFileSync(
    path.join(home, 'index.js'),
    `
    const { encode, decode } = require(${JSON.stringify(require.resolve('@msgpack/msgpack'))});
    exports.pack = (value) => Buffer.from(encode(value));
    exports.unpack = (bytes) => decode(bytes);
  `,
  );
});
after(async () => {
  await server.stop();
  fs.rmSync(dir, { recursive: true, force: true });
});

const [javascript] = implementations;
const open = opener(RedisStore, () => server);
const openJavaScript = opener(javascript.RedisStore, () => server);

/** The JavaScript store in a process where it finds the module msgpack. */
const startJavaScript = (t, options) =>
  startPeer(
    t,
    { native: false, port: server.port, options, sub: { return_buffers: true } },
    { env: { ...process.env, NODE_PATH: path.join(dir, 'node_modules') } },
  );

/** Our store in a process of a project that has the module msgpack. */
const startNative = (t, options) => startPeer(t, { native: true, port: server.port, options }, { cwd: dir });

/** Subscribes with a plain client; resolves with an inbox of raw payloads. */
async function tap(t, channel) {
  const client = createClient(server.port, { return_buffers: true });
  t.after(() => client.end());
  const payloads = inbox();
  client.on('message', (_, payload) => payloads(payload));
  client.subscribe(channel);
  await once(client, 'subscribe');
  return payloads;
}

describe('on the wire', LIMIT, () => {
  it('is JSON by default and with codec json', async (t) => {
    const payloads = await tap(t, 'message');
    for (const options of [{}, { codec: 'json' }]) {
      open({ nodeId: 5, ...options }).publish('message', 'é');
      assert.equal((await payloads.next()).toString(), '{"nodeId":5,"args":["é"]}');
    }
  });

  it('is MessagePack with codec msgpack, as small as the encoder of @msgpack/msgpack writes it', async (t) => {
    const payloads = await tap(t, 'message');
    for (const nodeId of ['id', 5, -1.5, 2 ** 40]) {
      const store = open({ nodeId, codec: 'msgpack' });
      for (const args of ARGS) {
        store.publish('message', ...args);
        const [payload] = await payloads.next();
        assert.deepEqual(decode(payload), { nodeId, args });
        assert.equal(payload.length, encode({ nodeId, args }).length);
      }
    }
  });

  it('is what JSON.stringify leaves of the arguments in either codec', async (t) => {
    const payloads = await tap(t, 'message');
    const args = [undefined, NaN, new Date(0), { a: undefined, f() {} }, Buffer.from('x'), { toJSON: () => 'own' }];
    open({ nodeId: 'id', codec: 'msgpack' }).publish('message', ...args);
    assert.deepEqual(decode((await payloads.next())[0]).args, JSON.parse(JSON.stringify(args)));
  });
});

describe('between our stores', LIMIT, () => {
  for (const channel of ['message', 'dispatch']) {
    it(`brings the same in either codec, on ${channel}`, async () => {
      for (const codec of ['json', 'msgpack']) {
        const consumer = inbox();
        await subscribe(open({ codec: 'json' }), channel, consumer);
        await subscribe(open({ codec: 'msgpack' }), channel, consumer);
        const sender = open({ codec });
        for (const args of channel === 'dispatch' ? DISPATCHES : ARGS) {
          sender.publish(channel, ...args);
          assert.deepEqual(await consumer.take(2), [args, args]);
        }
        sender.destroy();
      }
    });
  }

  it("a node's own id is known in the other codec too", async () => {
    const consumer = inbox();
    const nodes = { json: open({ nodeId: 5, codec: 'json' }), packed: open({ nodeId: '5', codec: 'msgpack' }) };
    for (const [name, node] of Object.entries(nodes)) await subscribe(node, 'message', (text) => consumer(name, text));
    await subscribe(open(), 'message', (text) => consumer('other', text));
    for (const node of Object.values(nodes)) {
      node.publish('message', 'own');
      assert.deepEqual(await consumer.next(), ['other', 'own']);
    }
    open().publish('message', 'foreign');
    assert.deepEqual(
      (await consumer.take(3)).sort(),
      ['json', 'other', 'packed'].map((name) => [name, 'foreign']),
    );
  });
});

describe('with the JavaScript store', LIMIT, () => {
  it('that packs JSON: ours with codec msgpack understands it', async () => {
    const consumer = inbox();
    await subscribe(open({ codec: 'msgpack' }), 'message', consumer);
    const sender = openJavaScript({ nodeId: 1 });
    for (const args of ARGS) {
      sender.publish('message', ...args);
      assert.deepEqual(await consumer.next(), args);
    }
  });

  it('that packs MessagePack: both directions, and JSON nodes of ours understand it', async (t) => {
    const peer = await startJavaScript(t);
    assert.equal(peer.packs, Buffer.from(encode({ nodeId: 1, args: [] })).toString('latin1'));
    const consumer = inbox();
    const sender = open({ codec: 'msgpack' });
    await subscribe(sender, 'to ours', consumer);
    await subscribe(open({ codec: 'json' }), 'to ours', consumer);
    await peer.subscribe('to theirs');
    for (const args of ARGS) {
      sender.publish('to theirs', ...args);
      assert.deepEqual(await peer.messages.next(), args);
      peer.publish('to ours', ...args);
      assert.deepEqual(await consumer.take(2), [args, args]);
    }
  });
});

describe('where the module msgpack can be required', LIMIT, () => {
  it('ours packs with it, as the JavaScript store does', async (t) => {
    const [theirs, ours] = [await startJavaScript(t), await startNative(t)];
    assert.equal(ours.packs, theirs.packs);
    const payloads = await tap(t, 'message');
    await theirs.subscribe('message');
    ours.publish('message', 'é', [1]);
    assert.deepEqual(await theirs.messages.next(), ['é', [1]]);
    assert.deepEqual(decode((await payloads.next())[0]).args, ['é', [1]]);
    await ours.subscribe('message');
    theirs.publish('message', { back: null });
    assert.deepEqual(await ours.messages.next(), [{ back: null }]);
  });

  it('ours packs JSON with codec json, and the processes end by themselves', async (t) => {
    const ours = await startNative(t, { codec: 'json' });
    assert.equal(ours.packs, '{"nodeId":1,"args":[]}');
    const payloads = await tap(t, 'message');
    ours.publish('message', 1);
    assert.match((await payloads.next()).toString(), /^\{"nodeId":"[^"]+","args":\[1\]\}$/);
    assert.deepEqual(await ours.destroy(), [0, null]);
  });
});
