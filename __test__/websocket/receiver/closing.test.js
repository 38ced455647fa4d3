'use strict';

/** Close frames: their codes and reasons, what the other side is answered, and what counts behind them. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { LIMIT } = require('../../support/limits');
const { OPCODES, closeFrame, frame } = require('../../support/raw-websocket');
const { ENGINES, VIOLATIONS, closeInWords, converse, refuses } = require('./conversation');

const { ping, text } = OPCODES;

const VALID = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
const INVALID = [0, 1, 100, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 9999, 32_768, 65_535];
/** As long as it may be. */
const LONGEST = 123;
const REASONS = ['bye', '', 'a'.repeat(LONGEST), 'κόσμε', '\u{1f44b}'.repeat(30), '\0', '\ufeffx'];
/** No UTF-8. */
const BROKEN = ['ff', 'c3', 'c0af', 'eda080', 'f4908080', '62796580'];

for (const { engine, Server } of ENGINES) {
  describe(`close frames, ${engine}`, LIMIT, () => {
    /** @param {Buffer[]} packets @param {string[]} server @param {string[]} client */
    async function comes(packets, server, client) {
      assert.deepEqual(await converse(Server, packets), { server, client: [...client, 'end'] });
    }

    for (const code of VALID) {
      it(`takes the code ${code}`, async () => {
        await comes([closeFrame(code)], [`close ${code} `], [`close ${code} `]);
        await comes([closeFrame(code, 'why')], [`close ${code} why`], [`close ${code} why`]);
      });
    }

    for (const code of INVALID) {
      it(`refuses the code ${code}`, async () => {
        await refuses(Server, [closeFrame(code)], VIOLATIONS.closeCode);
        await refuses(Server, [closeFrame(code, 'why')], VIOLATIONS.closeCode);
      });
    }

    it('takes one without a code', () => comes([closeFrame()], ['close 1005 '], ['close']));

    for (const reason of REASONS) {
      it(`takes a reason of ${Buffer.byteLength(reason)} bytes: ${JSON.stringify(reason.slice(0, 9))}`, async () => {
        const words = closeInWords(1000, reason);
        await comes([closeFrame(1000, reason)], [words], [words]);
      });
    }

    it('refuses a reason that is too long', async () => {
      await refuses(Server, [closeFrame(1000, 'a'.repeat(LONGEST + 1))], VIOLATIONS.controlLength);
    });

    for (const hex of BROKEN) {
      it(`refuses the reason ${hex}`, async () => {
        await refuses(Server, [closeFrame(1000, Buffer.from(hex, 'hex'))], VIOLATIONS.utf8);
      });
    }

    it('looks at the code first, then at the reason', async () => {
      await refuses(Server, [closeFrame(999, Buffer.of(0xff))], VIOLATIONS.closeCode);
    });

    it('takes one byte by byte', async () => {
      const packets = Array.from(closeFrame(4000, 'bit by bit'), (byte) => Buffer.of(byte));
      await comes(packets, ['close 4000 bit by bit'], ['close 4000 bit by bit']);
    });

    it('takes one within a fragmented message, which does not come', async () => {
      await comes([frame(text, 'a', { fin: false }), closeFrame(1001)], ['close 1001 '], ['close 1001 ']);
    });

    it('answers pings before it, in their order', async () => {
      const packet = Buffer.concat([frame(ping, 'a'), frame(text, 'b'), frame(ping, 'c'), closeFrame(1000)]);
      await comes([packet], ['ping a', 'text b', 'ping c', 'close 1000 '], ['pong a', 'pong c', 'close 1000 ']);
    });

    for (const [name, behind] of /** @type {[string, Buffer][]} */ ([
      ['text', frame(text, 'late')],
      ['a ping', frame(ping, 'late')],
      ['a second close frame', closeFrame(1001, 'late')],
      ['a broken frame', frame(3, 'late')],
      ['a frame without mask', frame(text, 'late', { masked: false })],
      ['half a frame', Buffer.of(0x81)],
    ])) {
      it(`hears nothing of ${name} behind it, in the same packet`, async () => {
        await comes([Buffer.concat([closeFrame(1000, 'first'), behind])], ['close 1000 first'], ['close 1000 first']);
      });
    }

    it('is told when the client ends without one', async () => {
      const heard = await converse(Server, [frame(text, 'a')], { leave: (raw) => raw.socket.end() });
      assert.deepEqual(heard.server, ['text a', 'close 1006 ']);
      assert.deepEqual(heard.client, ['end']);
    });

    it('is told when the client ends within a frame', async () => {
      const half = frame(text, 'abc').subarray(0, 7);
      const heard = await converse(Server, [half], { leave: (raw) => raw.socket.end() });
      assert.deepEqual(heard.server, ['close 1006 ']);
    });

    it('is told when the client resets the connection', async () => {
      const heard = await converse(Server, [frame(ping, 'a')], {
        leave: async (raw) => {
          await raw.next();
          raw.reset();
        },
      });
      // With ws, the error of Node's socket is not told either.
      assert.deepEqual(heard.server, ['ping a', 'close 1006 ']);
    });
  });
}
