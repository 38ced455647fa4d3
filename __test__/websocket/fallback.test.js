'use strict';

/** Connections that cannot be native: ws serves them, and the reason is counted. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const https = require('node:https');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { Duplex } = require('node:stream');
const { describe, it } = require('node:test');
const { WebSocket } = require('ws');
const { Certificates } = require('../../dev/tls');
const { LIMIT } = require('../support/limits');
const { bun, run } = require('../support/runtimes');
const { installBeside } = require('../support/versions');
const { WebSocketServer } = require('../..');
const { Collected, Fixture, HOST, next, requestHead, start } = require('./fixture');

const ROOT = path.join(__dirname, '../..');

/** @param {Fixture} fixture what it has of connections */
function counts({ wss }) {
  const { native, ws, fallbacks } = wss.stats();
  return { native, ws, fallbacks };
}

/** A connection through a fixture echoes, and is ws's. */
async function echoes(fixture, reason, options = {}, handshake = {}) {
  const before = counts(fixture);
  const { client, server } = await fixture.connect(options);
  assert.deepEqual(counts(fixture), {
    native: before.native,
    ws: before.ws + 1,
    fallbacks: { ...before.fallbacks, [reason]: (before.fallbacks[reason] ?? 0) + 1 },
  });
  server.on('message', (/** @type {any} */ data) => server.send(`echo ${data}`));
  client.send('hello');
  assert.equal(String((await next(client, 'message'))[0]), 'echo hello');
  assert.equal(client.extensions, /** @type {any} */ (handshake).extensions ?? '');
  const closed = next(server, 'close');
  client.close(4000);
  assert.equal((await closed)[0], 4000);
  assert.equal(counts(fixture).ws, before.ws);
}

/** Changes the server's side of a socket before its handshake. */
const changing =
  (/** @type {(socket: any) => (() => void) | void} */ change) =>
  (/** @type {any} */ { req, socket, head, accept, wss }) => {
    const undo = change(socket);
    wss().handleUpgrade(req, socket, head, accept);
    undo?.();
  };

/** A fixture whose sockets are changed. */
async function changed(t, change, options = {}) {
  const upgrade = changing(change);
  const fixture = await start(t, WebSocketServer, options, (/** @type {any} */ each) =>
    upgrade({ ...each, wss: () => fixture.wss }),
  );
  return fixture;
}

/** A descriptor that the socket tells. */
const descriptor = (/** @type {number} */ fd) => (/** @type {any} */ socket) => {
  Object.defineProperty(socket._handle, 'fd', { value: fd, configurable: true });
};

describe('a connection goes to ws', LIMIT, () => {
  it('that is encrypted in Node', async (t) => {
    const certificates = new Certificates();
    t.after(() => certificates.remove());
    const { cert, key } = certificates.server;
    const fixture = new Fixture(WebSocketServer);
    const upgrades = fixture.http.listeners('upgrade');
    const headers = new Collected();
    fixture.wss.on('headers', (/** @type {string[]} */ lines, /** @type {any} */ req) => {
      headers.push(req.url);
      lines.push('X-More: more');
    });
    fixture.http = /** @type {any} */ (https.createServer({ cert, key }));
    for (const upgrade of upgrades) fixture.http.on('upgrade', /** @type {any} */ (upgrade));
    await fixture.listen();
    t.after(() => fixture.close());
    const client = new WebSocket(`wss://${HOST}:${fixture.port}/here`, { rejectUnauthorized: false });
    const [response] = await next(client, 'upgrade');
    assert.equal(response.headers['x-more'], 'more');
    const [server] = await fixture.accepted.atLeast(1);
    server.on('message', (/** @type {any} */ data) => server.send(`echo ${data}`));
    if (client.readyState === 0) await next(client, 'open');
    client.send('hello');
    assert.equal(String((await next(client, 'message'))[0]), 'echo hello');
    assert.deepEqual(headers.items, ['/here']);
    assert.deepEqual(counts(fixture), { native: 0, ws: 1, fallbacks: { tls: 1 } });
    client.terminate();
  });

  it('with permessage-deflate, if both sides want it', async (t) => {
    const fixture = await start(t, WebSocketServer, { perMessageDeflate: { threshold: 0 } });
    await echoes(fixture, 'permessageDeflate', { perMessageDeflate: true }, { extensions: 'permessage-deflate' });
    const { client } = await fixture.connect({ perMessageDeflate: false });
    assert.deepEqual(counts(fixture), { native: 1, ws: 0, fallbacks: { permessageDeflate: 1 } });
    client.terminate();
    const without = await start(t, WebSocketServer, { perMessageDeflate: false });
    const { client: other } = await without.connect({ perMessageDeflate: true });
    assert.equal(other.extensions, '');
    assert.deepEqual(counts(without), { native: 1, ws: 0, fallbacks: {} });
  });

  it('with a stream that is no socket', async (t) => {
    const fixture = await start(t, WebSocketServer);
    // As a program that has the sockets elsewhere, and hands streams over.
    const front = net.createServer((socket) => {
      const stream = new Duplex({
        read() {},
        write: (chunk, _, callback) => void socket.write(chunk, callback),
        final: (callback) => void socket.end(callback),
      });
      socket.on('data', (chunk) => stream.push(chunk)).on('end', () => stream.push(null));
      socket.on('error', () => stream.destroy());
      fixture.http.emit('connection', stream);
    });
    front.listen(0, HOST);
    await next(front, 'listening');
    t.after(() => front.close());
    fixture.address = front.address();
    await echoes(fixture, 'notASocket');
  });

  it('with something that has not left', async (t) => {
    const fixture = await changed(t, (socket) => {
      socket.cork();
      socket.write('HTTP/1.1 102 Processing\r\n\r\n');
      return () => socket.uncork();
    });
    await echoes(fixture, 'pendingWrites');
  });

  it('without a descriptor', async (t) => {
    await echoes(await changed(t, descriptor(-1)), 'noDescriptor');
    await echoes(await changed(t, descriptor(/** @type {any} */ (undefined))), 'noDescriptor');
  });

  it('on Windows', async (t) => {
    const platform = /** @type {any} */ (Object.getOwnPropertyDescriptor(process, 'platform'));
    const fixture = await changed(t, () => {
      Object.defineProperty(process, 'platform', { ...platform, value: 'win32' });
      return () => Object.defineProperty(process, 'platform', platform);
    });
    await echoes(fixture, 'platform');
  });

  it('whose descriptor cannot be had, and has its handshake once', async (t) => {
    const asked = new Collected();
    const verifyClient = (/** @type {any} */ { req }) => asked.push(`verify ${req.url}`) ?? true;
    const handleProtocols = (/** @type {Set<string>} */ protocols) => [...protocols][1];
    // No process has as many open.
    const fixture = await changed(t, descriptor(2 ** 30), { verifyClient, handleProtocols });
    fixture.wss.on('headers', (/** @type {string[]} */ lines, /** @type {any} */ req) => {
      asked.push(`headers ${req.url}`);
      lines.push('X-More: more');
    });
    await echoes(fixture, 'failed');
    assert.deepEqual(asked.items, ['verify /', 'headers /']);
    const client = fixture.raw();
    client.socket.write(requestHead({ 'Sec-WebSocket-Protocol': 'a, b' }));
    assert.match(await client.head(), /^HTTP\/1.1 101 [^]*\r\nSec-WebSocket-Protocol: b\r\nX-More: more\r\n\r\n$/);
  });

  it('and not before its request is a good one', async (t) => {
    const verifyClient = (/** @type {any} */ _, /** @type {any} */ done) => done(false, 403);
    const fixture = await changed(t, descriptor(-1), { verifyClient });
    const client = fixture.raw();
    client.socket.write(requestHead());
    assert.match(await client.rest(), /^HTTP\/1.1 403 /);
    fixture.wss.once('wsClientError', (/** @type {any} */ error, /** @type {any} */ socket) => {
      socket.end(`HTTP/1.1 418 Teapot\r\nX-Why: ${error.message}\r\n\r\n`);
    });
    const bad = fixture.raw();
    bad.socket.write(requestHead({ 'Sec-WebSocket-Key': 'no' }));
    assert.match(await bad.rest(), /^HTTP\/1.1 418 [^]*X-Why: Missing or invalid Sec-WebSocket-Key header/);
    const unheard = fixture.raw();
    unheard.socket.write(requestHead({ 'Sec-WebSocket-Key': 'no' }));
    assert.match(await unheard.rest(), /^HTTP\/1.1 400 /);
    assert.deepEqual(counts(fixture), { native: 0, ws: 0, fallbacks: {} });
  });

  it('until the server is closed', async (t) => {
    for (const before of [true, false]) {
      const fixture = await changed(t, descriptor(-1));
      if (before) await echoes(fixture, 'noDescriptor');
      fixture.wss.close();
      const client = fixture.raw();
      client.socket.write(requestHead());
      assert.match(await client.rest(), /^HTTP\/1.1 503 /);
    }
  });

  it('and is tracked', async (t) => {
    const fixture = await changed(t, descriptor(-1), { clientTracking: true });
    const { client, server } = await fixture.connect();
    assert.deepEqual(fixture.wss.clients, new Set([server]));
    const closed = new Promise((resolve) => fixture.wss.close(resolve));
    client.terminate();
    await closed;
    assert.equal(fixture.wss.clients.size, 0);
  });

  it("of the application's engine.io", async (t) => {
    const { WebSocketServer: Copy } = installBeside('socket.io-4.5');
    const fixture = await start(t, Copy, { perMessageDeflate: true });
    const { server } = await fixture.connect({ perMessageDeflate: true });
    const own = require(path.join(ROOT, 'node_modules/socket.io-4.5/node_modules/ws'));
    assert.ok(server instanceof own.WebSocket);
    const { client } = await fixture.connect();
    client.send('native');
    assert.equal(String((await next(fixture.accepted.items[1], 'message'))[0]), 'native');
    assert.equal(counts(fixture).native, 1);
  });

  it('on Bun', async (t) => {
    const runtime = await bun();
    if (runtime.missing) return t.skip(runtime.missing);
    const program = path.join(__dirname, 'programs/echo.js');
    const { stdout, stderr, code } = await run(/** @type {string} */ (runtime.file), [program], { signal: t.signal });
    assert.deepEqual([code, stderr], [0, '']);
    const { echo, native, ws, fallbacks } = JSON.parse(stdout);
    assert.deepEqual([echo, native, ws], ['echo hello', 0, 1]);
    assert.equal(fallbacks.noDescriptor ?? fallbacks.notASocket, 1);
  });
});

describe('where there is no ws', LIMIT, () => {
  it('what cannot be native is refused, and told once', async (t) => {
    const app = fs.mkdtempSync(path.join(os.tmpdir(), 'no-ws-'));
    t.after(() => fs.rmSync(app, { recursive: true }));
    const copy = path.join(app, 'node_modules/socket.io-redis-native');
    const native = path.join(ROOT, 'lib/native');
    for (const part of ['index.js', 'package.json', 'lib']) {
      fs.cpSync(path.join(ROOT, part), path.join(copy, part), { recursive: true, filter: (file) => file !== native });
    }
    fs.symlinkSync(native, path.join(copy, 'lib/native'), 'junction');
    fs.symlinkSync(path.join(ROOT, 'node_modules/notepack.io'), path.join(app, 'node_modules/notepack.io'), 'junction');
    const program = path.join(app, 'program.js');
    fs.copyFileSync(path.join(__dirname, 'programs/without-ws.js'), program);
    const { code, stdout, stderr } = await run(process.execPath, [program], { cwd: app, signal: t.signal });
    assert.equal(code, 0, stderr);
    const answers = JSON.parse(stdout);
    for (const status of answers.refused) assert.equal(status, 'HTTP/1.1 503 Service Unavailable');
    assert.equal(answers.native, 'HTTP/1.1 101 Switching Protocols');
    assert.deepEqual(answers.errors, ['ERR_WS_MISSING']);
    assert.match(stderr, /^\[socket.io-redis-native\] ERR_WS_MISSING: [^\n]*npm install ws[^\n]*\n$/);
  });
});
