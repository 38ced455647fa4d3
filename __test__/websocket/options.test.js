'use strict';

/** The options of ours, and of ws. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { LIMIT } = require('../support/limits');
const { WebSocketServer } = require('../..');
const { Collected, ENGINES, next, start } = require('./fixture');

/** Settings that are refused, and the option that is named. */
const INVALID = /** @type {const} */ ([
  [undefined, 'WebSocketServer'],
  [null, 'WebSocketServer'],
  ['16 MiB', 'WebSocketServer'],
  [[], 'WebSocketServer'],
  [{ maxBufferedAmount: 0 }, 'maxBufferedAmount'],
  [{ maxBufferedAmount: 1.5 }, 'maxBufferedAmount'],
  [{ maxBufferedAmount: '1024' }, 'maxBufferedAmount'],
  [{ maxBufferedAmount: Infinity }, 'maxBufferedAmount'],
  [{ threads: 0 }, 'threads'],
  [{ threads: 65 }, 'threads'],
  [{ threads: NaN }, 'threads'],
  [{ maxBuffered: 1 }, 'maxBuffered'],
]);

describe('WebSocketServer.with', LIMIT, () => {
  for (const [settings, option] of INVALID) {
    it(`refuses ${JSON.stringify(settings)}`, () => {
      assert.throws(
        () => WebSocketServer.with(/** @type {any} */ (settings)),
        (/** @type {any} */ error) => {
          assert.ok(error instanceof TypeError);
          assert.deepEqual([error.code, error.option], ['ERR_INVALID_OPTION', option]);
          return error.message.startsWith(`Invalid option "${option}": `);
        },
      );
    });
  }

  it('gives a class of its own', async (t) => {
    const Small = WebSocketServer.with({ maxBufferedAmount: 100_000, threads: 1 });
    assert.notEqual(Small, WebSocketServer);
    const small = await start(t, Small);
    assert.ok(small.wss instanceof Small);
    assert.ok(small.wss instanceof WebSocketServer);
    const large = await start(t, WebSocketServer);
    for (const { fixture, code } of [
      { fixture: large, code: null },
      { fixture: small, code: 1013 },
    ]) {
      const { slow } = fixture.wss.stats();
      const { client, server } = await fixture.connect();
      client.pause();
      const events = new Collected();
      server.on('close', (/** @type {number} */ status) => events.push(status));
      // More than the kernel takes, and then, in another tick, more than may wait.
      const sent = (/** @type {any} */ error) => events.push(error instanceof Error);
      server.send(Buffer.alloc(12_000_000), sent);
      await new Promise(setImmediate);
      server.send(Buffer.alloc(1_000_000), sent);
      if (code === null) {
        client.resume();
        assert.deepEqual(await events.atLeast(2), [false, false]);
        continue;
      }
      assert.deepEqual(await events.atLeast(3), [true, true, code]);
      assert.equal(fixture.wss.stats().slow, slow + 1);
    }
  });
});

describe('the options of ws', LIMIT, () => {
  it('that name an HTTP server are refused: it is engine.io', () => {
    for (const options of [{ port: 8080 }, { server: {} }]) {
      const [name] = Object.keys(options);
      assert.throws(() => new WebSocketServer(options), {
        name: 'TypeError',
        code: 'ERR_INVALID_OPTION',
        option: name,
      });
    }
  });

  it('that change nothing are ignored', async (t) => {
    const fixture = await start(t, WebSocketServer, {
      noServer: true,
      port: null,
      server: null,
      skipUTF8Validation: true,
      allowSynchronousEvents: false,
      autoPong: true,
      backlog: 1,
      host: 'localhost',
      unheardOf: Symbol('of'),
    });
    const { client, server } = await fixture.connect();
    server.send('hello');
    assert.equal(String((await next(client, 'message'))[0]), 'hello');
  });

  it('may be left out', () => {
    const server = new WebSocketServer();
    assert.deepEqual([server.options, server.clients], [{}, new Set()]);
    assert.deepEqual([server.stats().native, server.stats().ws, server.stats().fallbacks], [0, 0, {}]);
  });

  for (const { name, Server } of ENGINES) {
    it(`bound messages: ${name}`, async (t) => {
      const fixture = await start(t, Server, { maxPayload: 10 });
      const { client, server } = await fixture.connect();
      client.send('0123456789');
      assert.equal(String((await next(server, 'message'))[0]), '0123456789');
      const failed = next(server, 'error');
      client.send('0123456789a');
      const [{ code, message, constructor }] = await failed;
      assert.deepEqual(
        [code, message, constructor],
        ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 'Max payload size exceeded', RangeError],
      );
      assert.equal((await next(client, 'close'))[0], 1009);
    });

    it(`do not bound messages: ${name}`, async (t) => {
      const fixture = await start(t, Server, { maxPayload: 0 });
      const { client, server } = await fixture.connect();
      client.send(Buffer.alloc(3_000_000));
      assert.equal((await next(server, 'message'))[0].length, 3_000_000);
    });
  }
});
