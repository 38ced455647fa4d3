'use strict';

/** Broadcasts that no server writes and the official adapter reads nevertheless: they are read alike. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const notepack = require('notepack.io');
const { broadcast, createFixture, stub } = require('./fixture');
const { Inbox } = require('../../support/client-inbox');

const { LIMIT } = require('../../support/limits');
const CHANNEL = 'socket.io#/#';
const ROOMS = ['a', 'b', 'é', '1', 7, 255, NaN, Infinity, -Infinity, '', 'null'];

const bytes = (...parts) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'hex') : part)));
const pack = (value) => notepack.encode(value);
/** With these bytes as its packet and its options. */
const raw = (packet, opts) => bytes('93', pack('raw'), packet, opts);
const event = (name) => pack({ type: 2, data: [name], nsp: '/' });
/** A map whose first key is these bytes. */
const keyed = (key, value, rest = {}) => {
  const pairs = Object.entries(rest).map(([name, each]) => bytes(pack(name), pack(each)));
  return bytes(Buffer.from([0x81 + pairs.length]), key, pack(value), ...pairs);
};
const binary = (text) => pack(Buffer.from(text));

/** What is published, by what is odd about it. @type {Record<string, Buffer>} */
const ODD = {
  'flags that are null': raw(event('e'), pack({ rooms: ['a'], except: [], flags: null })),
  'flags that are text': raw(event('e'), pack({ rooms: ['a'], except: [], flags: 'volatile' })),
  'options that are an empty list': raw(event('e'), pack([])),
  'options that are a list': raw(event('e'), pack([1, { rooms: ['a'] }])),
  'options that are binary': raw(event('e'), binary('rooms')),
  'options that are a date': raw(event('e'), pack(new Date(0))),
  'options that are empty': raw(event('e'), pack({})),
  'rooms that are text': raw(event('e'), pack({ rooms: 'abé', except: [] })),
  'rooms that are empty text': raw(event('e'), pack({ rooms: '', except: [] })),
  'exceptions that are text': raw(event('e'), pack({ rooms: [], except: 'b1' })),
  'rooms that are binary': raw(event('e'), pack({ rooms: Buffer.from([7, 255, 49]), except: [] })),
  'rooms that are an unknown extension': raw(event('e'), bytes('82', pack('rooms'), 'd40761', pack('except'), '90')),
  'rooms of all kinds': raw(event('e'), pack({ rooms: [null, true, {}, [], 1, 7.0, 'b'], except: [null, {}] })),
  NaN: raw(event('e'), pack({ rooms: [NaN, 'a'], except: [] })),
  'NaN alone': raw(event('e'), pack({ rooms: [NaN], except: [] })),
  'the infinities': raw(event('e'), pack({ rooms: [Infinity, -Infinity, {}], except: [-Infinity] })),
  'all but NaN': raw(event('e'), pack({ rooms: [], except: [NaN] })),
  'a binary key of the options': raw(event('e'), keyed(binary('rooms'), ['a'], { except: [] })),
  'a list as a key of the options': raw(event('e'), keyed(pack(['rooms']), ['a'], { except: [] })),
  'a list in a list as a key of the options': raw(event('e'), keyed(pack([[['rooms']]]), ['a'], { except: [] })),
  'a key twice': raw(event('e'), bytes('82', pack('rooms'), pack(['a']), pack('rooms'), pack(['b']))),
  'a binary key of the packet': raw(keyed(binary('data'), ['e', 1], { type: 2, nsp: '/' }), pack({})),
  ...Object.fromEntries(
    Object.entries({
      'a binary key': binary('k'),
      'a key that is null': pack(null),
      'a key that is a number': pack(1.5),
      'an index behind others': pack(3),
      'a key that is undefined': bytes('d40000'),
      'a key that is a list': pack([1, null, 'x', [true, [], [2]], {}, Buffer.from('é')]),
      'a key that is an empty list': pack([]),
      'a key that is an object': pack({ a: { toString: 1 } }),
      'a key that is an ArrayBuffer': bytes('c7020000ff'),
      'a key that is an unknown extension': bytes('d4ff61'),
      'a key of broken UTF-8': bytes('a2c328'),
      'a binary key that names the prototype': binary('__proto__'),
    }).map(([title, key]) => [
      `${title}, in the data`,
      raw(bytes('82', pack('type'), '02', pack('data'), '92', pack('e'), keyed(key, { z: 1 }, { b: 2 })), pack({})),
    ]),
  ),
};

/**
 * One of our servers and an official one, with a socket in each room.
 * @param {import('node:test').TestContext} t
 * @param {Record<string, any>} [opts] of ours
 */
async function start(t, opts = {}) {
  const fixture = await createFixture(t);
  const nodes = [await fixture.node({ opts }), await fixture.official()];
  const inboxes = nodes.map((node) => {
    const inbox = new Inbox();
    for (const [at, room] of ROOMS.entries()) {
      const write = ([text], { volatile, compress }) => inbox.push({ room: String(room), text, volatile, compress });
      t.after(stub(node, `socket-${at}`, [room], write));
    }
    return inbox;
  });
  const [ours] = nodes;
  // Rooms may have channels of their own, which are subscribed to by now.
  await Promise.all(ROOMS.map((room, at) => ours.adapter().addAll(`socket-${at}`, new Set([room]))));
  const redis = fixture.redisClient();
  return {
    publish: (/** @type {string} */ channel, /** @type {Buffer} */ message) => redis.publish(channel, message),
    /** What the sockets of ours and of the official server got. */
    heard: async () => {
      await redis.publish(CHANNEL, broadcast(['end'], { rooms: ['a'] }));
      const all = await Promise.all(inboxes.map((inbox) => inbox.through(({ text }) => text === '2["end"]')));
      return all.map((items) => items.slice(0, -1));
    },
  };
}

const MODES = {
  'by one pattern': {},
  'by a channel for each room': { subscriptionMode: 'dynamic' },
  'by a channel for each room and socket': { subscriptionMode: 'dynamic-private' },
  'a parser of the application': { parser: { encode: notepack.encode, decode: notepack.decode } },
};

describe('broadcasts that no server writes', LIMIT, () => {
  it('reach whom the official adapter reaches, with the same text', async (t) => {
    const { publish, heard } = await start(t);
    for (const [title, message] of Object.entries(ODD)) {
      await publish(CHANNEL, message);
      const [ours, official] = await heard();
      assert.deepEqual(ours, official, title);
      assert.ok(ours.length > 0, title);
    }
  });

  it('reach nobody in a room of another kind', async (t) => {
    const { publish, heard } = await start(t);
    await publish(CHANNEL, raw(event('e'), pack({ rooms: [null, {}, [], true], except: [] })));
    assert.deepEqual(await heard(), [[], []]);
  });

  for (const [mode, opts] of Object.entries(MODES)) {
    it(`on the channel of an empty room, without rooms: everybody, behind a request or not; ${mode}`, async (t) => {
      const { publish, heard } = await start(t, opts);
      for (const precedes of [false, true]) {
        if (precedes) await publish('socket.io-request#/#', Buffer.from('{"type":1,"requestId":"r","uid":"u"}'));
        await publish('socket.io#/##', broadcast(['e']));
        const [ours, official] = await heard();
        assert.deepEqual(ours, official);
        assert.equal(ours.length, ROOMS.length);
      }
    });
  }
});
