'use strict';

/** One socket: its events, acknowledgements, handshake, middleware, and its end. */

const assert = require('node:assert/strict');
const { it } = require('node:test');
const { WebSocketServer } = require('../../..');
const { collect, describeEach, heardBy, next } = require('./fixture');

const BYTES = Buffer.from([0, 1, 254, 255]);

/** Arguments as they arrive. */
const ARGS = [
  [],
  ['text', 'κόσμε \u{1f680}', ''],
  [0, -1.5, true, false, null],
  [{ a: { b: [1, { c: null }] } }, []],
  [BYTES],
  [{ deep: [BYTES, { bytes: BYTES }] }, 'x', BYTES],
  ['x'.repeat(200_000), Buffer.alloc(200_000, 'y')],
];

describeEach('Socket.IO sockets', (start, { adapter, ours }) => {
  for (const [i, args] of ARGS.entries()) {
    it(`send and get arguments of sort ${i}`, async (t) => {
      const { client, socket } = await (await start(t)).pair();
      const heard = [next(client, 'event'), next(socket, 'event')];
      socket.emit('event', ...args);
      client.emit('event', ...args);
      assert.deepEqual(await Promise.all(heard), [args, args]);
    });

    it(`acknowledge with arguments of sort ${i}`, async (t) => {
      const { client, socket } = await (await start(t)).pair();
      for (const [asking, asked] of [
        [client, socket],
        [socket, client],
      ]) {
        asked.on('ask', (...all) => all.at(-1)(...all.slice(0, -1)));
        const answer = await new Promise((resolve) => asking.emit('ask', ...args, (...all) => resolve(all)));
        assert.deepEqual(answer, args);
      }
    });
  }

  it('give up on acknowledgements', async (t) => {
    const { client, socket } = await (await start(t)).pair();
    for (const asking of [client, socket]) {
      await assert.rejects(asking.timeout(10).emitWithAck('nobody listens'), { message: 'operation has timed out' });
    }
    client.on('ask', (answer) => answer('late enough'));
    assert.equal(await socket.timeout(60_000).emitWithAck('ask'), 'late enough');
  });

  it('hear all, in and out', async (t) => {
    const { client, socket } = await (await start(t)).pair();
    const order = [];
    socket.onAny((...args) => order.push(['in', ...args]));
    socket.prependAny((...args) => order.push(['first', ...args]));
    socket.onAnyOutgoing((...args) => order.push(['out', ...args]));
    socket.prependAnyOutgoing((...args) => order.push(['out first', ...args]));
    socket.on('a', (data) => socket.emit('b', data));
    const answer = next(client, 'b');
    client.emit('a', 1);
    assert.deepEqual(await answer, [1]);
    assert.deepEqual(order, [
      ['first', 'a', 1],
      ['in', 'a', 1],
      ['out first', 'b', 1],
      ['out', 'b', 1],
    ]);
  });

  it('keep the order of ten thousand events, both ways', async (t) => {
    const { client, socket } = await (await start(t)).pair();
    const heard = [client, socket].map((one) => collect(one, 'n'));
    for (let i = 0; i < 10_000; i++) {
      socket.emit('n', i);
      client.emit('n', i);
    }
    for (const each of heard) {
      assert.deepEqual(
        await each.atLeast(10_000),
        Array.from({ length: 10_000 }, (_, i) => i),
      );
    }
  });

  it('lose what may be lost to a client that takes nothing', async (t) => {
    const options = ours ? { wsEngine: WebSocketServer.with({ maxBufferedAmount: 100_000_000 }) } : {};
    const { client, socket } = await (await start(t, options)).pair();
    const heard = collect(client, 'n');
    const webSocket = client.io.engine.transport.ws;
    webSocket.pause();
    const data = 'x'.repeat(100_000);
    // More than kernels take: then nothing that may be lost leaves.
    const kept = 400;
    for (let i = 0; i < kept; i++) socket.emit('n', 'kept', data);
    await new Promise((resolve) => setImmediate(resolve));
    for (let i = 0; i < 10; i++) socket.volatile.emit('n', 'lost', data);
    socket.emit('n', 'last');
    webSocket.resume();
    const all = await heard.atLeast(kept + 1);
    assert.deepEqual(all, [...Array(kept).fill('kept'), 'last']);
  });

  it('get what may be lost while they take it', async (t) => {
    const { client, socket } = await (await start(t)).pair();
    for (let i = 0; i < 20; i++) {
      const event = next(client, 'v');
      while (!socket.conn.transport.writable) await new Promise((resolve) => setImmediate(resolve));
      socket.volatile.emit('v', i, i % 2 ? BYTES : 'text');
      assert.equal((await event)[0], i);
    }
  });

  it('compress, or not', async (t) => {
    const { client, socket } = await (await start(t)).pair();
    const made = [];
    socket.conn.on('packetCreate', ({ options }) => made.push(options.compress));
    const heard = collect(client, 'c');
    socket.emit('c', 0);
    socket.compress(true).emit('c', 1);
    socket.compress(false).emit('c', 2);
    assert.deepEqual(await heard.atLeast(3), [0, 1, 2]);
    assert.deepEqual(made, [true, true, false]);
  });

  it('know their handshake and their connection', async (t) => {
    const fixture = await start(t);
    const { client, socket } = await fixture.pair('/', {
      auth: { token: 'secret' },
      query: { a: 'b' },
      extraHeaders: { 'x-token': 'c' },
    });
    const { handshake, conn, request } = socket;
    assert.deepEqual([handshake.auth, handshake.query.a, handshake.query.EIO], [{ token: 'secret' }, 'b', '4']);
    assert.deepEqual([handshake.headers['x-token'], handshake.address, handshake.secure], ['c', '127.0.0.1', false]);
    assert.equal(handshake.xdomain, false);
    assert.match(handshake.url, /^\/socket\.io\/\?/);
    assert.ok(Math.abs(Date.parse(handshake.time) - handshake.issued) < 1000);
    assert.equal(conn.transport.name, 'websocket');
    assert.deepEqual([conn.id, conn.protocol, conn.remoteAddress], [client.io.engine.id, 4, '127.0.0.1']);
    assert.equal(request, conn.request);
    assert.equal(request.socket.remotePort > 0, true);
    assert.deepEqual(socket.rooms, new Set([socket.id]));
  });

  it('pass middleware of the namespace', async (t) => {
    const fixture = await start(t);
    const order = [];
    fixture.io.use((socket, done) => {
      order.push(socket.handshake.auth.name);
      socket.data.name = socket.handshake.auth.name;
      setImmediate(done);
    });
    fixture.io.use((socket, done) => {
      if (socket.data.name !== 'bad') return done();
      done(Object.assign(new Error('not you'), { data: { code: 7 } }));
    });
    const { socket } = await fixture.pair('/', { auth: { name: 'good' } });
    assert.equal(socket.data.name, 'good');
    const [error] = await next(fixture.client('/', { auth: { name: 'bad' } }), 'connect_error');
    assert.deepEqual([error.message, error.data], ['not you', { code: 7 }]);
    assert.deepEqual(order, ['good', 'bad']);
  });

  it('pass middleware of their own', async (t) => {
    const { client, socket } = await (await start(t)).pair();
    socket.use(([event, ...args], done) => {
      args[0].seen = true;
      done(event === 'bad' ? new Error('bad') : undefined);
    });
    const [good, error] = [next(socket, 'good'), next(socket, 'error')];
    client.emit('bad', {});
    client.emit('good', {});
    assert.equal((await error)[0].message, 'bad');
    assert.deepEqual(await good, [{ seen: true }]);
  });

  /** How sockets end, and what both sides are told. @type {Record<string, [(it: any) => unknown, string, string]>} */
  const ENDS = {
    'by the server': [({ socket }) => socket.disconnect(), 'server namespace disconnect', 'io server disconnect'],
    'by the server, with the connection': [
      ({ socket }) => socket.disconnect(true),
      'server namespace disconnect',
      'io server disconnect',
    ],
    'by the client': [({ client }) => client.disconnect(), 'client namespace disconnect', 'io client disconnect'],
    'by the connection of the client': [({ client }) => client.io.engine.close(), 'transport close', 'forced close'],
    'by the connection of the server': [({ socket }) => socket.conn.close(), 'forced close', 'transport close'],
    'by the network': [({ client }) => client.io.engine.transport.ws.terminate(), 'transport close', 'transport close'],
    'by the socket of the request': [
      ({ socket }) => socket.request.socket.destroy(),
      'transport close',
      'transport close',
    ],
    'by the end of the server': [
      ({ io }) => io.close(),
      'server shutting down',
      'io server disconnect|transport close',
    ],
    'by a broken packet': [
      ({ client }) => client.io.engine.write('bad'),
      'parse error|forced close',
      'transport close',
    ],
    'by a broken frame': [
      ({ client }) => client.io.engine.transport.ws._socket.write(Buffer.from([0xf1, 0])),
      'transport error',
      'transport close',
    ],
  };

  for (const [way, [act, server, client]] of Object.entries(ENDS)) {
    it(`end ${way}`, async (t) => {
      const fixture = await start(t);
      const pair = await fixture.pair();
      await pair.socket.join('room');
      const leaving = next(pair.socket, 'disconnecting').then(() => new Set(pair.socket.rooms));
      const rooms = new Promise((resolve) => {
        pair.socket.once('disconnecting', () => resolve(new Set(pair.socket.rooms)));
      });
      const both = [next(pair.socket, 'disconnect'), next(pair.client, 'disconnect')];
      act({ ...pair, io: fixture.io });
      const reasons = (await Promise.all(both)).map(([reason]) => reason);
      assert.match(reasons[0], new RegExp(`^(${server})$`));
      assert.match(reasons[1], new RegExp(`^(${client})$`));
      assert.deepEqual(await rooms, new Set([pair.socket.id, 'room']));
      await leaving;
      assert.equal(pair.socket.rooms.size, 0);
      assert.equal(fixture.io.of('/').adapter.rooms.size, 0);
    });
  }

  it('end when they do not answer pings', async (t) => {
    const fixture = await start(t, { pingInterval: 100, pingTimeout: 200 });
    const pair = await fixture.pair();
    const gone = next(pair.socket, 'disconnect');
    const { ws } = pair.client.io.engine.transport;
    ws.send = (_data, _options, callback) => callback?.();
    assert.equal((await gone)[0], 'ping timeout');
  });

  it('end when their message is longer than allowed', async (t) => {
    const fixture = await start(t, { maxHttpBufferSize: 500 });
    const pair = await fixture.pair();
    const both = [next(pair.socket, 'disconnect'), next(pair.client, 'disconnect')];
    pair.client.emit('long', 'x'.repeat(501));
    const reasons = (await Promise.all(both)).map(([reason]) => reason);
    assert.deepEqual(reasons, ['transport error', 'transport close']);
  });

  it('hear nothing after their end, and leave others alone', async (t) => {
    const fixture = await start(t);
    const [first, second] = await fixture.pairs(2);
    const late = collect(first.client, 'late');
    first.socket.disconnect();
    first.socket.emit('late');
    const heard = await heardBy(fixture.io, [second.client], () => fixture.io.emit('late', 1));
    assert.deepEqual(heard, [[['late', 1]]]);
    assert.deepEqual(late.items, []);
    assert.equal(first.socket.connected, false);
  });

  it('disconnect from a namespace, and stay in another on the same connection', async (t) => {
    const fixture = await start(t);
    fixture.io.of('/other');
    const manager = fixture.manager();
    const [first, second] = [await fixture.pair('/', { manager }), await fixture.pair('/other', { manager })];
    const gone = next(first.client, 'disconnect');
    first.socket.disconnect();
    assert.deepEqual((await gone)[0], 'io server disconnect');
    const heard = next(second.client, 'still');
    fixture.io.of('/other').emit('still', BYTES);
    assert.deepEqual(await heard, [BYTES]);
    assert.equal(fixture.io.of('/').sockets.size, 0);
    assert.ok(adapter ? second.socket.connected : true);
  });
});
