'use strict';

const assert = require('node:assert/strict');
const { afterEach, beforeEach, describe, it } = require('node:test');

const { RedisStore } = require('../../..');
const { startRedis } = require('../../../dev/redis-server');
const { LIMIT } = require('../../support/limits');
const { EventLog, closeAll, until } = require('../../support/load');
const { connectRaw } = require('./raw-publisher');

const CHANNELS = ['dispatch', 'plain'];
const GOOD = '{"nodeId":"raw","args":["room","5:::{\\"name\\":\\"good\\"}",false,[]]}';
const GOOD_ARGS = ['room', '5:::{"name":"good"}', false, []];
const MIB = 1024 * 1024;
const DEPTH = 100_000;

/** The same noise each time (xorshift). */
function noise(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  };
}

/** @returns {Buffer[]} */
function noises(count, length, first) {
  const next = noise(0x5eed);
  return Array.from({ length: count }, (_, i) => {
    const bytes = Buffer.from(Array.from({ length }, next));
    bytes[0] = first(i, bytes[0]);
    return bytes;
  });
}

describe('bad input', LIMIT, () => {
  let redis;
  let raw;
  let store;
  let eventLog;
  /** @type {Record<string, any[][]>} What consumers were called with, by channel. */
  let calls;

  beforeEach(async () => {
    // Redis cuts a subscriber off that has 32 MiB to come; that is another test's matter.
    redis = await startRedis({ args: ['--client-output-buffer-limit', 'pubsub 0 0 0'] });
    store = new RedisStore({
      redisPub: redis.url,
      redisSub: redis.url,
      redisClient: redis.url,
      limits: { bytes: 128 * MIB },
    });
    eventLog = new EventLog(store);
    raw = await connectRaw(redis.port);
    calls = { dispatch: [], plain: [] };
    await Promise.all(
      CHANNELS.map(
        (channel) =>
          new Promise((resolve) => {
            store.subscribe(
              channel,
              (...args) => calls[channel].push(args),
              () => resolve(undefined),
            );
          }),
      ),
    );
  });

  afterEach(async () => {
    raw.close();
    await closeAll(store);
    await redis.stop();
  });

  /**
   * Publishes bad payloads on both channels, and a good one behind each lot.
   * @param {(string | Buffer)[]} payloads
   * @param {string[]} [kinds] all that they are told as
   */
  async function assertIgnored(payloads, kinds) {
    const before = store.stats();
    for (const channel of CHANNELS) {
      for (const payload of payloads) raw.publish(channel, payload);
      raw.publish(channel, GOOD);
    }
    await until('the good ones', () => CHANNELS.every((channel) => calls[channel].length > 0));
    assert.deepEqual(calls, { dispatch: [GOOD_ARGS], plain: [GOOD_ARGS] });
    const { malformed, received, delivered } = store.stats();
    assert.equal(malformed - before.malformed, 2 * payloads.length);
    assert.equal(received - before.received, 2 * payloads.length + 2);
    assert.equal(delivered - before.delivered, 2);
    const told = eventLog.errors('ERR_MALFORMED_MESSAGE');
    if (kinds) assert.deepEqual(told.map(kind).sort(), [...kinds].sort());
    assert.equal(new Set(told.map(kind)).size, told.length, 'each kind is told once');
    assert.equal(eventLog.all('error').length, told.length);
    for (const { connection, error } of told) {
      assert.equal(connection, 'sub');
      assert.match(error.message, /dispatch/);
    }
    assert.deepEqual(
      ['disconnect', 'gap'].flatMap((event) => eventLog.all(event)),
      [],
    );
  }

  /** The kind that an error is about. */
  const kind = ({ error }) => /\((\w{2,})\)/.exec(error.message)?.[1];

  it('JSON cut short at every byte', async () => {
    await assertIgnored(
      Array.from(GOOD, (_, end) => GOOD.slice(0, end)),
      ['empty', 'json'],
    );
  });

  it('JSON with something behind it or wrong in it', async () => {
    await assertIgnored(
      [
        `${GOOD}x`,
        `${GOOD}${GOOD}`,
        `x${GOOD}`,
        GOOD.replace(',', ''),
        GOOD.replace('false', 'flase'),
        GOOD.replaceAll('"', "'"),
        '{"nodeId":"raw","args":[undefined]}',
        '{"nodeId":"raw","args":[1,]}',
        '{"nodeId":"raw","args":[NaN]}',
        '{"nodeId":"raw","args":["\t"]}',
        '{nodeId:1,args:[]}',
        '\ufeff',
        ' ',
        '\0',
      ],
      ['json'],
    );
  });

  it('wrong types', async () => {
    await assertIgnored(
      [
        '1',
        '-1.5e3',
        'null',
        'true',
        'false',
        '"text"',
        '""',
        '[]',
        '[1,2]',
        '["raw",[1]]',
        '{"nodeId":"raw","args":1}',
        '{"nodeId":"raw","args":"text"}',
        '{"nodeId":"raw","args":{}}',
        '{"nodeId":"raw","args":{"0":1,"length":1}}',
        '{"nodeId":"raw","args":true}',
      ],
      ['type'],
    );
  });

  // Socket.IO 0.9's manager calls `exceptions.indexOf` for every client of the room, and what that
  // throws ends the process.
  it('a dispatch that is none', async () => {
    for (const args of [
      '[]',
      '["",""]',
      '["","",false,null]',
      '["","",false,5]',
      '["",5,false,[]]',
      '[null,{},1,""]',
    ]) {
      raw.publish('dispatch', `{"nodeId":"raw","args":${args}}`);
    }
    raw.publish('dispatch', GOOD);
    await until('the good one', () => calls.dispatch.some(([room]) => room === 'room'));
    assert.deepEqual(calls.dispatch, [GOOD_ARGS]);
    assert.equal(store.stats().malformed, 6);
  });

  it('deep nesting', async () => {
    const deep = '['.repeat(DEPTH) + ']'.repeat(DEPTH);
    await assertIgnored(
      [
        `{"nodeId":"raw","args":${deep}}`,
        `{"nodeId":${deep},"args":[]}`,
        `{"args":[${'{"a":'.repeat(DEPTH)}1${'}'.repeat(DEPTH)}]}`,
      ],
      ['depth'],
    );
  });

  it('deep nesting that never ends', async () => {
    await assertIgnored(
      [
        '['.repeat(DEPTH),
        '{"a":'.repeat(DEPTH),
        `{"nodeId":"raw","args":${'['.repeat(DEPTH)}`,
        `{"nodeId":${'['.repeat(DEPTH)}`,
        ']'.repeat(DEPTH),
        `{${'"\\ud800'.repeat(DEPTH)}`,
      ],
      ['json'],
    );
  });

  it('binary noise', async () => {
    // 0x80 to 0x8f, 0xde and 0xdf begin a map in MessagePack; 0x20 to 0x7f may begin JSON.
    await assertIgnored(
      noises(500, 64, (_, byte) => ((byte & 0xf0) === 0x80 || byte >= 0xde ? 0x7b : byte)),
      ['json'],
    );
  });

  it('noise that begins as MessagePack does', async () => {
    await assertIgnored([...noises(500, 64, (i) => 0x82 + (i % 14)), ...noises(100, 64, (i) => 0xde + (i % 2))]);
    const told = eventLog.errors('ERR_MALFORMED_MESSAGE').map(kind);
    for (const one of told) assert.match(one, /^(msgpack|type|depth)$/);
    assert.ok(told.includes('msgpack'));
  });

  it('MessagePack cut short, too deep, of the wrong type, with lengths that lie', async () => {
    const text = (string) => Buffer.concat([Buffer.from([0xa0 + string.length]), Buffer.from(string)]);
    const map = (...parts) => Buffer.concat([Buffer.from([0x80 + parts.length / 2]), ...parts]);
    const whole = map(text('nodeId'), text('raw'), text('args'), Buffer.from([0x93, 0x01, 0xc3, 0xc0]));
    const truncated = Array.from(whole.subarray(1), (_, i) => whole.subarray(0, i + 1));
    const args = (...bytes) => map(text('nodeId'), text('raw'), text('args'), Buffer.from(bytes));
    await assertIgnored(
      [
        ...truncated,
        Buffer.concat([whole, Buffer.from([0xc0])]),
        args(0xc1), // never used
        args(0xdd, 0xff, 0xff, 0xff, 0xff), // 4 Gi elements
        args(0xdf, 0xff, 0xff, 0xff, 0xff),
        args(0xdb, 0xff, 0xff, 0xff, 0xff, 0x61),
        args(0xc6, 0xff, 0xff, 0xff, 0xff),
        args(0xdc, 0xff, 0xff, ...Array(100).fill(0xdc)),
        Buffer.from([0xdf, 0xff, 0xff, 0xff, 0xff]),
        args(...Array(DEPTH).fill(0x91), 0xc0),
        args(...Array(DEPTH).fill(0x91)),
        args(0x01), // a number
        args(0xa1, 0x61), // a string
        args(0x80), // a map
      ],
      ['msgpack', 'depth', 'type'],
    );
  });

  it('messages of 64 MiB, one valid and one not', async () => {
    const filler = Buffer.alloc(64 * MIB, 'x');
    const head = Buffer.from('{"nodeId":"raw","args":["');
    const tail = '","5:::",false,[]]}';
    for (const channel of CHANNELS) {
      raw.publish(channel, Buffer.concat([head, filler, Buffer.from('"')]));
      raw.publish(channel, Buffer.concat([head, filler, Buffer.from(tail)]));
      await until('the valid one', () => calls[channel].length > 0);
      const [[argument, ...more], ...others] = calls[channel].splice(0);
      assert.equal(argument.length, filler.length);
      assert.ok(Buffer.from(argument).equals(filler));
      assert.deepEqual([more, others], [['5:::', false, []], []]);
    }
    assert.equal(store.stats().malformed, 2);
    await assertIgnored([]);
    assert.deepEqual(eventLog.errors('ERR_MALFORMED_MESSAGE').map(kind), ['json']);
    assert.deepEqual(store.stats().queues.mailbox, { messages: 0, bytes: 0 });
  });

  it('64 MiB for which Redis cuts the subscriber off is told as a gap', async () => {
    await redis.command('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 32mb 8mb 60');
    const since = eventLog.events.length;
    raw.publish(
      'plain',
      Buffer.concat([Buffer.from('{"nodeId":"raw","args":["'), Buffer.alloc(64 * MIB, 'x'), Buffer.from('"]}')]),
    );
    await eventLog.next('gap', 'sub', undefined, since);
    assert.deepEqual(calls.plain, []);
    raw.publish('plain', GOOD);
    await until('the good one', () => calls.plain.length > 0);
    assert.deepEqual(calls.plain, [GOOD_ARGS]);
  });

  it('a thousand of one kind are told once, and all counted', async () => {
    await assertIgnored(Array(1000).fill('{'), ['json']);
  });

  it('with nobody to listen for `error`, the console is told once of each kind', async (t) => {
    store.removeAllListeners('error');
    const warn = t.mock.method(console, 'warn', () => {});
    for (const payload of ['{', '1', '{', '1', '', '']) raw.publish('plain', payload);
    raw.publish('plain', GOOD);
    await until('the good one', () => calls.plain.length > 0);
    const warned = warn.mock.calls.map(({ arguments: [text] }) => text);
    assert.equal(warned.length, 3);
    for (const text of warned) assert.match(text, /ERR_MALFORMED_MESSAGE/);
  });

  it("an exception of a consumer is the application's own, and stops no other message", async () => {
    const thrown = [];
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => thrown.push(error.message));
    try {
      await new Promise((resolve) => {
        store.subscribe(
          'bad',
          (number) => {
            throw new Error(`consumer ${number}`);
          },
          () => resolve(undefined),
        );
      });
      for (const number of [1, 2, 3]) raw.publish('bad', `{"nodeId":"raw","args":[${number}]}`);
      raw.publish('plain', GOOD);
      await until('the good one', () => calls.plain.length > 0);
      await until('the exceptions', () => thrown.length === 3);
      assert.deepEqual(thrown, ['consumer 1', 'consumer 2', 'consumer 3']);
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const listener of listeners) process.on('uncaughtException', listener);
    }
  });
});
