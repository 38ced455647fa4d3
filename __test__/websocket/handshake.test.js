'use strict';

/** Which requests to upgrade are accepted, and how the others are answered. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { LIMIT } = require('../support/limits');
const { ACCEPT, Collected, ENGINES, next, requestHead, start } = require('./fixture');

/** Requests that are answered with an error: what is sent, and the answer's status, body and a header. */
const REFUSED = /** @type {const} */ ([
  ['another method', [{}, { method: 'POST' }], 405, 'Invalid HTTP method'],
  ['another protocol', [{ Upgrade: 'h2c' }], 400, 'Invalid Upgrade header'],
  ['no key', [{ 'Sec-WebSocket-Key': null }], 400, 'Missing or invalid Sec-WebSocket-Key header'],
  ['a short key', [{ 'Sec-WebSocket-Key': 'c2hvcnQ=' }], 400, 'Missing or invalid Sec-WebSocket-Key header'],
  ['no version', [{ 'Sec-WebSocket-Version': null }], 400, 'Missing or invalid Sec-WebSocket-Version header'],
  ['version 12', [{ 'Sec-WebSocket-Version': '12' }], 400, 'Missing or invalid Sec-WebSocket-Version header'],
  ['another path', [{}, { path: '/other?x=/chat' }], 400, 'Bad Request'],
  ['a broken list of protocols', [{ 'Sec-WebSocket-Protocol': 'a,,b' }], 400, 'Invalid Sec-WebSocket-Protocol header'],
  ['protocols twice', [{ 'Sec-WebSocket-Protocol': 'a, b, a' }], 400, 'Invalid Sec-WebSocket-Protocol header'],
  ['an open list', [{ 'Sec-WebSocket-Protocol': 'a,' }], 400, 'Invalid Sec-WebSocket-Protocol header'],
  ['an empty list', [{ 'Sec-WebSocket-Protocol': '' }], 400, 'Invalid Sec-WebSocket-Protocol header'],
  [
    'a list that begins with a comma',
    [{ 'Sec-WebSocket-Protocol': ',a' }],
    400,
    'Invalid Sec-WebSocket-Protocol header',
  ],
]);

/** The path that is accepted. */
const PATH = { path: '/chat' };

for (const { name, Server } of ENGINES) {
  describe(`the handshake: ${name}`, LIMIT, () => {
    /** The answer to a request, until the server ends the connection. */
    async function answerOf(fixture, request) {
      const client = fixture.raw();
      client.socket.write(request);
      return client.rest();
    }

    it('is that of the standard', async (t) => {
      const fixture = await start(t, Server);
      const client = fixture.raw();
      client.socket.write(requestHead());
      assert.equal(
        await client.head(),
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n\r\n`,
      );
    });

    for (const [what, request, status, message] of REFUSED) {
      it(`refuses ${what}`, async (t) => {
        const fixture = await start(t, Server, PATH);
        const [headers, options = PATH] = /** @type {[any, any?]} */ (request);
        const answer = await answerOf(fixture, requestHead(headers, { path: '/chat', ...options }));
        const [head, body] = answer.split('\r\n\r\n');
        assert.equal(
          head.split('\r\n')[0],
          `HTTP/1.1 ${status} ${status === 405 ? 'Method Not Allowed' : 'Bad Request'}`,
        );
        assert.equal(body, message);
        const lines = head.toLowerCase().split('\r\n');
        for (const line of ['connection: close', 'content-type: text/html', `content-length: ${message.length}`]) {
          assert.ok(lines.includes(line), head);
        }
        const versions = lines.includes('sec-websocket-version: 13, 8');
        assert.equal(versions, /Version/.test(message));
        assert.equal(fixture.accepted.items.length, 0);
      });

      if (status === 400 && message === 'Bad Request') continue; // no event, as with ws
      it(`has wsClientError for ${what}`, async (t) => {
        const fixture = await start(t, Server, PATH);
        fixture.wss.on(
          'wsClientError',
          (/** @type {any} */ error, /** @type {any} */ socket, /** @type {any} */ req) => {
            socket.end(`HTTP/1.1 418 Teapot\r\nX-Why: ${error.message} ${req.url}\r\n\r\n`);
          },
        );
        const [headers, options] = /** @type {[any, any?]} */ (request);
        const answer = await answerOf(fixture, requestHead(headers, { path: '/chat', ...options }));
        assert.match(answer, /^HTTP\/1.1 418 Teapot\r\n/);
        assert.ok(answer.includes(`X-Why: ${message} /chat`), answer);
      });
    }

    it('accepts version 8, a path with a query, and any case of the header', async (t) => {
      const fixture = await start(t, Server, PATH);
      const client = fixture.raw();
      client.socket.write(
        requestHead({ 'Sec-WebSocket-Version': '8', Upgrade: 'WebSocket' }, { path: '/chat?transport=websocket' }),
      );
      assert.match(await client.head(), /^HTTP\/1.1 101 /);
    });

    it('takes the first protocol', async (t) => {
      const fixture = await start(t, Server);
      const { client, server } = await fixture.connect({ protocols: ['b', 'a'] });
      assert.equal(client.protocol, 'b');
      assert.equal(server.protocol, 'b');
      const { server: other } = await fixture.connect();
      assert.equal(other.protocol, '');
    });

    it('has the application choose the protocol', async (t) => {
      const asked = new Collected();
      const handleProtocols = (/** @type {Set<string>} */ protocols, /** @type {any} */ req) => {
        asked.push([...protocols]);
        return req.url === '/none' ? false : [...protocols].pop();
      };
      const fixture = await start(t, Server, { handleProtocols });
      for (const [path, protocol] of [
        ['/', 'Sec-WebSocket-Protocol: c\r\n'],
        ['/none', ''],
      ]) {
        const client = fixture.raw();
        client.socket.write(requestHead({ 'Sec-WebSocket-Protocol': 'a , b,\tc' }, { path }));
        assert.match(await client.head(), new RegExp(`Accept: [^\r]+\r\n${protocol}\r\n$`));
      }
      assert.deepEqual(asked.items, [
        ['a', 'b', 'c'],
        ['a', 'b', 'c'],
      ]);
    });

    it('has headers added', async (t) => {
      const fixture = await start(t, Server);
      fixture.wss.on('headers', (/** @type {string[]} */ headers, /** @type {any} */ req) => {
        assert.equal(headers[0], 'HTTP/1.1 101 Switching Protocols');
        headers.push(`X-Url: ${req.url}`, 'Set-Cookie: a=é');
      });
      const client = fixture.raw();
      client.socket.write(requestHead({}, { path: '/here' }));
      assert.match(
        Buffer.from(await client.head(), 'latin1').toString(),
        /\r\nX-Url: \/here\r\nSet-Cookie: a=é\r\n\r\n$/,
      );
    });

    it('asks verifyClient', async (t) => {
      const infos = new Collected();
      const verifyClient = (/** @type {any} */ info) => {
        infos.push(info);
        return info.origin === 'https://good.example';
      };
      const fixture = await start(t, Server, { verifyClient });
      const good = fixture.raw();
      good.socket.write(requestHead({ Origin: 'https://good.example' }));
      assert.match(await good.head(), /^HTTP\/1.1 101 /);
      const bad = await answerOf(fixture, requestHead({ Origin: 'https://bad.example' }));
      assert.match(bad, /^HTTP\/1.1 401 Unauthorized\r\n[^]*\r\n\r\nUnauthorized$/);
      const old = fixture.raw();
      old.socket.write(
        requestHead({ 'Sec-WebSocket-Version': '8', 'Sec-WebSocket-Origin': 'https://good.example', Origin: 'x' }),
      );
      assert.match(await old.head(), /^HTTP\/1.1 101 /);
      assert.deepEqual(
        infos.items.map(({ secure, req }) => [secure, req.method]),
        infos.items.map(() => [false, 'GET']),
      );
    });

    it('asks a verifyClient that calls back', async (t) => {
      const verifyClient = (/** @type {any} */ { req }, /** @type {any} */ callback) =>
        setImmediate(() => {
          if (req.url === '/good') callback(true);
          else if (req.url === '/why') callback(false, 403, 'Since', { 'X-Why': 'not' });
          else callback(false);
        });
      const fixture = await start(t, Server, { verifyClient });
      const good = fixture.raw();
      good.socket.write(requestHead({}, { path: '/good' }));
      assert.match(await good.head(), /^HTTP\/1.1 101 /);
      assert.match(
        await answerOf(fixture, requestHead({}, { path: '/why' })),
        /^HTTP\/1.1 403 Forbidden\r\n[^]*X-Why: not\r\n\r\nSince$/,
      );
      assert.match(await answerOf(fixture, requestHead()), /^HTTP\/1.1 401 Unauthorized\r\n/);
    });

    it('is refused with 503 once the server is closed, and connections stay', async (t) => {
      const fixture = await start(t, Server);
      const { client, server } = await fixture.connect();
      const closed = next(fixture.wss, 'close');
      fixture.wss.close();
      await closed;
      assert.match(
        await answerOf(fixture, requestHead()),
        /^HTTP\/1.1 503 Service Unavailable\r\n[^]*\r\n\r\nService Unavailable$/,
      );
      server.send('still here');
      assert.equal(String((await next(client, 'message'))[0]), 'still here');
    });

    it('says that the server is closed already', async (t) => {
      const { wss } = await start(t, Server);
      await new Promise((resolve) => wss.close(resolve));
      const error = await new Promise((resolve) => wss.close(resolve));
      assert.equal(/** @type {any} */ (error).message, 'The server is not running');
    });

    it('closes when the connections that it tracks are gone', async (t) => {
      const fixture = await start(t, Server, { clientTracking: true });
      const { client, server } = await fixture.connect();
      const { client: other } = await fixture.connect();
      assert.deepEqual(fixture.wss.clients, new Set(fixture.accepted.items));
      let closed = false;
      const all = new Promise((resolve) => fixture.wss.close(resolve)).then(() => (closed = true));
      other.close();
      await next(fixture.accepted.items[1], 'close');
      assert.equal(closed, false);
      assert.deepEqual(fixture.wss.clients, new Set([server]));
      client.close();
      await all;
      assert.equal(fixture.wss.clients.size, 0);
    });

    it('is done once for a socket', async (t) => {
      const errors = new Collected();
      const fixture = await start(t, Server, {}, (/** @type {any} */ { req, socket, head, accept }) => {
        fixture.wss.handleUpgrade(req, socket, head, accept);
        try {
          fixture.wss.handleUpgrade(req, socket, head, accept);
        } catch (error) {
          errors.push(error);
        }
      });
      const { client, server } = await fixture.connect();
      assert.match(errors.items[0].message, /^server.handleUpgrade\(\) was called more than once with the same socket/);
      server.send('once');
      assert.equal(String((await next(client, 'message'))[0]), 'once');
    });

    it('is not begun for a client that has ended', async (t) => {
      const done = new Collected();
      const fixture = await start(t, Server, {}, (/** @type {any} */ { req, socket, head, accept }) => {
        socket.resume();
        socket.once('end', () => {
          fixture.wss.handleUpgrade(req, socket, head, accept);
          done.push(socket.destroyed);
        });
      });
      const client = fixture.raw();
      client.socket.end(requestHead());
      assert.deepEqual(await done.atLeast(1), [true]);
      assert.equal(await client.rest(), '');
      assert.equal(fixture.accepted.items.length, 0);
    });

    it('has no address of its own', async (t) => {
      const { wss } = await start(t, Server);
      assert.throws(() => wss.address(), { message: 'The server is operating in "noServer" mode' });
      assert.equal(wss.shouldHandle({ url: '/any' }), true);
    });

    it('lives on when the client breaks off in the middle of it', async (t) => {
      const seen = new Collected();
      const verifyClient = (/** @type {any} */ { req }, /** @type {any} */ callback) => {
        req.socket.once('close', () => {
          callback(true);
          seen.push(req.socket.destroyed);
        });
        client.socket.resetAndDestroy();
      };
      const fixture = await start(t, Server, { verifyClient });
      const client = fixture.raw();
      client.socket.write(requestHead());
      assert.deepEqual(await seen.atLeast(1), [true]);
      assert.equal(fixture.accepted.items.length, 0);
    });
  });
}
