'use strict';

/** How a WebSocket of a server ends. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { LIMIT } = require('../support/limits');
const { Collected, ENGINES, clientFrame, next, start } = require('./fixture');

/** Arguments of `close` that are refused. */
const UNCLOSABLE = /** @type {const} */ ([
  ['a code out of range', [999], TypeError, 'First argument must be a valid error code number'],
  ['1005', [1005], TypeError, 'First argument must be a valid error code number'],
  ['1015', [1015], TypeError, 'First argument must be a valid error code number'],
  ['2000', [2000], TypeError, 'First argument must be a valid error code number'],
  ['5000', [5000], TypeError, 'First argument must be a valid error code number'],
  ['a text', ['1000'], TypeError, 'First argument must be a valid error code number'],
  ['a long reason', [1000, 'é'.repeat(62)], RangeError, 'The message must not be greater than 123 bytes'],
]);

for (const { name, Server } of ENGINES) {
  describe(`the end of a WebSocket: ${name}`, LIMIT, () => {
    it('is open, closing, closed', async (t) => {
      const fixture = await start(t, Server);
      const { client, server } = await fixture.connect();
      for (const states of [server, server.constructor]) {
        assert.deepEqual([states.CONNECTING, states.OPEN, states.CLOSING, states.CLOSED], [0, 1, 2, 3]);
      }
      assert.equal(server.readyState, 1);
      const closed = next(server, 'close');
      server.close(4001, 'enough');
      assert.equal(server.readyState, 2);
      server.close(4002, 'ignored');
      const [code, reason] = await next(client, 'close');
      assert.deepEqual([code, String(reason)], [4001, 'enough']);
      const [own, ownReason] = await closed;
      assert.deepEqual([own, ownReason], [4001, Buffer.from('enough')]);
      assert.equal(server.readyState, 3);
      assert.equal(server.bufferedAmount, 0);
      server.close();
      server.terminate();
      server.pause();
      server.resume();
      assert.equal(server.isPaused, false);
    });

    it('closes without a code', async (t) => {
      const fixture = await start(t, Server);
      const { client, server } = await fixture.connect();
      server.close();
      assert.deepEqual((await next(client, 'close'))[0], 1005);
      const { client: other, server: second } = await fixture.connect();
      second.close(undefined, 'ignored'.repeat(100));
      assert.deepEqual((await next(other, 'close'))[0], 1005);
    });

    it('is closed by the client', async (t) => {
      const fixture = await start(t, Server);
      const { client, server } = await fixture.connect();
      client.close(3000, 'tschüß');
      const [code, reason] = await next(server, 'close');
      assert.deepEqual([code, String(reason)], [3000, 'tschüß']);
      assert.ok(Buffer.isBuffer(reason));
      const { client: other, server: second } = await fixture.connect();
      other.close();
      assert.equal((await next(second, 'close'))[0], 1005);
    });

    it('sends what it was given before close, and tells what it was given later', async (t) => {
      const fixture = await start(t, Server);
      const { client, server } = await fixture.connect();
      const got = new Collected();
      client.on('message', (/** @type {any} */ data) => got.push(String(data)));
      server.send('before');
      server.close(1000);
      const error = await new Promise((resolve) => server.send('late', resolve));
      assert.equal(/** @type {any} */ (error).message, 'WebSocket is not open: readyState 2 (CLOSING)');
      server.send('late, and nobody asks');
      await next(client, 'close');
      assert.deepEqual(got.items, ['before']);
      const closedError = await new Promise((resolve) => server.ping('late', false, resolve));
      assert.match(/** @type {any} */ (closedError).message, /^WebSocket is not open: readyState [23]/);
    });

    it('receives after close until the client has closed', async (t) => {
      const fixture = await start(t, Server);
      const { client, server } = await fixture.connectRaw();
      const got = new Collected();
      server.on('message', (/** @type {any} */ data) => got.push(String(data)));
      const closed = next(server, 'close');
      server.close(1000);
      assert.equal((await client.frame())?.opcode, 8);
      client.socket.write(Buffer.concat([clientFrame(1, 'on the way'), clientFrame(8, Buffer.from([3, 232]))]));
      await closed;
      assert.deepEqual(got.items, ['on the way']);
    });

    for (const [what, args, error, message] of UNCLOSABLE) {
      it(`does not close with ${what}`, async (t) => {
        const fixture = await start(t, Server);
        const { server } = await fixture.connect();
        assert.throws(
          () => server.close(...args),
          (/** @type {any} */ thrown) => {
            assert.ok(thrown instanceof error);
            return thrown.message === message;
          },
        );
        assert.equal(server.readyState, 1);
      });
    }

    it('terminates', async (t) => {
      const fixture = await start(t, Server);
      const { client, server } = await fixture.connect();
      const ended = next(client, 'close');
      const closed = next(server, 'close');
      server.terminate();
      assert.equal(server.readyState, 2);
      assert.deepEqual([(await closed)[0], (await ended)[0]], [1006, 1006]);
    });

    it('tells of a broken rule', async (t) => {
      const fixture = await start(t, Server);
      const { client, server } = await fixture.connectRaw();
      const events = new Collected();
      server.on('error', (/** @type {any} */ { message, code, constructor }) =>
        events.push([message, code, constructor, server.readyState]),
      );
      server.on('close', (/** @type {number} */ code) => events.push(code));
      client.socket.write(clientFrame(1, Buffer.from([0xff])));
      assert.deepEqual(await client.frame(), { opcode: 8, payload: Buffer.from([3, 239]) });
      assert.deepEqual(await events.atLeast(2), [
        ['Invalid WebSocket frame: invalid UTF-8 sequence', 'WS_ERR_INVALID_UTF8', Error, 2],
        1006,
      ]);
    });
  });
}
