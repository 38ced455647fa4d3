'use strict';

/** The server: namespaces, events of its engine, recovery, and its end. */

const assert = require('node:assert/strict');
const { it } = require('node:test');
const { collect, describeEach, next } = require('./fixture');

describeEach('Socket.IO servers', (start, { adapter }) => {
  it('refuse namespaces that are not there', async (t) => {
    const fixture = await start(t);
    const [error] = await next(fixture.client('/none'), 'connect_error');
    assert.equal(error.message, 'Invalid namespace');
  });

  it('make namespaces by a pattern', async (t) => {
    const fixture = await start(t, { cleanupEmptyChildNamespaces: true });
    const parent = fixture.io.of(/^\/dynamic-\d+$/);
    const connection = next(parent, 'connection');
    const first = await fixture.pair('/dynamic-1');
    const second = await fixture.pair('/dynamic-2');
    assert.equal((await connection)[0].nsp.name, '/dynamic-1');
    const heard = [next(first.client, 'all'), next(second.client, 'all')];
    parent.emit('all', 1);
    assert.deepEqual(await Promise.all(heard), [[1], [1]]);
    const gone = next(first.socket, 'disconnect');
    first.client.disconnect();
    await gone;
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(fixture.io._nsps.has('/dynamic-1'), false);
    const again = await fixture.pair('/dynamic-1');
    const once = next(again.client, 'again');
    fixture.io.of('/dynamic-1').emit('again', 2);
    assert.deepEqual(await once, [2]);
  });

  it('hang up on who joins no namespace', async (t) => {
    const fixture = await start(t, { connectTimeout: 10 });
    const manager = fixture.manager();
    manager.open();
    await next(manager, 'open');
    assert.equal((await next(manager, 'close'))[0], 'transport close');
  });

  it('tell what their engine does', async (t) => {
    const fixture = await start(t);
    const { engine } = fixture.io;
    engine.on('initial_headers', (headers) => (headers['X-Initial'] = 'a'));
    engine.on('headers', (headers) => (headers['X-Always'] = 'b'));
    const connection = next(engine, 'connection');
    const manager = fixture.manager();
    const upgrade = new Promise((resolve) => {
      manager.once('open', () => undefined);
      fixture.http.once('upgrade', (_req, socket) => resolve(socket));
    });
    const { socket } = await fixture.pair('/', { manager });
    assert.equal((await connection)[0], socket.conn);
    assert.equal(engine.clientsCount, 1);
    assert.equal(await upgrade, socket.request.socket);
    const refused = next(engine, 'connection_error');
    fixture.client('/', { query: { transport: 'tobi' } });
    const bad = await fetch(`http://127.0.0.1:${fixture.port}/socket.io/?EIO=4&transport=tobi`);
    assert.equal(bad.status, 400);
    assert.equal((await refused)[0].message, 'Transport unknown');
  });

  it('let their engine use middleware', async (t) => {
    const fixture = await start(t);
    fixture.io.engine.use((req, _res, done) => {
      req.session = { name: 'somebody' };
      done();
    });
    const { socket } = await fixture.pair();
    assert.deepEqual(socket.request.session, { name: 'somebody' });
  });

  it('ask who may connect', async (t) => {
    const allowRequest = (req, done) => done(null, req.headers['x-token'] === 'good');
    const fixture = await start(t, { allowRequest });
    const { socket } = await fixture.pair('/', { extraHeaders: { 'x-token': 'good' } });
    assert.ok(socket.connected);
    const [error] = await next(fixture.client('/', { extraHeaders: { 'x-token': 'bad' } }), 'connect_error');
    assert.equal(error.message, 'websocket error');
  });

  it('tell clients at once when no identity can be made', async (t) => {
    const fixture = await start(t);
    fixture.io.engine.generateId = () => new Promise((_, reject) => setTimeout(reject, 20, new Error('nope')));
    const [error] = await next(fixture.client(), 'connect_error');
    assert.equal(error.message, 'websocket error');
  });

  it('greet on connection, before anything else', async (t) => {
    const fixture = await start(t);
    fixture.io.on('connection', (socket) => {
      socket.emit('first');
      socket.join('room');
      fixture.io.to('room').emit('second', Buffer.of(1));
      socket.emit('third');
    });
    const client = fixture.client();
    const order = [];
    client.on('connect', () => order.push('connect'));
    client.onAny((event) => order.push(event));
    await next(client, 'third');
    assert.deepEqual(order, ['connect', 'first', 'second', 'third']);
  });

  it('upgrade clients, whose events keep their order', async (t) => {
    const fixture = await start(t);
    const { client, socket } = await fixture.pair('/', { transports: ['polling', 'websocket'] });
    const heard = collect(client, 'n');
    const { engine } = client.io;
    let sent = 0;
    for (let behind = 0; behind < 20; behind += engine.transport.name === 'websocket' ? 1 : 0) {
      if (sent % 2) socket.emit('n', sent++);
      else fixture.io.emit('n', sent++);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(
      await heard.atLeast(sent),
      Array.from({ length: sent }, (_, i) => i),
    );
    assert.equal(socket.conn.transport.name, 'websocket');
  });

  it('close, and take their HTTP server with them', async (t) => {
    const fixture = await start(t);
    const pairs = await fixture.pairs(3);
    const gone = pairs.map(({ client }) => next(client, 'disconnect'));
    const closed = next(fixture.http, 'close');
    const done = new Promise((resolve) => fixture.io.close(() => resolve(undefined)));
    await Promise.all([...gone, closed, done]);
    assert.equal(fixture.io.engine.clientsCount, 0);
    assert.equal(fixture.http.listening, false);
    await fixture.listen();
  });

  it('connect clients again', async (t) => {
    const fixture = await start(t);
    const { client, socket } = await fixture.pair('/', { reconnection: true, reconnectionDelay: 1 });
    const [gone, again] = [next(socket, 'disconnect'), next(fixture.io, 'connection')];
    socket.conn.close();
    await gone;
    const [renewed] = await again;
    const event = next(client, 'hello');
    renewed.emit('hello', 1);
    assert.deepEqual(await event, [1]);
    assert.notEqual(renewed.id, socket.id);
  });

  // The adapters on Redis's channels recover nothing, theirs nor ours.
  if (!adapter) {
    it('recover sockets and what they missed', async (t) => {
      const fixture = await start(t, { connectionStateRecovery: {} });
      const { client, socket } = await fixture.pair('/', { reconnection: true, reconnectionDelay: 50 });
      await socket.join('room');
      socket.data.name = 'somebody';
      const heard = collect(client, 'n');
      fixture.io.emit('n', 0, Buffer.of(7));
      await heard.atLeast(1);
      const [gone, again, connected] = [
        next(socket, 'disconnect'),
        next(fixture.io, 'connection'),
        next(client.io, 'reconnect'),
      ];
      client.io.engine.transport.ws.terminate();
      await gone;
      fixture.io.to('room').emit('n', 1, Buffer.of(8));
      fixture.io.to('elsewhere').emit('n', 2);
      fixture.io.emit('n', 3);
      const [recovered] = await again;
      await connected;
      assert.deepEqual(await heard.atLeast(3), [0, 1, 3]);
      assert.deepEqual([recovered.recovered, recovered.id, recovered.data], [true, socket.id, { name: 'somebody' }]);
      assert.ok(recovered.rooms.has('room'));
      assert.equal(client.recovered, true);
      fixture.io.to('room').emit('n', 4);
      assert.deepEqual(await heard.atLeast(4), [0, 1, 3, 4]);
    });
  }
});
