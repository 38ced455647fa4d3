'use strict';

/** Why connections end, as both sides are told, and what still arrives before. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { it } = require('node:test');
const { OPCODES, closeFrame, frame } = require('../../support/raw-websocket');
const { collect, describeEach, next } = require('./fixture');

const WEBSOCKET = 'EIO=4&transport=websocket';

describeEach('Engine.IO closes', {}, (start, { isOld }) => {
  /** Resolves with why, on both sides. */
  async function reasons({ client, socket }, act) {
    const both = [next(socket, 'close'), next(client, 'close')];
    act();
    const [[server], [other]] = await Promise.all(both);
    return [server, other];
  }

  it('by the server', async (t) => {
    const pair = await (await start(t)).pair();
    assert.deepEqual(await reasons(pair, () => pair.socket.close()), ['forced close', 'transport close']);
    assert.deepEqual([pair.socket.readyState, pair.client.readyState], ['closed', 'closed']);
  });

  it('by the server, leaving out what waits', async (t) => {
    const pair = await (await start(t)).pair();
    assert.deepEqual(await reasons(pair, () => pair.socket.close(true)), ['forced close', 'transport close']);
  });

  it('by the client', async (t) => {
    const pair = await (await start(t)).pair();
    assert.deepEqual(await reasons(pair, () => pair.client.close()), ['transport close', 'forced close']);
  });

  it('by both at once', async (t) => {
    const pair = await (await start(t)).pair();
    const act = () => [pair.socket.close(), pair.client.close()];
    const [server] = await reasons(pair, act);
    assert.ok(['forced close', 'transport close'].includes(server));
  });

  it('by the end of the server', async (t) => {
    const fixture = await start(t);
    const pair = await fixture.pair();
    assert.deepEqual(await reasons(pair, () => fixture.engine.close()), ['forced close', 'transport close']);
    assert.equal(fixture.engine.clientsCount, 0);
  });

  it('after an upgrade, by each side', async (t) => {
    const fixture = await start(t);
    for (const [side, expected] of [
      ['socket', ['forced close', 'transport close']],
      ['client', ['transport close', 'forced close']],
    ]) {
      const pair = await fixture.upgradedPair();
      assert.deepEqual(await reasons(pair, () => pair[String(side)].close()), expected);
    }
  });

  it('when the connection of the client is gone', async (t) => {
    const pair = await (await start(t)).pair();
    const act = () => pair.client.transport.ws.terminate();
    assert.deepEqual(await reasons(pair, act), ['transport close', 'transport close']);
  });

  it('when the WebSocket of the server is ended', async (t) => {
    const pair = await (await start(t)).pair();
    const act = () => pair.socket.transport.socket.terminate();
    assert.deepEqual(await reasons(pair, act), ['transport close', 'transport close']);
  });

  it('when the socket below the server is destroyed', async (t) => {
    const pair = await (await start(t)).pair();
    const act = () => pair.socket.request.socket.destroy();
    assert.deepEqual(await reasons(pair, act), ['transport close', 'transport close']);
  });

  it('when the client does not answer pings', async (t) => {
    const fixture = await start(t, { pingInterval: 10, pingTimeout: 10 });
    const connection = next(fixture.engine, 'connection');
    const client = fixture.ws(WEBSOCKET);
    const gone = once(client, 'close');
    const [socket] = await connection;
    assert.deepEqual((await next(socket, 'close'))[0], 'ping timeout');
    assert.equal((await gone)[0], 1005);
  });

  it('when the server does not ping', async (t) => {
    const fixture = await start(t, { pingInterval: 10, pingTimeout: 10 });
    fixture.engine.on('connection', (socket) => clearTimeout(socket.pingIntervalTimer));
    const pair = await fixture.pair();
    assert.deepEqual(await reasons(pair, () => {}), ['transport close', 'ping timeout']);
  });

  it('when a packet is of no type', async (t) => {
    const fixture = await start(t);
    const connection = next(fixture.engine, 'connection');
    const raw = await fixture.raw(WEBSOCKET);
    const [socket] = await connection;
    const closed = next(socket, 'close');
    raw.send(frame(OPCODES.text, 'x'));
    assert.equal((await closed)[0], 'parse error');
    raw.send(closeFrame());
    assert.equal(await raw.closed(), 'end');
  });

  it('when a client pings, which is the part of the server', async (t) => {
    const fixture = await start(t);
    const connection = next(fixture.engine, 'connection');
    const raw = await fixture.raw(WEBSOCKET);
    const [socket] = await connection;
    const closed = next(socket, 'close');
    raw.send(frame(OPCODES.text, '2'));
    const [reason, error] = await closed;
    assert.equal(reason, 'transport error');
    if (!isOld) assert.equal(error.message, 'invalid heartbeat direction');
  });

  for (const [name, bytes, message, status] of /** @type {[string, Buffer, string, number][]} */ ([
    ['RSV1', frame(OPCODES.text, 'x', { rsv: 4 }), 'Invalid WebSocket frame: RSV1 must be clear', 1002],
    ['no mask', frame(OPCODES.text, 'x', { masked: false }), 'Invalid WebSocket frame: MASK must be set', 1002],
    ['an opcode', frame(3, 'x'), 'Invalid WebSocket frame: invalid opcode 3', 1002],
    ['no UTF-8', frame(OPCODES.text, Buffer.of(0xff)), 'Invalid WebSocket frame: invalid UTF-8 sequence', 1007],
    ['a length', frame(OPCODES.text, 'x'.repeat(101)), 'Max payload size exceeded', 1009],
    ['a status', closeFrame(1005), 'Invalid WebSocket frame: invalid status code 1005', 1002],
  ])) {
    it(`when a frame breaks the rules by ${name}`, async (t) => {
      const fixture = await start(t, { maxHttpBufferSize: 100 });
      const connection = next(fixture.engine, 'connection');
      const raw = await fixture.raw(WEBSOCKET);
      const [socket] = await connection;
      const closed = next(socket, 'close');
      await raw.next();
      raw.send(bytes);
      const [reason, error] = await closed;
      assert.equal(reason, 'transport error');
      assert.equal(error.type, 'TransportError');
      assert.match(error.message, new RegExp(`${message}$`));
      assert.equal((await raw.next()).payload.readUInt16BE(), status);
      assert.equal(await raw.closed(), 'end');
    });
  }

  it('when a message is longer than allowed', async (t) => {
    const pair = await (await start(t, { maxHttpBufferSize: 5 })).pair();
    const messages = collect(pair.socket, 'message');
    pair.client.send('1234');
    await messages.atLeast(1);
    assert.deepEqual(await reasons(pair, () => pair.client.send('12345')), ['transport error', 'transport close']);
    assert.deepEqual(messages.items, ['1234']);
  });

  it('behind all that was sent', async (t) => {
    const { client, socket } = await (await start(t)).pair();
    const messages = collect(client, 'message');
    const closed = next(client, 'close');
    const sent = Array.from({ length: 1000 }, (_, i) => `${i}`.padEnd(500, 'x'));
    for (const data of sent) socket.send(data);
    // Engine.IO 6.0 closes behind the first that has left.
    if (isOld) await messages.atLeast(sent.length);
    socket.close();
    await closed;
    assert.deepEqual(messages.items, sent);
  });

  it('behind all that the client has sent', async (t) => {
    const { client, socket } = await (await start(t)).pair();
    const messages = collect(socket, 'message');
    const closed = next(socket, 'close');
    const sent = Array.from({ length: 1000 }, (_, i) => `${i}`.padEnd(500, 'x'));
    for (const data of sent) client.send(data);
    client.close();
    await closed;
    assert.deepEqual(messages.items, sent);
  });

  it('in a listener, and hears no more', async (t) => {
    const { client, socket } = await (await start(t)).pair();
    const heard = [];
    socket.on('message', (data) => {
      heard.push(data);
      socket.close();
    });
    const closed = next(socket, 'close');
    client.send('a');
    client.send('b');
    await closed;
    assert.equal(heard[0], 'a');
    const late = heard.length;
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(heard.length, late);
  });

  it('without a word where the client opens and goes', async (t) => {
    const fixture = await start(t);
    for (let i = 0; i < 20; i++) {
      const connection = next(fixture.engine, 'connection');
      const raw = await fixture.raw(WEBSOCKET);
      const [socket] = await connection;
      const closed = next(socket, 'close');
      await raw.next();
      if (i % 2) raw.destroy();
      else raw.reset();
      assert.equal((await closed)[0], 'transport close');
    }
    assert.equal(fixture.engine.clientsCount, 0);
  });

  it('and takes nothing more', async (t) => {
    const { client, socket } = await (await start(t)).pair();
    const messages = collect(client, 'message');
    socket.send('before');
    socket.close();
    socket.send('after');
    await next(client, 'close');
    assert.deepEqual(messages.items, ['before']);
    assert.equal(socket.writeBuffer.length, 0);
  });

  it('with its HTTP server, once all are gone', async (t) => {
    const fixture = await start(t);
    const pair = await fixture.pair();
    let closed = false;
    const close = next(fixture.http, 'close').then(() => (closed = true));
    const connections = () => new Promise((resolve) => fixture.http.getConnections((_error, count) => resolve(count)));
    assert.equal(await connections(), 1);
    fixture.http.close();
    const message = next(pair.client, 'message');
    pair.socket.send('still here');
    await message;
    assert.equal(closed, false);
    pair.client.close();
    await close;
    await fixture.listen();
  });
});
