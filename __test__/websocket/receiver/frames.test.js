'use strict';

/** Frames that keep the rules: lengths and their encodings, fragments, pings, and how bytes arrive. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { WebSocketServer } = require('../../..');
const { LIMIT } = require('../../support/limits');
const { OPCODES, closeFrame, frame } = require('../../support/raw-websocket');
const { ENGINES, accepts, converse, inWords } = require('./conversation');

const { binary, continuation, ping, pong, text } = OPCODES;

/** Lengths on both sides of each encoding's edge, and of what is read at once. */
const LENGTHS = [0, 1, 2, 124, 125, 126, 127, 128, 255, 256, 65_534, 65_535, 65_536, 65_537, 131_072, 1_000_000];
/** The same length, written longer than needed: forbidden by the RFC, and taken by ws. */
const LONGER = /** @type {const} */ ([
  [0, 16],
  [0, 64],
  [5, 16],
  [5, 64],
  [125, 16],
  [126, 64],
  [65_535, 64],
]);
const MASKS = ['00000000', 'ffffffff', '00ff00ff', '80000000', '00000001'];

/** @param {number} opcode the first one's @param {(string | Buffer)[]} parts */
function fragments(opcode, parts) {
  return parts.map((part, i) => frame(i === 0 ? opcode : continuation, part, { fin: i === parts.length - 1 }));
}

/** Printable, and nowhere the same for long. @param {number} length */
function textOf(length) {
  return Buffer.alloc(length, 'The quick brown fox jumps over the lazy dog; ');
}

/** What is sent (each a packet), what the application hears, and what the client gets. @type {Record<string, [Buffer[], string[], string[]?]>} */
const CASES = {
  'a text': [[frame(text, 'hello')], ['text hello']],
  'a binary message': [[frame(binary, Buffer.of(0, 1, 254, 255))], ['binary \0\x01\xfe\xff']],
  'empty messages': [
    [frame(text), frame(binary)],
    ['text ', 'binary '],
  ],
  'a ping': [[frame(ping, 'a')], ['ping a'], ['pong a']],
  'an empty ping': [[frame(ping)], ['ping '], ['pong ']],
  'a ping of bytes': [[frame(ping, Buffer.of(0, 255, 254, 253))], ['ping \0\xff\xfe\xfd'], ['pong \0\xff\xfe\xfd']],
  'the longest ping': [[frame(ping, textOf(125))], [inWords('ping', textOf(125))], [inWords('pong', textOf(125))]],
  'a pong that nobody asked for': [[frame(pong, 'x')], ['pong x']],
  'an empty pong': [[frame(pong)], ['pong ']],
  'the longest pong': [[frame(pong, textOf(125))], [inWords('pong', textOf(125))]],
  'ten pings in one packet': [
    [Buffer.concat(Array.from({ length: 10 }, (_, i) => frame(ping, `${i}`)))],
    Array.from({ length: 10 }, (_, i) => `ping ${i}`),
    Array.from({ length: 10 }, (_, i) => `pong ${i}`),
  ],
  'a text in two fragments': [fragments(text, ['hel', 'lo']), ['text hello']],
  'a binary message in two fragments': [fragments(binary, ['hel', 'lo']), ['binary hello']],
  'fragments in one packet': [[Buffer.concat(fragments(text, ['a', 'b', 'c']))], ['text abc']],
  'empty fragments': [fragments(text, ['', '', '']), ['text ']],
  'empty fragments around one': [fragments(text, ['', 'x', '']), ['text x']],
  'an empty first fragment': [fragments(binary, ['', 'x']), ['binary x']],
  'an empty last fragment': [fragments(binary, ['x', '']), ['binary x']],
  'two fragmented messages': [
    [...fragments(text, ['a', 'b']), ...fragments(binary, ['c', 'd'])],
    ['text ab', 'binary cd'],
  ],
  'a message behind a fragmented one': [
    [...fragments(text, ['a', 'b']), frame(text, 'c')],
    ['text ab', 'text c'],
  ],
  'a character in two fragments': [fragments(text, [Buffer.of(0xc3), Buffer.of(0xa9)]), ['text \xc3\xa9']],
  'a ping within fragments': [
    [frame(text, 'a', { fin: false }), frame(ping, 'p'), frame(continuation, 'b')],
    ['ping p', 'text ab'],
    ['pong p'],
  ],
  'a pong within fragments': [
    [frame(text, 'a', { fin: false }), frame(pong, 'p'), frame(continuation, 'b')],
    ['pong p', 'text ab'],
  ],
  'pings between all fragments, in one packet': [
    [
      Buffer.concat(
        Array.from({ length: 5 }, (_, i) => [
          frame(i === 0 ? text : continuation, `${i}`, { fin: i === 4 }),
          frame(ping, `p${i}`),
        ]).flat(),
      ),
    ],
    ['ping p0', 'ping p1', 'ping p2', 'ping p3', 'text 01234', 'ping p4'],
    ['pong p0', 'pong p1', 'pong p2', 'pong p3', 'pong p4'],
  ],
  'a thousand fragments': [
    [Buffer.concat(fragments(binary, Array(1000).fill('x')))],
    [inWords('binary', Buffer.alloc(1000, 'x'))],
  ],
};

/** Frames of all kinds. */
const MIXED = [
  ...fragments(text, ['hé', 'llo']),
  frame(ping, 'p'),
  frame(binary, textOf(126)),
  frame(text, 'x', { fin: false }),
  frame(pong, 'q'),
  frame(continuation, textOf(70_000)),
  frame(text),
];
const MIXED_HEARD = [
  inWords('text', 'héllo'),
  'ping p',
  inWords('binary', textOf(126)),
  'pong q',
  inWords('text', Buffer.concat([Buffer.from('x'), textOf(70_000)])),
  'text ',
];

for (const { engine, Server } of ENGINES) {
  describe(`frames, ${engine}`, LIMIT, () => {
    for (const [name, [packets, events, replies]] of Object.entries(CASES)) {
      it(`takes ${name}`, () => accepts(Server, packets, events, replies));
    }

    for (const length of LENGTHS) {
      it(`takes messages of ${length} bytes`, async () => {
        const data = textOf(length);
        const events = [inWords('text', data), inWords('binary', data)];
        await accepts(Server, [frame(text, data), frame(binary, data)], events);
      });
    }

    for (const [length, bits] of LONGER) {
      it(`takes a length of ${length} in ${bits} bits`, async () => {
        const data = textOf(length);
        await accepts(Server, [frame(text, data, { bits })], [inWords('text', data)]);
      });
    }

    for (const hex of MASKS) {
      it(`takes a mask of ${hex}`, async () => {
        const mask = Buffer.from(hex, 'hex');
        const packets = [0, 1, 3, 4, 5, 100].map((length) => frame(text, textOf(length), { mask }));
        const events = [0, 1, 3, 4, 5, 100].map((length) => inWords('text', textOf(length)));
        await accepts(Server, packets, events);
      });
    }

    it('takes frames byte by byte', async () => {
      const bytes = Buffer.concat([...fragments(text, ['hé', 'llo']), frame(ping, 'p'), frame(binary, textOf(126))]);
      const packets = Array.from(bytes, (byte) => Buffer.of(byte));
      const events = [inWords('text', 'héllo'), 'ping p', inWords('binary', textOf(126))];
      await accepts(Server, packets, events, ['pong p']);
    });

    it('takes two packets, wherever they are cut', async () => {
      const bytes = Buffer.concat([frame(text, 'é!'), frame(ping, 'p'), frame(binary, textOf(130))]);
      const events = [inWords('text', 'é!'), 'ping p', inWords('binary', textOf(130))];
      // Behind its head and mask, a payload is cut once.
      for (let cut = 1; cut < bytes.length - 128; cut++) {
        await accepts(Server, [bytes.subarray(0, cut), bytes.subarray(cut)], events, ['pong p']);
      }
    });

    for (const size of [1000, 1021, 1024, 4096, 16_384, 65_536]) {
      it(`takes packets of ${size} bytes`, async () => {
        const bytes = Buffer.concat(MIXED);
        const packets = [];
        for (let at = 0; at < bytes.length; at += size) packets.push(bytes.subarray(at, at + size));
        await accepts(Server, packets, MIXED_HEARD, ['pong p']);
      });
    }

    it('takes thousands of frames in one packet', async () => {
      const numbers = Array.from({ length: 5000 }, (_, i) => i);
      const packet = Buffer.concat(numbers.map((i) => frame(i % 2 ? text : binary, `${i}`)));
      await accepts(
        Server,
        [packet],
        numbers.map((i) => `${i % 2 ? 'text' : 'binary'} ${i}`),
      );
    });

    it('takes frames that come with the request', async () => {
      const head = Buffer.concat([frame(text, 'first'), frame(ping, 'p'), closeFrame(1000)]);
      const heard = await converse(Server, [], { head });
      assert.deepEqual(heard, {
        server: ['text first', 'ping p', 'close 1000 '],
        client: ['pong p', 'close 1000 ', 'end'],
      });
    });
  });
}

describe('frames, ours alone', LIMIT, () => {
  // Where ws 8.23 ends the connection, since its answers wait for a later turn, and older ones answer.
  it('answers thousands of pings in one packet', async () => {
    const numbers = Array.from({ length: 5000 }, (_, i) => i);
    await accepts(
      WebSocketServer,
      [Buffer.concat(numbers.map((i) => frame(ping, `${i}`)))],
      numbers.map((i) => `ping ${i}`),
      numbers.map((i) => `pong ${i}`),
    );
  });
});
