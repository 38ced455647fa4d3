'use strict';

/** What becomes of Node's socket: its bytes, its addresses, its place in the server, its end. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, it } = require('node:test');
const { WebSocket } = require('ws');
const { LIMIT } = require('../support/limits');
const { Collected, ENGINES, Fixture, HOST, clientFrame, next, requestHead, start } = require('./fixture');

/** What ends a connection, besides the WebSocket: methods of `request.socket`. */
const ENDS = ['destroy', 'end', 'destroySoon', 'resetAndDestroy'];

/** How many connections a server counts. @returns {Promise<number>} */
const countOf = (/** @type {any} */ server) =>
  new Promise((resolve, reject) => {
    server.getConnections((/** @type {any} */ error, /** @type {number} */ count) =>
      error ? reject(error) : resolve(count),
    );
  });

for (const { name, Server } of ENGINES) {
  describe(`a socket that is upgraded: ${name}`, LIMIT, () => {
    it('brings the bytes that came with the request, wherever they are cut', async (t) => {
      const fixture = await start(t, Server);
      const got = new Collected();
      fixture.onAccept = (server) => {
        server.on('message', (/** @type {any} */ data, /** @type {boolean} */ isBinary) =>
          got.push(`${data} ${isBinary}`),
        );
      };
      const all = Buffer.concat([
        Buffer.from(requestHead()),
        clientFrame(1, 'first'),
        clientFrame(9, 'ping'),
        clientFrame(2, 'second'),
        clientFrame(1, ''),
      ]);
      for (let cut = 1; cut <= all.length; cut++) {
        got.items = [];
        const connection = next(fixture.http, 'connection');
        const client = fixture.raw();
        client.socket.setNoDelay(true);
        client.socket.write(all.subarray(0, cut));
        const [socket] = await connection;
        while (socket.bytesRead < cut) await new Promise(setImmediate);
        client.socket.write(all.subarray(cut));
        assert.deepEqual(await got.atLeast(3), ['first false', 'second true', ' false'], `cut at ${cut}`);
        assert.match(await client.head(), /^HTTP\/1.1 101 /);
        assert.deepEqual(await client.frame(), { opcode: 10, payload: Buffer.from('ping') });
        client.socket.destroy();
      }
    });

    it('brings what came while the application thought about it', async (t) => {
      const fixture = await start(t, Server, {}, async (/** @type {any} */ { req, socket, head, accept }) => {
        // As much as Node reads before somebody takes it.
        while (socket.readableLength < socket.readableHighWaterMark) await new Promise(setImmediate);
        fixture.wss.handleUpgrade(req, socket, head, accept);
      });
      const got = new Collected();
      fixture.onAccept = (server) => server.on('message', (/** @type {any} */ data) => got.push(parseInt(data, 10)));
      const client = fixture.raw();
      const frames = Array.from({ length: 5000 }, (_, i) => clientFrame(1, `${i} ${'x'.repeat(100)}`));
      client.socket.write(Buffer.concat([Buffer.from(requestHead()), ...frames]));
      assert.deepEqual(
        await got.atLeast(5000),
        frames.map((_, i) => i),
      );
    });

    it('keeps its addresses', async (t) => {
      const fixture = await start(t, Server);
      const requests = new Collected();
      fixture.onAccept = (_, req) => requests.push(req);
      const { client, server } = await fixture.connectRaw();
      const [{ socket, connection }] = requests.items;
      assert.equal(server._socket, socket);
      assert.equal(connection, socket);
      const { localPort } = client.socket;
      assert.deepEqual([socket.remoteAddress, socket.remotePort, socket.remoteFamily], [HOST, localPort, 'IPv4']);
      assert.deepEqual([socket.localAddress, socket.localPort], [HOST, fixture.port]);
      assert.equal(socket.address().port, fixture.port);
      const closed = next(server, 'close');
      client.socket.destroy();
      await closed;
      assert.equal(socket.remoteAddress, HOST);
    });

    it('looks open until the connection ends', async (t) => {
      const fixture = await start(t, Server);
      const { client, server } = await fixture.connect();
      const { _socket: socket } = server;
      assert.deepEqual([socket.destroyed, socket.writable, socket.readyState], [false, true, 'open']);
      // An engine.io with another path, on the same HTTP server, ends sockets that nobody has written to.
      assert.ok(socket.bytesWritten > 0);
      socket.ref();
      socket.setKeepAlive(true);
      socket.setNoDelay(true);
      const ended = next(socket, 'close');
      client.close();
      await ended;
      assert.deepEqual([socket.destroyed, socket.writable], [true, false]);
      socket.destroy();
    });

    for (const method of ENDS) {
      it(`ends the connection by ${method}()`, async (t) => {
        const fixture = await start(t, Server);
        const { client, server } = await fixture.connect();
        const ended = next(client, 'close');
        const closed = next(server, 'close');
        const gone = next(server._socket, 'close');
        client.on('error', () => {}); // by a reset
        server._socket[method]();
        assert.deepEqual([(await closed)[0], (await ended)[0]], [1006, 1006]);
        await gone;
        assert.equal(await countOf(fixture.http), 0);
      });
    }

    it('is counted by its server, which waits for it', async (t) => {
      const fixture = new Fixture(Server);
      await fixture.listen();
      t.after(() => fixture.accepted.items.forEach((each) => each.terminate()));
      const { client } = await fixture.connect();
      const { server, client: other } = await fixture.connect();
      assert.equal(await countOf(fixture.http), 2);
      const events = new Collected();
      fixture.http.close(() => events.push('closed'));
      fixture.http.closeAllConnections();
      fixture.http.closeIdleConnections();
      server._socket.once('close', () => events.push('other'));
      fixture.accepted.items[0]._socket.once('close', () => events.push('one'));
      other.close();
      await events.atLeast(1);
      assert.equal(await countOf(fixture.http), 1);
      client.send('hello');
      await next(fixture.accepted.items[0], 'message');
      client.terminate();
      assert.deepEqual((await events.atLeast(3)).slice(0, 1), ['other']);
      assert.deepEqual(new Set(events.items), new Set(['other', 'one', 'closed']));
    });

    it('may be a unix socket', { skip: process.platform === 'win32' }, async (t) => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ws-'));
      const file = path.join(folder, 'socket');
      const fixture = new Fixture(Server);
      await fixture.listen({ path: file });
      t.after(async () => {
        await fixture.close();
        fs.rmSync(folder, { recursive: true });
      });
      const client = new WebSocket(`ws+unix:${file}:/`);
      await next(client, 'open');
      const [server] = await fixture.accepted.atLeast(1);
      assert.equal(server._socket.remoteAddress, undefined);
      server.on('message', (/** @type {any} */ data) => server.send(`echo ${data}`));
      client.send('hello');
      assert.equal(String((await next(client, 'message'))[0]), 'echo hello');
      if (name === 'native') assert.deepEqual(fixture.wss.stats().fallbacks, {});
      client.terminate();
    });
  });
}

describe('a socket that is native', LIMIT, () => {
  it('ends by what is written past its WebSocket, which the client finds to be no frame', async (t) => {
    const fixture = await start(t, ENGINES[1].Server);
    const { client, server } = await fixture.connect();
    const failed = next(server._socket, 'error');
    const told = new Promise((resolve) => client.once('error', resolve));
    const closed = new Promise((resolve) => client.once('close', resolve));
    // As engine.io does when it cannot make a session: there is a listener for errors then.
    server._socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
    server._socket.cork();
    server._socket.write(Buffer.from('more'));
    server._socket.write('and more');
    server._socket.uncork();
    assert.equal((await failed)[0].code, 'EPIPE');
    assert.equal((await told).code, 'WS_ERR_UNEXPECTED_RSV_1');
    assert.equal(await closed, 1006);
  });
});
