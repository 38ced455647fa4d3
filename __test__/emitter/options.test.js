'use strict';

/** What an Emitter takes, and what it says of the rest. */

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');
const { Redis } = require('ioredis-6');
const notepack = require('notepack.io');
const { Emitter, StreamsEmitter } = require('../..');
const { startRedis } = require('../../dev/redis-server');
const { families } = require('../support/client-families');
const { LIMIT } = require('../support/limits');

/** @type {Awaited<ReturnType<typeof startRedis>>} */
let redis;
before(async () => {
  redis = await startRedis();
});
after(() => redis.stop());

describe('the options of an emitter', LIMIT, () => {
  const parser = { encode: JSON.stringify };
  /** @type {[string, any[], RegExp][]} */
  const refused = [
    ['opts', [redis?.url, 'key'], /must be an object/],
    ['kye', [undefined, { kye: 'chat' }], /Did you mean "key"\? The options are key, parser, sharded, /],
    ['key', [undefined, { key: 7 }], /must be a string/],
    ['key', [undefined, { key: 'chat', sharded: true }], /the sharded wire does not have it/],
    ['parser', [undefined, { parser, sharded: true }], /the sharded wire does not have it/],
    ['parser', [undefined, { parser: {} }], /must be an object with encode/],
    ['parser', [undefined, { parser: { ...parser, decode: 1 } }], /must be an object with encode/],
    ['channelPrefix', [undefined, { channelPrefix: 'chat' }], /pass sharded: true with it, or key/],
    ['sharded', [undefined, { sharded: 'yes' }], /must be true or false/],
    ['subscriptionMode', [undefined, { subscriptionMode: 'static' }], /must be one of 'pattern'/],
    ['subscriptionMode', [undefined, { subscriptionMode: 'pattern', sharded: true }], /must be one of 'static'/],
    ['requestsTimeout', [undefined, { requestsTimeout: -1 }], /whole number/],
    ['limits.rooms', [undefined, { limits: { rooms: 0 } }], /whole number/],
    ['offlineQueue', [undefined, { offlineQueue: 7 }], /must be an object/],
    ['heartbeat', [undefined, { heartbeat: true }], /not known/],
    ['redisClient', [7], /is no Redis endpoint/],
    ['redisClient.key', [{ key: 'chat' }], /new Emitter\(endpoint, \{ key \}\)/],
    ['redisClient.sharded', [{ host: 'localhost', sharded: true }], /new Emitter\(endpoint, \{ sharded \}\)/],
  ];
  for (const [option, args, message] of refused) {
    it(`refuses ${option}: ${message.source}`, () => {
      assert.throws(() => new Emitter(...args), { name: 'TypeError', code: 'ERR_INVALID_OPTION', option, message });
    });
  }

  /** @type {[string, any[], RegExp][]} */
  const refusedOfStreams = [
    ['key', [undefined, { key: 'chat' }], /not known/],
    ['streamCount', [undefined, { streamCount: 0 }], /whole number/],
    ['maxLen', [undefined, { maxLen: 0 }], /whole number/],
    ['useShardedPubSub', [undefined, { useShardedPubSub: 1 }], /must be true or false/],
    ['redisClient.streamName', [{ streamName: 'chat' }], /new StreamsEmitter\(endpoint, \{ streamName \}\)/],
  ];
  for (const [option, args, message] of refusedOfStreams) {
    it(`of streams refuses ${option}: ${message.source}`, () => {
      assert.throws(() => new StreamsEmitter(...args), { code: 'ERR_INVALID_OPTION', option, message });
    });
  }

  it('may be left out, or null', async () => {
    for (const args of [[redis.url], [redis.url, undefined], [redis.url, null]]) {
      const emitter = new Emitter(.../** @type {[any, any?]} */ (args));
      assert.deepEqual([emitter.redisClient, emitter.nsp], [redis.url, '/']);
      assert.equal(emitter.of('chat').nsp, '/chat');
      await emitter.ready();
      await emitter.close();
    }
  });

  it('a timeout is a whole number of ms', async () => {
    const emitter = new Emitter(redis.url);
    for (const value of [0, -1, 1.5, '7', undefined, 2 ** 31]) {
      const bad = () => emitter.timeout(/** @type {any} */ (value));
      assert.throws(bad, { code: 'ERR_INVALID_OPTION', option: 'timeout' });
    }
    await emitter.close();
  });

  it('a parser that cannot decode is enough until answers are wanted', async () => {
    const emitter = new Emitter(redis.url, { parser });
    assert.equal(emitter.emit('news'), true);
    for (const asked of [emitter.fetchSockets(), emitter.countSockets(), emitter.emitWithAck('ask')]) {
      await assert.rejects(asked, { code: 'ERR_INVALID_OPTION', option: 'parser' });
    }
    await emitter.close();
    assert.equal(emitter.stats().published, 1);
  });

  for (const { name, create } of families) {
    it(`takes a client of ${name}`, async () => {
      const client = create({ port: redis.port });
      client.on?.('error', () => {});
      const emitter = new Emitter(client);
      assert.equal(emitter.redisClient, client);
      await emitter.ready();
      await emitter.close();
      // Those that connect at once.
      if (name.startsWith('redis-') && client.end) client.end(true);
    });
  }
});

it('an emitter opens no more than 1000 namespaces, and all of them work', LIMIT, async () => {
  const emitter = new Emitter(redis.url);
  await emitter.ready();
  const spy = new Redis(redis.port, '127.0.0.1');
  /** @type {string[]} */
  const heard = [];
  const all = new Promise((resolve) => {
    spy.on('pmessage', (_pattern, channel) => {
      if (heard.push(channel) === 1501) resolve(undefined);
    });
  });
  await spy.psubscribe('socket.io#*');
  const first = emitter.of('/0');
  for (let n = 0; n < 1500; n++) emitter.of(`/${n}`).emit('news');
  first.emit('news');
  await all;
  assert.deepEqual(heard, [...Array.from({ length: 1500 }, (_, n) => `socket.io#/${n}#`), 'socket.io#/0#']);
  await emitter.close();
  await spy.quit();
});

it('an emitter of streams adds entries to the stream of the namespace, and reads none', LIMIT, async () => {
  const emitter = new StreamsEmitter(`${redis.url}/3`, { streamName: 'chat', streamCount: 3, maxLen: 5000 });
  const chat = emitter.of('chat');
  assert.ok(chat instanceof StreamsEmitter);
  emitter.to('room').emit('news', 1, 'ä');
  chat.except('room').volatile.emit('news', Buffer.from('part'));
  chat.in('a').socketsJoin('b');
  chat.in('a').socketsLeave(['b', 'c']);
  chat.disconnectSockets();
  await emitter.close();
  const spy = new Redis(redis.port, '127.0.0.1', { db: 3 });
  const entries = async (/** @type {string} */ name) => (await spy.xrange(name, '-', '+')).map(([, fields]) => fields);
  const json = (/** @type {any} */ value) => JSON.stringify(value);
  const to = (/** @type {any[]} */ ...rooms) => ({ rooms, except: [], flags: {} });
  assert.deepEqual(await entries(streamOf('/')), [
    [
      'uid',
      'emitter',
      'nsp',
      '/',
      'type',
      '3',
      'data',
      json({ packet: { type: 2, data: ['news', 1, 'ä'] }, opts: to('room') }),
    ],
  ]);
  const [binary, ...rest] = await entries(streamOf('/chat'));
  const { packet, opts } = notepack.decode(Buffer.from(binary[7], 'base64'));
  assert.deepEqual(packet, { type: 2, data: ['news', Buffer.from('part')] });
  assert.deepEqual(opts, { rooms: [], except: ['room'], flags: { volatile: true } });
  const entry = (/** @type {string} */ type, /** @type {any} */ data) => [
    ...['uid', 'emitter', 'nsp', '/chat', 'type', type, 'data', json(data)],
  ];
  assert.deepEqual(rest, [
    entry('4', { opts: to('a'), rooms: ['b'] }),
    entry('5', { opts: to('a'), rooms: ['b', 'c'] }),
    entry('6', { opts: to(), close: false }),
  ]);
  assert.ok(!(await spy.info('commandstats')).includes('cmdstat_xread'));
  await spy.quit();
});

/** As of the official adapter: Java's hash, whose rest may be negative. @param {string} nsp */
function streamOf(nsp) {
  let hash = 0;
  for (const char of nsp) hash = (hash * 31 + char.charCodeAt(0)) | 0;
  return `chat-${hash % 3}`;
}
