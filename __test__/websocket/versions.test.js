'use strict';

/** Every supported Socket.IO on the engine: with its own ws, and with ours. */

const assert = require('node:assert/strict');
const http = require('node:http');
const { describe, it } = require('node:test');
const ws = require('ws');
const { io: connect } = require('socket.io-client-4');
const { LIMIT } = require('../support/limits');
const { installBeside } = require('../support/versions');
const { Collected, HOST, RawClient, clientFrame, next, requestHead } = require('./fixture');

const VERSIONS = ['socket.io-4.3', 'socket.io-4.4', 'socket.io-4.5', 'socket.io-4'];
const TRANSPORTS = [['websocket'], ['polling', 'websocket']];
/** Larger than what is read at once. */
const LARGE = 'é'.repeat(100_000);

/** A server that echoes. */
async function serve(t, version, engine, options = {}) {
  // With a copy of the package of its own: several are in this process.
  const { Server, WebSocketServer } = installBeside(version);
  const server = http.createServer();
  const io = new Server(server, {
    ...(engine === 'native' && { wsEngine: WebSocketServer }),
    maxHttpBufferSize: 1_000_000,
    ...options,
  });
  /** @type {any} */
  const sockets = new Collected();
  io.on('connection', (/** @type {any} */ socket) => {
    sockets.push(socket);
    socket.on('echo', (/** @type {any[]} */ ...args) => {
      const answer = args.pop();
      if (typeof answer === 'function') answer(...args);
      else socket.emit('echo', ...args, answer);
    });
  });
  server.listen(0, HOST);
  await next(server, 'listening');
  t.after(() => {
    io.disconnectSockets(true);
    io.close();
    server.closeAllConnections();
  });
  return { io, server, sockets, port: /** @type {any} */ (server.address()).port };
}

/** A client whose transport is a WebSocket. */
async function clientOf(t, { port }, transports) {
  const client = connect(`http://${HOST}:${port}`, { transports, forceNew: true, reconnection: false });
  t.after(() => client.disconnect());
  await next(client, 'connect');
  const { engine } = client.io;
  if (engine.transport.name !== 'websocket') await next(engine, 'upgrade');
  return client;
}

/** Whether all connections of a server are native. */
function assertEngine({ io }, engine, count) {
  if (engine === 'native') {
    const { native, ws: others, fallbacks } = io.engine.ws.stats();
    assert.deepEqual({ native, others, fallbacks }, { native: count, others: 0, fallbacks: {} });
  } else assert.equal(io.engine.ws.stats, undefined);
}

for (const version of VERSIONS) {
  for (const engine of ['ws', 'native']) {
    describe(`${version} on ${engine}`, LIMIT, () => {
      for (const transports of TRANSPORTS) {
        it(`echoes by ${transports.join(', then ')}`, async (t) => {
          const server = await serve(t, version, engine);
          const client = await clientOf(t, server, transports);
          const args = ['text', LARGE, { a: [1, null, '😀'] }, Buffer.from([0, 255])];
          const answer = await new Promise((resolve) =>
            client.emit('echo', ...args, (/** @type {any[]} */ ...all) => resolve(all)),
          );
          assert.deepEqual(answer, args);
          const events = new Collected();
          client.on('echo', (/** @type {any} */ i, /** @type {any} */ bytes) => events.push([i, bytes.length]));
          for (let i = 0; i < 100; i++) client.emit('echo', i, Buffer.alloc(i));
          assert.deepEqual(
            await events.atLeast(100),
            Array.from({ length: 100 }, (_, i) => [i, i]),
          );
          assertEngine(server, engine, 1);
        });
      }

      it('broadcasts, and disconnects', async (t) => {
        const server = await serve(t, version, engine);
        const clients = [await clientOf(t, server, ['websocket']), await clientOf(t, server, ['websocket'])];
        const got = clients.map((client) => next(client, 'hello'));
        server.io.emit('hello', LARGE, Buffer.from('bytes'));
        for (const each of got) assert.deepEqual(await each, [LARGE, Buffer.from('bytes')]);
        const [{ handshake, request }] = server.sockets.items;
        assert.equal(handshake.address, HOST);
        assert.equal(request.connection.remoteAddress, HOST);
        assert.equal(request.socket.localPort, server.port);
        const gone = next(clients[0], 'disconnect');
        const left = server.sockets.items.map((/** @type {any} */ socket) => next(socket, 'disconnect'));
        server.sockets.items[0].disconnect(true);
        clients[1].disconnect();
        assert.equal((await gone)[0], 'io server disconnect');
        await Promise.all(left);
      });

      it('closes with its HTTP server', async (t) => {
        const server = await serve(t, version, engine);
        const client = await clientOf(t, server, ['websocket']);
        const gone = next(client, 'disconnect');
        await new Promise((resolve) => server.io.close(resolve));
        await gone;
        if (engine === 'native') assert.equal(server.io.engine.ws.stats().native, 0);
      });

      it('refuses what is longer than maxHttpBufferSize', async (t) => {
        const server = await serve(t, version, engine);
        const client = await clientOf(t, server, ['websocket']);
        const reason = next(server.sockets.items[0], 'disconnect');
        client.emit('echo', Buffer.alloc(1_000_001));
        assert.match(String((await reason)[0]), /^transport (error|close)$/);
      });

      it('adds headers, and has a session made later', async (t) => {
        const server = await serve(t, version, engine);
        const headers = new Collected();
        server.io.engine.on('initial_headers', (/** @type {any} */ all) => {
          all['X-First'] = 'first';
          headers.push('initial');
        });
        server.io.engine.on('headers', (/** @type {any} */ all) => {
          all['X-Each'] = 'each';
          headers.push('each');
        });
        server.io.engine.generateId = async () => {
          for (let i = 0; i < 5; i++) await new Promise(setImmediate);
          return 'made-later';
        };
        const client = new RawClient({ host: HOST, port: server.port });
        t.after(() => client.socket.destroy());
        const head = requestHead({}, { path: '/socket.io/?EIO=4&transport=websocket' });
        // With ws, what comes before there is a session is lost.
        client.socket.write(engine === 'native' ? Buffer.concat([Buffer.from(head), clientFrame(1, '40')]) : head);
        assert.match(await client.head(), /^HTTP\/1.1 101 [^]*\r\nX-First: first\r\nX-Each: each\r\n\r\n$/);
        assert.deepEqual(headers.items, ['initial', 'each']);
        assert.match(String((await client.frame())?.payload), /^0{"sid":"made-later",.*"upgrades":\[\]/);
        if (engine === 'ws') client.socket.write(clientFrame(1, '40'));
        assert.match(String((await client.frame())?.payload), /^40{"sid":/);
      });

      it('serves clients of version 2', async (t) => {
        const server = await serve(t, version, engine, { allowEIO3: true });
        const url = `${HOST}:${server.port}/socket.io/?EIO=3&transport=`;
        const client = await open(t, `ws://${url}websocket`);
        assert.match((await client.got.atLeast(1))[0], /^0{"sid":/);
        await echoOf(client);
        const body = await (await fetch(`http://${url}polling`)).text();
        const sid = /"sid":"([^"]+)"/.exec(body)?.[1];
        const upgraded = await open(t, `ws://${url}websocket&sid=${sid}`);
        upgraded.client.send('2probe');
        assert.deepEqual(await upgraded.got.atLeast(1), ['3probe']);
        upgraded.client.send('5');
        await echoOf(upgraded);
        assertEngine(server, engine, 2);
      });
    });
  }
}

/** A client of engine.io's packets. */
async function open(t, url) {
  const client = new ws.WebSocket(url);
  t.after(() => client.terminate());
  const got = new Collected();
  client.on('message', (/** @type {any} */ data) => got.push(String(data)));
  await next(client, 'open');
  return { client, got };
}

/** An event and a ping of revision 3 are answered. What the session had to say comes in between, or came by polling. */
async function echoOf({ client, got }) {
  client.send('42["echo","é",1]');
  client.send('2');
  for (const answer of ['42["echo","é",1]', '3']) {
    while (!got.items.includes(answer)) await got.atLeast(got.items.length + 1);
  }
}
