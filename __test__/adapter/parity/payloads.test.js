'use strict';

/** What is said arrives as the official adapter has it: through MessagePack, then as Socket.IO encodes it. */

const assert = require('node:assert/strict');
const { SENDING, adapterTest, describeAdapterClusters } = require('../../support/adapter-cluster');
const { STREAMS } = require('../../support/adapter-node');

class Point {
  constructor(x) {
    this.x = x;
  }

  toJSON() {
    return { point: this.x };
  }
}

const DATE = new Date('2026-11-24T05:06:07.089Z');
/** What is sent, and what arrives at the other node's clients if that is not the same. @type {any[][][]} */
const VALUES = [
  [[]],
  [['plain', 1, -0.5, true, false, null, [], {}]],
  [[0, 127, 128, 255, 256, 65535, 65536, 4294967295, 4294967296, Number.MAX_SAFE_INTEGER]],
  [[-1, -32, -33, -128, -129, -32768, -32769, -2147483648, -2147483649, Number.MIN_SAFE_INTEGER]],
  [[0.1, 1e-7, 1.5e-300, 5e-324, 123456.789, -1e-10, 1.5, 16777217.5, 0.30000000000000004]],
  // Whole numbers of 2^64 and more are broken by notepack.io as it writes them.
  [[2 ** 53, 1e18, 2 ** 60, 2 ** 63, -(2 ** 53), -1e18, -(2 ** 63)]],
  [
    [NaN, Infinity, -Infinity, -0],
    [null, null, null, 0],
  ],
  [['€ ü ß', '日本語', '👩‍👩‍👧‍👦', 'e\u0301', '\u2028\u2029', '\ufffd', '\ufeff']],
  [['"', '\\', '\n\r\t\b\f', '\u0000\u001f\u007f', '42["x"]', '</script>']],
  [[{ ключ: { nested: ['', { '': 'empty key' }] }, 1: 'one', '"': '\n' }, JSON.stringify({ json: 'in "json"' })]],
  [
    [undefined, [undefined, 1], { a: undefined, b: 2, f() {} }],
    [null, [null, 1], { b: 2 }],
  ],
  [
    [DATE, { at: new Date(0), before: new Date(-1.5e12) }],
    [DATE.toISOString(), { at: '1970-01-01T00:00:00.000Z', before: new Date(-1.5e12).toISOString() }],
  ],
  [
    [new Point(1), [new Point([2])]],
    [{ point: 1 }, [{ point: [2] }]],
  ],
  [['s'.repeat(31), 's'.repeat(32), 's'.repeat(255), 's'.repeat(256), 'ü'.repeat(40000)]],
  [[Array.from({ length: 15 }, (_, i) => i), Array.from({ length: 16 }, (_, i) => i), new Array(70000).fill(7)]],
  [[Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`key ${i}`, i]))]],
  [[{ _placeholder: true, num: 5 }]],
  [[JSON.parse(`${'[{"deep":'.repeat(50)}1${'}]'.repeat(50)}`)]],
];

const bytes = (...values) => Buffer.from(values);
/** The same with binary parts; clients in Node get Buffers. @type {any[][][]} */
const BINARY = [
  [[bytes(0, 255, 128, 10, 13)]],
  [[Buffer.alloc(0)]],
  [[new Uint8Array([1, 2, 3])], [bytes(1, 2, 3)]],
  [[new Uint8Array([9, 8, 7, 6]).subarray(1, 3)], [bytes(8, 7)]],
  [[new Uint8Array([1, 2, 3]).buffer], [bytes(1, 2, 3)]],
  [[{ a: [{ b: bytes(1) }, 'text'], c: { d: bytes(2), e: null } }, bytes(3)]],
  [[[bytes(1), [bytes(2), [bytes(3)]]], 'between', { _placeholder: false, num: bytes(4) }]],
  [[Buffer.alloc(255, 'a'), Buffer.alloc(256, 'b'), Buffer.alloc(70000, 'c')]],
  [
    [DATE, bytes(1), undefined],
    [DATE.toISOString(), bytes(1), null],
  ],
];

describeAdapterClusters(
  'payloads',
  SENDING,
  (cluster) => {
    for (const transport of /** @type {('polling' | 'websocket')[]} */ (['websocket', 'polling'])) {
      for (const [title, payloads] of /** @type {[string, any[][][]][]} */ ([
        ['values', VALUES],
        ['binary', BINARY],
      ])) {
        adapterTest(`${title} (${transport})`, async () => {
          const [a, b] = cluster.nodes;
          const there = await cluster.connect(b, '/', { transports: [transport] });
          await cluster.join(there, 'room');
          // The official adapter on streams loses these.
          const isLost = ([[first]]) => STREAMS && !a.native && first instanceof ArrayBuffer;
          const kept = payloads.filter((payload) => !isLost(payload));
          for (const [sent] of kept) {
            a.io.emit('news', ...sent);
            a.io.to('room').emit('room', ...sent);
          }
          a.io.emit('end');
          const expected = kept.flatMap(([sent, received = sent]) => [
            ['news', ...received],
            ['room', ...received],
          ]);
          const arrived = await there.until('end');
          assert.equal(arrived.length, expected.length);
          arrived.forEach((event, i) => assert.deepEqual(event, expected[i]));
        });
      }
    }

    adapterTest('in a namespace, with text and binary in turns', async () => {
      const [a, b] = cluster.nodes;
      const there = await cluster.connect(b, '/chat');
      const expected = [];
      for (let i = 0; i < 50; i++) {
        const args = i % 3 === 0 ? [{ i, part: bytes(i) }, bytes(i, i)] : [{ i }, `text ${i}`];
        a.io.of('/chat').emit('news', ...args);
        expected.push(['news', ...args]);
      }
      a.io.of('/chat').emit('end');
      assert.deepEqual(await there.until('end'), expected);
    });

    adapterTest('a megabyte, of text and of bytes', async () => {
      const [a, b] = cluster.nodes;
      const there = await cluster.connect(b);
      const text = 'größer "'.repeat(1 << 17);
      const blob = Buffer.alloc(1 << 20, 'blob');
      a.io.emit('news', text);
      a.io.emit('news', { blob });
      a.io.emit('end');
      const arrived = await there.until('end');
      assert.equal(arrived.length, 2);
      assert.ok(arrived[0][1] === text);
      assert.ok(blob.equals(arrived[1][1].blob));
    });

    adapterTest('events named by numbers and odd strings', async () => {
      const [a, b] = cluster.nodes;
      const there = await cluster.connect(b);
      const names = ['', ' ', 'ä"\\', '🚪', '1', 'constructor'];
      for (const name of names) a.io.emit(name, name);
      a.io.emit(/** @type {any} */ (7), 'number');
      a.io.emit('end');
      assert.deepEqual(await there.until('end'), [...names.map((name) => [name, name]), [7, 'number']]);
    });
  },
  { namespaces: ['/chat'] },
);
