'use strict';

/** What stands on the wire, and what comes of it: on the JavaScript store, then on ours. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { after, before, describe, it } = require('node:test');

const { startRedis } = require('../../../dev/redis-server.js');
const { createClient, implementations, inbox, opener, subscribe } = require('../../support/stores.js');
const { LIMIT } = require('../../support/limits.js');

const nested = (depth) => (depth === 0 ? 'core' : depth % 2 ? [nested(depth - 1)] : { in: nested(depth - 1) });

class Point {
  constructor(x) {
    this.x = x;
  }
  get hidden() {
    return 'no own property';
  }
}

/** Arguments of every kind that an application may publish, whether JSON knows it or not. */
const SHAPES = {
  none: [],
  'null and undefined': [undefined, null, [undefined], { a: undefined, b: null }],
  'a trailing undefined': ['a', undefined],
  booleans: [true, false],
  integers: [0, -0, 1, -1, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 2 ** 64, 1e20, 1e21],
  fractions: [0.1, -0.1, 1.5e-7, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, 1 / 3],
  'no numbers': [NaN, Infinity, -Infinity, { x: NaN }],
  strings: ['', ' ', 'a\0b', '"quoted" \\ / \b\f\n\r\t', '\u007f\u0080\u2028\u2029\ufeff', 'null', '{}'],
  Unicode: ['é', 'e\u0301', 'комната', '部屋', '😀', '👩‍👩‍👧', '\ufffd', '\uffff'],
  'halves of surrogate pairs': ['\ud800', 'a\udfffb', '\udc00\ud800', { '\ud83d': '\ude00' }],
  dates: [new Date(0), new Date(1e12 + 1), new Date(NaN), { at: new Date(1) }],
  'functions and symbols': [() => {}, Symbol('s'), { f() {}, s: Symbol('s') }, [() => {}]],
  boxes: [Object(1), Object('s'), Object(false)],
  toJSON: [{ toJSON: (key) => ({ key }) }, { deep: { toJSON: (key) => key } }, { toJSON() {} }],
  instances: [new Point(1), new Map([[1, 2]]), new Set([1]), /x/g, new Error('e'), Object.create(null)],
  buffers: [Buffer.from('bytes'), new Uint8Array([1, 2]), new ArrayBuffer(2)],
  'odd keys': [{ '': 1, ' ': 2, '"': 3, '\\': 4, '\0': 5, 10: 6, 2: 7, length: 8, constructor: 9, toString: 10 }],
  __proto__: [JSON.parse('{"__proto__":{"polluted":1},"a":{"__proto__":null}}')],
  'envelopes in arguments': [{ nodeId: 'b', args: [1] }, 'nodeId', '"nodeId":"b"'],
  holes: [[, 1, , 2, ,]], // eslint-disable-line no-sparse-arrays
  nested: [nested(100), [[[[[]]]]], { a: { b: { c: {} } } }],
  'many arguments': Array.from({ length: 1000 }, (_, i) => i),
  large: ['x'.repeat(1 << 20), { list: Array.from({ length: 10_000 }, (_, i) => ({ i, s: `é${i}` })) }],
  'a dispatch': ['room', '5:::{"name":"msg","args":["é\\"\u2028"]}', false, []],
  'a volatile dispatch': ['/nsp/room', '5:::{}', true, ['id1', 'id"2', 'é']],
  'a dispatch of every character': [
    '\u2028"\\',
    Array.from({ length: 0xffff }, (_, i) => String.fromCharCode(i))
      .filter((c) => c < '\ud800' || c > '\udfff')
      .join(''),
    true,
    ['\u0000'],
  ],
  'a dispatch with emoji': ['😀', '5:::😀', undefined, []],
  'a dispatch of undefined volatile': ['', '', undefined, undefined],
  'a dispatch of null': ['room', '5:::', null, null],
  "a dispatch with a surrogate's half": ['room', '5:::\ud800', false, ['\udfff']],
  'a dispatch with other exceptions': ['room', '5:::', false, [1, null, { a: [] }, ' ']],
  'a dispatch with too few': ['room', '5:::', false],
  'a dispatch with too many': ['room', '5:::', false, [], 'fifth'],
  'a dispatch of other types': [1, { a: 1 }, 'yes', 'exceptions'],
  'a dispatch of numbers': ['room', '5:::', 1, []],
};

let server;
before(async () => {
  server = await startRedis();
});
after(() => server.stop());

/** Subscribes with a plain client; resolves with an inbox of raw payloads. */
async function tap(t, channel) {
  const client = createClient(server.port, { return_buffers: true });
  t.after(() => client.end());
  const payloads = inbox();
  client.on('message', (_, payload) => payloads(payload.toString('utf8')));
  client.subscribe(channel);
  await once(client, 'subscribe');
  return payloads;
}

/** Publishes payloads as they are, in order. */
async function publishRaw(channel, payloads) {
  for (const payload of payloads) await server.command('PUBLISH', channel, payload);
}

/** On `dispatch` ours takes only what the server can (see `additions.test.js` for the rest). */
const isFor = (channel, [room, packet, , exceptions]) =>
  channel !== 'dispatch' || (typeof room === 'string' && typeof packet === 'string' && Array.isArray(exceptions));

/** Arguments with `value` in them that a channel takes. */
const withIn = (channel, ...value) => (channel === 'dispatch' ? ['room', '5:::', null, value] : value);

for (const { name, RedisStore } of implementations) {
  describe(name, LIMIT, () => {
    const open = opener(RedisStore, () => server);

    for (const channel of ['message', 'dispatch']) {
      for (const [kind, args] of Object.entries(SHAPES).filter(([, args]) => isFor(channel, args))) {
        it(`${kind}, on ${channel}`, async (t) => {
          const [a, b] = [open({ nodeId: 'a' }), open({ nodeId: 'b' })];
          const consumer = inbox();
          const payloads = await tap(t, channel);
          await subscribe(b, channel, consumer);
          a.publish(channel, ...args);
          const json = JSON.stringify(args);
          assert.deepEqual(await payloads.next(), [`{"nodeId":"a","args":${json}}`]);
          const received = await consumer.next();
          assert.deepEqual(received, JSON.parse(json));
          assert.equal(JSON.stringify(received), json);
          assert.equal({}.polluted, undefined);
        });
      }
    }

    for (const nodeId of [5, 0, -1.5, 1e21, 2 ** 53, '5', '', 'naïve "id" \\ 😀', 'null']) {
      it(`writes the nodeId ${JSON.stringify(nodeId)} as it is`, async (t) => {
        const a = open({ nodeId });
        const payloads = await tap(t, 'message');
        a.publish('message', 1);
        assert.deepEqual(await payloads.next(), [`{"nodeId":${JSON.stringify(nodeId)},"args":[1]}`]);
      });
    }

    const IDS = [
      5,
      '5',
      '5.0',
      ' 5 ',
      '\t5\n',
      '05',
      '0x5',
      '5e0',
      '+5',
      '5x',
      '55',
      6,
      '٥',
      1,
      '1',
      true,
      0,
      '',
      ' ',
      '0',
      '-0',
      false,
      null,
      -1.5,
      '-1.5',
      'x',
      'X',
      'Infinity',
      'NaN',
      1e21,
      '1e21',
      '1e+21',
      2 ** 53,
      '9007199254740993',
    ];
    for (const own of [5, '5', 0, 1, '', -1.5, 'x', 1e21, 2 ** 53, 'null', 'NaN', '1e21']) {
      for (const channel of ['message', 'dispatch']) {
        it(`the node ${JSON.stringify(own)} drops what is == to it, on ${channel}`, async () => {
          const store = open({ nodeId: own });
          const consumer = inbox();
          await subscribe(store, channel, consumer);
          await publishRaw(channel, [
            ...IDS.map((nodeId) => JSON.stringify({ nodeId, args: withIn(channel, nodeId) })),
            ...IDS.map((nodeId) => JSON.stringify({ args: withIn(channel, nodeId, 'last'), nodeId })),
            JSON.stringify({ nodeId: 'other', args: withIn(channel, 'end') }),
          ]);
          const foreign = IDS.filter((nodeId) => own != nodeId); // eslint-disable-line eqeqeq
          const values = [...foreign.map((id) => [id]), ...foreign.map((id) => [id, 'last']), ['end']];
          const expected = values.map((value) => withIn(channel, ...value));
          assert.deepEqual(await consumer.take(expected.length), expected);
        });
      }
    }

    it('a number and its string are the same node', async () => {
      const [number, string, other] = [open({ nodeId: 7 }), open({ nodeId: '7' }), open({ nodeId: '07' })];
      const seen = inbox();
      for (const store of [number, string, other]) {
        await subscribe(store, 'message', (text) =>
          seen(store === number ? 'number' : store === string ? 'string' : 'other', text),
        );
      }
      await subscribe(other, 'end', () => seen('end'));
      string.publish('message', 'from the string');
      assert.deepEqual(await seen.next(), ['other', 'from the string']);
      other.publish('message', 'from the other');
      assert.deepEqual(await seen.next(), ['string', 'from the other']);
      assert.equal(seen.calls.length, 2);
    });

    it('understands any JSON of the message', async () => {
      const store = open({ nodeId: 'own' });
      const consumer = inbox();
      await subscribe(store, 'message', consumer);
      const cases = [
        ['{"nodeId":"x","args":[1]}', [1]],
        ['{"args":[2],"nodeId":"x"}', [2]],
        [' \t\r\n{ "nodeId" : "x" , "args" : [ 3 ] } \n', [3]],
        ['{"nodeId":"x","extra":{"args":[0],"nodeId":"own"},"args":[4]}', [4]],
        ['{"node\\u0049d":"x","\\u0061rgs":[5]}', [5]],
        ['{"args":[0],"nodeId":"own","nodeId":"x","args":[6]}', [6]],
        ['{"nodeId":"x"}', []],
        ['{"nodeId":"x","args":null}', []],
        ['{"args":[7]}', [7]],
        ['{"nodeId":null,"args":[8]}', [8]],
        ['{"nodeId":"\\u006fwn","args":["own, escaped"]}', null],
        ['{"args":["own, at the end"],"nodeId":"own"}', null],
        ['{"nodeId":"\\ud800","args":["\\ud800"]}', ['\ud800']],
        ['{"nodeId":"x","args":[9007199254740993,1E400,-0,1.0,1e2]}', [2 ** 53, Infinity, -0, 1, 100]],
        ['{"nodeId":"x","args":[{"a":1,"a":2}]}', [{ a: 2 }]],
        [Buffer.from('{"nodeId":"x","args":["\xff\xc3"]}', 'latin1'), ['\ufffd\ufffd']],
      ];
      await publishRaw(
        'message',
        cases.map(([payload]) => payload),
      );
      const expected = cases.map(([, args]) => args).filter((args) => args !== null);
      assert.deepEqual(await consumer.take(expected.length), expected);
    });
  });
}
