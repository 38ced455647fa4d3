'use strict';

/** The interface of a WebSocket of a server, besides sending and closing. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { LIMIT } = require('../support/limits');
const { catchUncaught } = require('../support/uncaught');
const { Collected, ENGINES, clientFrame, next, start } = require('./fixture');

for (const { name, Server } of ENGINES) {
  describe(`a WebSocket: ${name}`, LIMIT, () => {
    it('pings, and is pinged', async (t) => {
      const fixture = await start(t, Server);
      const { client, server } = await fixture.connect();
      const pinged = next(client, 'ping');
      const ponged = next(server, 'pong');
      server.ping('are you there?');
      assert.equal(String((await pinged)[0]), 'are you there?');
      assert.deepEqual((await ponged)[0], Buffer.from('are you there?'));
      const answer = next(client, 'pong');
      const seen = next(server, 'ping');
      client.ping(Buffer.from([1, 2]));
      assert.deepEqual((await seen)[0], Buffer.from([1, 2]));
      assert.deepEqual((await answer)[0], Buffer.from([1, 2]));
      const unasked = next(client, 'pong');
      await new Promise((resolve) => server.pong('here', false, resolve));
      assert.equal(String((await unasked)[0]), 'here');
      await new Promise((resolve) => server.ping(resolve));
      await new Promise((resolve) => server.ping(7, resolve));
      assert.throws(() => server.ping(Buffer.alloc(126)), RangeError);
    });

    it('pauses, and goes on', async (t) => {
      const fixture = await start(t, Server);
      const { client, server } = await fixture.connectRaw();
      const got = new Collected();
      server.on('message', (/** @type {any} */ data) => got.push(String(data)));
      client.socket.write(clientFrame(1, 'one'));
      await got.atLeast(1);
      server.pause();
      assert.equal(server.isPaused, true);
      client.socket.write(clientFrame(1, 'two'));
      // What is sent to another one arrives: this one's would have, too.
      const { client: other, server: second } = await fixture.connect();
      other.send('hello');
      await next(second, 'message');
      assert.deepEqual(got.items, ['one']);
      server.resume();
      assert.equal(server.isPaused, false);
      assert.deepEqual(await got.atLeast(2), ['one', 'two']);
    });

    it('has events for addEventListener', async (t) => {
      const fixture = await start(t, Server);
      const { client, server } = await fixture.connect();
      const events = new Collected();
      const listener = (/** @type {any} */ event) => events.push(event);
      server.addEventListener('message', listener);
      server.addEventListener('message', listener);
      server.addEventListener('message', { handleEvent: listener }, { once: true });
      server.addEventListener('close', listener);
      server.addEventListener('nonsense', listener);
      client.send('text');
      client.send(Buffer.from('binary'));
      await events.atLeast(3);
      server.removeEventListener('message', listener);
      client.close(4000, 'why');
      await events.atLeast(4);
      assert.deepEqual(
        events.items.map(({ type, data, code, reason, wasClean }) => [type, String(data), code, reason, wasClean]),
        [
          ['message', 'text', undefined, undefined, undefined],
          ['message', 'text', undefined, undefined, undefined],
          ['message', 'binary', undefined, undefined, undefined],
          ['close', 'undefined', 4000, 'why', true],
        ],
      );
      assert.equal(typeof events.items[0].data, 'string');
      assert.ok(events.items.every(({ target }) => target === server));
    });

    it('has attributes for listeners', async (t) => {
      const fixture = await start(t, Server);
      const { client, server } = await fixture.connect();
      const events = new Collected();
      const listener = (/** @type {any} */ { data, type }) => events.push(data ?? type);
      for (const each of ['onopen', 'onmessage', 'onclose', 'onerror']) assert.equal(server[each], null);
      server.onmessage = () => events.push('the one before');
      server.onmessage = listener;
      server.onclose = listener;
      assert.equal(server.onmessage, listener);
      client.send('a');
      await events.atLeast(1);
      server.onmessage = null;
      assert.equal(server.onmessage, null);
      client.send('b');
      client.close();
      assert.deepEqual(await events.atLeast(2), ['a', 'close']);
    });

    it('has binary messages in the form that is asked for', async (t) => {
      const fixture = await start(t, Server);
      const { client, server } = await fixture.connect();
      assert.equal(server.binaryType, 'nodebuffer');
      const types = /** @type {const} */ (['nodebuffer', 'arraybuffer', 'fragments', 'nonsense']);
      const seen = [];
      for (const type of types) {
        server.binaryType = type;
        client.send(Buffer.from([1, 2, 3]));
        const [data] = await next(server, 'message');
        const [buffer] = Array.isArray(data) ? data : [data];
        assert.deepEqual(Buffer.from(buffer), Buffer.from([1, 2, 3]));
        seen.push([Buffer.isBuffer(data), data instanceof ArrayBuffer, Array.isArray(data)]);
        client.send('text');
        assert.equal(String((await next(server, 'message'))[0]), 'text');
      }
      assert.deepEqual(seen, [
        [true, false, false],
        [false, true, false],
        [false, false, true],
        [false, false, true],
      ]);
    });

    it('has what else a WebSocket has', async (t) => {
      const fixture = await start(t, Server);
      const { server } = await fixture.connect();
      assert.equal(server.extensions, '');
      assert.equal(server.url, undefined);
      assert.equal(server.isPaused, false);
      assert.equal(server._socket.remoteAddress, '127.0.0.1');
    });

    it('hands out all that came, whatever a listener throws', async (t) => {
      const uncaught = new Collected();
      catchUncaught(t, (error) => uncaught.push(error.message));
      const fixture = await start(t, Server);
      const got = new Collected();
      fixture.onAccept = (server) => {
        server.on('message', (/** @type {any} */ data) => {
          got.push(String(data));
          throw new Error(`thrown for ${data}`);
        });
      };
      const { client: one } = await fixture.connect();
      const { client: two } = await fixture.connect();
      one.send('a');
      await got.atLeast(1);
      two.send('b');
      await got.atLeast(2);
      assert.deepEqual(await uncaught.atLeast(2), ['thrown for a', 'thrown for b']);
      if (name === 'ws') return; // whose receiver stops after an exception
      one.send('c');
      assert.deepEqual(await got.atLeast(3), ['a', 'b', 'c']);
    });
  });
}
