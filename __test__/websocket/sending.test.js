'use strict';

/** What a WebSocket of a server sends, and what it receives of the same. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { LIMIT } = require('../support/limits');
const { Collected, ENGINES, next, start } = require('./fixture');

/** What is sent, with options, and what arrives. */
const SENT = /** @type {const} */ ([
  ['a text', ['hé€llo😀'], 'hé€llo😀', false],
  ['an empty text', [''], '', false],
  ['a number', [42], '42', false],
  ['a lone surrogate', ['a\ud800b'], 'a\ufffdb', false],
  ['a Buffer', [Buffer.from([0, 255, 1])], '\x00\xff\x01', true],
  ['an ArrayBuffer', [Uint8Array.of(1, 2).buffer], '\x01\x02', true],
  ['a part of an ArrayBuffer', [new Uint8Array(Uint8Array.of(1, 2, 3, 4).buffer, 1, 2)], '\x02\x03', true],
  ['a DataView', [new DataView(Uint8Array.of(5, 6, 7).buffer, 1)], '\x06\x07', true],
  ['an array of bytes', [[7, 8]], '\x07\x08', true],
  ['nothing', [undefined], '', true],
  ['a text as binary', ['é', { binary: true }], '\xc3\xa9', true],
  ['a Buffer as text', [Buffer.from('é'), { binary: false }], 'é', false],
  ['what is to be compressed, which it is not', ['x', { compress: true }], 'x', false],
  ['70,000 bytes', [Buffer.alloc(70_000, 'z')], 'z'.repeat(70_000), true],
  ['65,535 bytes', ['y'.repeat(65_535)], 'y'.repeat(65_535), false],
  ['126 bytes', ['x'.repeat(126)], 'x'.repeat(126), false],
]);

/** What cannot be sent. */
const UNSENDABLE = /** @type {const} */ ([
  ['an object', { a: 1 }],
  ['a function', true],
  ['a symbol', Symbol('s')],
]);

/** As ws's messages, and ours, which are texts or Buffers. */
const inBytes = (/** @type {any} */ data, /** @type {boolean} */ isBinary) =>
  isBinary ? Buffer.from(data).toString('latin1') : String(data);

for (const { name, Server } of ENGINES) {
  describe(`what is sent: ${name}`, LIMIT, () => {
    for (const [what, args, expected, expectedBinary] of SENT) {
      it(`sends ${what}`, async (t) => {
        const fixture = await start(t, Server);
        const { client, server } = await fixture.connect();
        server.send(...args);
        const [data, isBinary] = await next(client, 'message');
        assert.equal(isBinary, expectedBinary);
        assert.equal(inBytes(data, isBinary), expected);
      });

      if (/array|nothing|surrogate|compress/.test(what)) continue;
      it(`receives ${what}`, async (t) => {
        const fixture = await start(t, Server);
        const { client, server } = await fixture.connect();
        client.send(...args);
        const [data, isBinary] = await next(server, 'message');
        assert.equal(isBinary, expectedBinary);
        assert.equal(inBytes(data, isBinary), expected);
      });
    }

    for (const [what, data] of UNSENDABLE) {
      it(`does not send ${what}`, async (t) => {
        const fixture = await start(t, Server);
        const { client, server } = await fixture.connect();
        assert.throws(() => server.send(data === true ? () => {} : data), TypeError);
        server.send('next');
        assert.equal(String((await next(client, 'message'))[0]), 'next');
      });
    }

    it('calls back when it is sent, in order, and sends in order', async (t) => {
      const fixture = await start(t, Server);
      const { client, server } = await fixture.connect();
      const got = new Collected();
      const called = new Collected();
      client.on('message', (/** @type {any} */ data) => got.push(String(data)));
      const all = Array.from({ length: 300 }, (_, i) => String(i));
      for (const each of all) {
        const callback = (/** @type {any} */ error) => called.push(error ? String(error) : each);
        if (Number(each) % 3 === 0) server.send(each, {}, callback);
        else if (Number(each) % 3 === 1) server.send(Buffer.from(each), callback);
        else server.send(each, { compress: false }, callback);
      }
      assert.deepEqual(called.items, []);
      assert.deepEqual(await got.atLeast(300), all);
      assert.deepEqual(await called.atLeast(300), all);
    });

    it('has bytes buffered until they are sent', async (t) => {
      const fixture = await start(t, Server);
      const { client, server } = await fixture.connect();
      assert.equal(server.bufferedAmount, 0);
      client.pause();
      const sent = new Promise((resolve) => server.send(Buffer.alloc(8_000_000), resolve));
      assert.ok(server.bufferedAmount >= 8_000_000, String(server.bufferedAmount));
      client.resume();
      assert.equal((await sent) ?? undefined, undefined);
      assert.equal(server.bufferedAmount, 0);
    });

    it('tells what was not sent when the connection ends', async (t) => {
      const fixture = await start(t, Server);
      const { client, server } = await fixture.connect();
      client.pause();
      const events = new Collected();
      server.once('close', () => events.push('close'));
      server.send(Buffer.alloc(8_000_000), (/** @type {any} */ error) => events.push(error instanceof Error));
      server.send('more', (/** @type {any} */ error) => events.push(error instanceof Error));
      server.terminate();
      const [first, ...others] = await events.atLeast(3);
      assert.deepEqual(others, [true, 'close']);
      // Nodes before 26 take what they were writing for sent.
      if (name === 'native') assert.equal(first, true);
    });
  });
}
