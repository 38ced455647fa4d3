'use strict';

/** Which texts are UTF-8, whole and in pieces. */

const { describe, it } = require('node:test');
const { LIMIT } = require('../../support/limits');
const { OPCODES, frame } = require('../../support/raw-websocket');
const { ENGINES, VIOLATIONS, accepts, inWords, refuses } = require('./conversation');

const { binary, continuation, ping, text } = OPCODES;

/** Characters at the edges of each length, and those that are none to some. */
const VALID = {
  'one of each length': 'aé€\u{1f600}',
  'the first ones of each length': '\0\u0080\u0800\u{10000}',
  'the last ones of each length': '\u007f\u07ff\uffff\u{10ffff}',
  'those beside the surrogates': '\ud7ff\ue000',
  noncharacters: '\ufdd0\ufdef\ufffe\u{1fffe}\u{1ffff}\u{10fffe}',
  'the mark of byte order': '\ufeffa\ufeff',
  'the character for others': '\ufffd',
  Greek: 'κόσμε',
};

/** Bytes that are no UTF-8, in hexadecimal. */
const INVALID = {
  'a continuation byte': '80',
  'the last continuation byte': 'bf',
  'two continuation bytes': '80bf',
  'a first byte of two without its second': 'c3',
  'a first byte of three without the others': 'e2',
  'a first byte of three without its third': 'e282',
  'a first byte of four without the others': 'f0',
  'a first byte of four without two': 'f09f',
  'a first byte of four without its fourth': 'f09f98',
  'a first byte of two before a letter': 'c361',
  'a first byte of three before a letter': 'e28261',
  'a first byte of four before a letter': 'f09f9861',
  'a slash in two bytes': 'c0af',
  'a slash in three bytes': 'e080af',
  'a slash in four bytes': 'f08080af',
  'zero in two bytes': 'c080',
  'the longest overlong of two': 'c1bf',
  'the longest overlong of three': 'e09fbf',
  'the longest overlong of four': 'f08fbfbf',
  'a first byte of five': 'f888808080',
  'a first byte of six': 'fc8480808080',
  'the first surrogate': 'eda080',
  'the last high surrogate': 'edafbf',
  'the first low surrogate': 'edb080',
  'the last surrogate': 'edbfbf',
  'a pair of surrogates': 'eda080edb080',
  'what is beyond Unicode': 'f4908080',
  'what is far beyond Unicode': 'f7bfbfbf',
  fe: 'fe',
  ff: 'ff',
};

const WORD = Buffer.from('κόσμε, \u{1f600}');

/** The word in two pieces, cut anywhere. */
const HALVES = Array.from(WORD, (_, cut) => [WORD.subarray(0, cut), WORD.subarray(cut)]);
/** The word with a wrong byte in it, anywhere. */
const WRONG = Array.from(WORD, (_, at) => Buffer.from(WORD.map((byte, i) => (i === at ? 0xff : byte))));

/** @param {Buffer[]} parts */
function fragments(parts) {
  return parts.map((part, i) => frame(i === 0 ? text : continuation, part, { fin: i === parts.length - 1 }));
}

for (const { engine, Server } of ENGINES) {
  describe(`UTF-8, ${engine}`, LIMIT, () => {
    for (const [name, string] of Object.entries(VALID)) {
      it(`takes ${name}`, async () => {
        const bytes = Buffer.from(string);
        const single = Array.from(bytes, (byte) => Buffer.of(byte));
        const packets = [frame(text, bytes), ...fragments(single), Buffer.concat(fragments(single))];
        await accepts(Server, packets, Array(3).fill(inWords('text', bytes)));
      });
    }

    for (const [name, hex] of Object.entries(INVALID)) {
      it(`refuses ${name}`, async () => {
        const bytes = Buffer.from(hex, 'hex');
        await refuses(Server, [frame(text, bytes)], VIOLATIONS.utf8);
        // In the middle, and behind a text long enough for other ways of looking at it.
        const longer = Buffer.concat([Buffer.alloc(70, 'a'), bytes, Buffer.from('b')]);
        await refuses(Server, [frame(text, 'first'), frame(text, longer)], VIOLATIONS.utf8, { events: ['text first'] });
        const single = Array.from(bytes, (byte) => Buffer.of(byte));
        await refuses(Server, [Buffer.concat(fragments([Buffer.from('a'), ...single]))], VIOLATIONS.utf8);
      });

      it(`takes ${name} in a binary message, and in a ping`, async () => {
        const bytes = Buffer.from(hex, 'hex');
        const heard = [inWords('binary', bytes), inWords('ping', bytes)];
        await accepts(Server, [frame(binary, bytes), frame(ping, bytes)], heard, [inWords('pong', bytes)]);
      });
    }

    it('takes a text in two fragments, wherever it is cut', async () => {
      for (const halves of HALVES) await accepts(Server, fragments(halves), [inWords('text', WORD)]);
    });

    it('takes a text in two fragments with a ping between them, wherever it is cut', async () => {
      for (const halves of HALVES) {
        const [first, second] = fragments(halves);
        await accepts(Server, [first, frame(ping), second], ['ping ', inWords('text', WORD)], ['pong ']);
      }
    });

    it('refuses a wrong byte anywhere', async () => {
      for (const bytes of WRONG) await refuses(Server, [frame(text, bytes)], VIOLATIONS.utf8);
    });

    it('refuses a wrong byte anywhere, in the first fragment and in the second', async () => {
      for (const bytes of WRONG) {
        await refuses(Server, [Buffer.concat(fragments([bytes, WORD]))], VIOLATIONS.utf8);
        await refuses(Server, fragments([WORD, bytes]), VIOLATIONS.utf8);
      }
    });

    it('refuses a text that ends within a character', async () => {
      const parts = [WORD, WORD.subarray(0, 1), Buffer.alloc(0)];
      await refuses(Server, [Buffer.concat(fragments(parts))], VIOLATIONS.utf8);
    });

    it('starts anew with each message', async () => {
      const packets = [frame(binary, WORD.subarray(0, 1)), frame(text, WORD), frame(binary, WORD.subarray(1, 2))];
      const events = [
        inWords('binary', WORD.subarray(0, 1)),
        inWords('text', WORD),
        inWords('binary', WORD.subarray(1, 2)),
      ];
      await accepts(Server, packets, events);
    });
  });
}
