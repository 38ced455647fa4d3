'use strict';

/** `maxPayload`, at its edge. */

const { describe, it } = require('node:test');
const { WebSocketServer } = require('../../..');
const { LIMIT } = require('../../support/limits');
const { OPCODES, frame } = require('../../support/raw-websocket');
const { ENGINES, VIOLATIONS, accepts, inWords, refuses } = require('./conversation');

const { binary, continuation, ping, text } = OPCODES;
const { beyondNumbers, controlLength, tooLong } = VIOLATIONS;

/** Limits on both sides of what lengths are encoded in. */
const MOST = [1, 20, 125, 126, 65_535, 65_536, 100_000];
/** What limits the messages where nothing is said: engine.io always says something. */
const NO_MAXIMUM = 0;

for (const { engine, Server } of ENGINES) {
  describe(`maxPayload, ${engine}`, LIMIT, () => {
    for (const maxPayload of MOST) {
      const options = { maxPayload };
      const [most, more] = [maxPayload, maxPayload + 1].map((length) => Buffer.alloc(length, 'a'));

      it(`of ${maxPayload} takes so many bytes`, async () => {
        const packets = [frame(text, most), frame(binary, most)];
        const half = Math.floor(maxPayload / 2);
        packets.push(frame(text, most.subarray(0, half), { fin: false }), frame(continuation, most.subarray(half)));
        const events = [inWords('text', most), inWords('binary', most), inWords('text', most)];
        await accepts(Server, packets, events, [], options);
      });

      it(`of ${maxPayload} refuses one more`, async () => {
        await refuses(Server, [frame(text, more)], tooLong, { options });
        await refuses(Server, [frame(binary, more)], tooLong, { options });
      });

      it(`of ${maxPayload} refuses one more in fragments`, async () => {
        const packets = [frame(binary, most, { fin: false }), frame(continuation, 'b')];
        await refuses(Server, packets, tooLong, { options });
        await refuses(Server, [Buffer.concat(packets)], tooLong, { options });
      });

      it(`of ${maxPayload} refuses it by its length alone`, async () => {
        const head = frame(binary, '', { length: maxPayload + 1 });
        await refuses(Server, [head], tooLong, { options });
      });

      it(`of ${maxPayload} counts each message anew`, async () => {
        const whole = frame(binary, most);
        await accepts(Server, Array(5).fill(whole), Array(5).fill(inWords('binary', most)), [], options);
      });
    }

    it('does not count control frames', async () => {
      const data = Buffer.alloc(125, 'p');
      const packets = [frame(text, 'a', { fin: false }), frame(ping, data), frame(continuation, 'b')];
      const events = [inWords('ping', data), 'text ab'];
      await accepts(Server, packets, events, [inWords('pong', data)], { maxPayload: 2 });
    });

    it('takes empty fragments behind as much as it takes', async () => {
      const packets = [frame(text, 'ab', { fin: false }), ...Array(3).fill(frame(continuation, '', { fin: false }))];
      await accepts(Server, [...packets, frame(continuation)], ['text ab'], [], { maxPayload: 2 });
    });

    it('hears what came before', async () => {
      const packet = Buffer.concat([frame(text, 'ab'), frame(ping, 'p'), frame(text, 'abc'), frame(text, 'c')]);
      const others = { events: ['text ab', 'ping p'], replies: ['pong p'], options: { maxPayload: 2 } };
      await refuses(Server, [packet], tooLong, others);
    });

    it('refuses what is far too long without waiting for it', async () => {
      const head = frame(binary, 'x', { bits: 64, length: 2n ** 53n - 1n });
      await refuses(Server, [head], tooLong, { options: { maxPayload: 1_000_000 } });
    });

    it('tells lengths that no number can hold from those that are too long', async () => {
      const head = frame(binary, 'x', { bits: 64, length: 2n ** 53n });
      await refuses(Server, [head], beyondNumbers, { options: { maxPayload: 1_000_000 } });
      await refuses(Server, [head], beyondNumbers, { options: { maxPayload: NO_MAXIMUM } });
    });

    it('has a control frame that is too long break its own rule', async () => {
      await refuses(Server, [frame(ping, Buffer.alloc(126))], controlLength, { options: { maxPayload: 2 } });
    });

    it('of 0 is none', async () => {
      const data = Buffer.alloc(2_000_000, 'a');
      await accepts(Server, [frame(binary, data)], [inWords('binary', data)], [], { maxPayload: NO_MAXIMUM });
    });
  });
}

describe('maxPayload, ours alone', LIMIT, () => {
  // ws waits for it, and collects what comes.
  it('refuses what no string can hold even where it is 0', async () => {
    const head = frame(binary, 'x', { bits: 64, length: 2n ** 53n - 1n });
    await refuses(WebSocketServer, [head], tooLong, { options: { maxPayload: NO_MAXIMUM } });
  });
});
