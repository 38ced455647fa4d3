'use strict';

/** Frames that break a rule: what the application is told, and how the client is closed. */

const { describe, it } = require('node:test');
const { LIMIT } = require('../../support/limits');
const { OPCODES, closeFrame, frame } = require('../../support/raw-websocket');
const { ENGINES, VIOLATIONS, accepts, refuses } = require('./conversation');

const { binary, close, continuation, ping, pong, text } = OPCODES;
const { beyondNumbers, closeCode, controlLength, fin, mask, opcode, rsv1, rsv23, utf8 } = VIOLATIONS;

const KINDS = { text, binary, close, ping, pong };
const CONTROL = { close, ping, pong };
const RESERVED = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15];
/** The three reserved bits as a number: the first is 4. */
const RESERVED_BITS = [1, 2, 3, 4, 5, 6, 7];

/** @typedef {import('./conversation').Violation} Violation */

/** What is sent and which rule it breaks. @type {Record<string, [Buffer, Violation]>} */
const FRAMES = {
  'a continuation of nothing': [frame(continuation, 'x'), opcode],
  'an empty continuation of nothing': [frame(continuation), opcode],
  'a continuation of nothing that goes on': [frame(continuation, 'x', { fin: false }), opcode],
  'a close frame of one byte': [frame(close, 'x'), controlLength],
  'a close frame of one byte that goes on': [frame(close, 'x', { fin: false }), fin],
  'a length of 2^53': [frame(binary, 'x', { bits: 64, length: 2n ** 53n }), beyondNumbers],
  'a length of 2^63': [frame(binary, 'x', { bits: 64, length: 2n ** 63n }), beyondNumbers],
  'the longest length': [frame(text, 'x', { bits: 64, length: 2n ** 64n - 1n }), beyondNumbers],
  'a close frame without code, but with a reason': [closeFrame(0x6162, 'c'), closeCode],
  'text without mask': [frame(text, 'x', { masked: false }), mask],
  zeros: [Buffer.alloc(100), opcode],
  'a request of HTTP': [Buffer.from('GET / HTTP/1.1\r\n\r\n'), rsv1],
  'a handshake of TLS': [Buffer.from('160301020001', 'hex'), rsv23],
};

for (const [name, code] of Object.entries(KINDS)) {
  FRAMES[`${name} without mask, empty`] = [frame(code, '', { masked: false }), mask];
  for (const rsv of RESERVED_BITS) {
    const violation = rsv === 4 ? rsv1 : rsv23;
    FRAMES[`${name} with the reserved bits ${rsv.toString(2).padStart(3, '0')}`] = [
      frame(code, '', { rsv }),
      violation,
    ];
  }
}
for (const [name, code] of Object.entries(CONTROL)) {
  FRAMES[`a fragmented ${name}`] = [frame(code, '', { fin: false }), fin];
  FRAMES[`a ${name} of 126 bytes`] = [frame(code, Buffer.alloc(126)), controlLength];
  FRAMES[`a ${name} of 65,536 bytes`] = [frame(code, Buffer.alloc(65_536)), controlLength];
  FRAMES[`a ${name} with a length of 16 bits`] = [frame(code, '', { bits: 16 }), controlLength];
  FRAMES[`a ${name} with a length of 64 bits`] = [frame(code, '', { bits: 64 }), controlLength];
}
for (const code of RESERVED) {
  FRAMES[`the opcode ${code}`] = [frame(code), opcode];
  FRAMES[`the opcode ${code}, with data, fragmented`] = [frame(code, 'x', { fin: false }), opcode];
}

/** Where several rules are broken, the first of these counts. @type {Record<string, [Buffer, Violation]>} */
const SEVERAL = {
  'reserved bits, and a reserved opcode': [frame(3, '', { rsv: 2 }), rsv23],
  'RSV1, and a reserved opcode': [frame(3, '', { rsv: 4 }), rsv1],
  'a reserved opcode, and no mask': [frame(3, '', { masked: false }), opcode],
  'a fragmented ping of 126 bytes': [frame(ping, Buffer.alloc(126), { fin: false }), fin],
  'a ping of 126 bytes, and no mask': [frame(ping, Buffer.alloc(126), { masked: false }), controlLength],
};

/** Faults within a fragmented message. @type {Record<string, [Buffer, Violation]>} */
const WITHIN = {
  'a new text': [frame(text, 'x'), opcode],
  'a new binary message': [frame(binary, 'x'), opcode],
  'a new fragmented message': [frame(text, 'x', { fin: false }), opcode],
  'a fragmented ping': [frame(ping, 'x', { fin: false }), fin],
  'a reserved opcode': [frame(3, 'x'), opcode],
  'a continuation with RSV1': [frame(continuation, 'x', { rsv: 4 }), rsv1],
  'a continuation with RSV2': [frame(continuation, 'x', { rsv: 2 }), rsv23],
  'a continuation without mask': [frame(continuation, 'x', { masked: false }), mask],
  'a continuation that is no UTF-8': [frame(continuation, Buffer.of(0xff)), utf8],
};

for (const { engine, Server } of ENGINES) {
  describe(`malformed frames, ${engine}`, LIMIT, () => {
    for (const [name, [bytes, violation]] of Object.entries({ ...FRAMES, ...SEVERAL })) {
      it(`refuses ${name}`, () => refuses(Server, [bytes], violation));
    }

    for (const [name, [bytes, violation]] of Object.entries(WITHIN)) {
      it(`refuses ${name} within fragments`, async () => {
        await refuses(Server, [frame(text, 'a', { fin: false }), bytes], violation);
      });
    }

    it('refuses a message behind the end of a fragmented one that goes on', async () => {
      const packets = [frame(text, 'a', { fin: false }), frame(continuation, 'b'), frame(continuation, 'c')];
      await refuses(Server, packets, opcode, { events: ['text ab'] });
    });

    it('hears what comes before the fault, in the same packet', async () => {
      const packet = Buffer.concat([frame(text, 'a'), frame(ping, 'b'), frame(pong, 'c'), frame(3)]);
      await refuses(Server, [packet], opcode, { events: ['text a', 'ping b', 'pong c'], replies: ['pong b'] });
    });

    it('hears nothing of what comes behind the fault, in the same packet', async () => {
      await refuses(Server, [Buffer.concat([frame(3), frame(text, 'a'), frame(ping, 'b'), closeFrame(1000)])], opcode);
    });

    it('hears nothing of what comes behind the fault, later', async () => {
      await refuses(Server, [frame(3), frame(text, 'a'), frame(ping, 'b'), closeFrame(1000)], opcode);
    });

    it('refuses a fault that comes byte by byte', async () => {
      const bytes = Buffer.concat([frame(text, 'a'), frame(text, 'b', { masked: false })]);
      const packets = Array.from(bytes, (byte) => Buffer.of(byte));
      await refuses(Server, packets, mask, { events: ['text a'] });
    });

    it('refuses a fault that comes with the request', async () => {
      await refuses(Server, [], rsv1, { options: { head: frame(text, 'x', { rsv: 4 }) } });
    });

    it('takes what is like a fault and is none', async () => {
      const packets = [
        frame(text, 'x', { bits: 16 }),
        frame(pong),
        frame(binary, '', { fin: false }),
        frame(continuation),
      ];
      await accepts(Server, packets, ['text x', 'pong ', 'binary ']);
    });
  });
}
