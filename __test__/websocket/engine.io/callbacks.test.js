'use strict';

/** What tells the application how far its packets are: callbacks of `send`, `flush`, `drain`, `packetCreate`. */

const assert = require('node:assert/strict');
const { it } = require('node:test');
const { WebSocketServer } = require('../../..');
const { collect, describeEach, next } = require('./fixture');

/** A client that stays with polling, one of WebSocket alone, and one that has upgraded. */
const WAYS = {
  polling: (fixture) => fixture.pair({ transports: ['polling'] }),
  websocket: (fixture) => fixture.pair(),
  'an upgrade': (fixture) => fixture.upgradedPair(),
};

// Engine.IO 6.0 forgets callbacks of packets that leave together.
describeEach('Engine.IO callbacks', { newest: true }, (start, { ours }) => {
  for (const [way, connect] of Object.entries(WAYS)) {
    it(`come in the order of the packets: ${way}`, async (t) => {
      const { client, socket } = await connect(await start(t));
      const messages = collect(client, 'message');
      const called = [];
      const last = new Promise((resolve) => {
        for (let i = 0; i < 20; i++) {
          socket.send(`${i}`, () => {
            called.push(i);
            if (i === 19) resolve(undefined);
          });
        }
      });
      await Promise.all([last, messages.atLeast(20)]);
      assert.deepEqual(
        called,
        Array.from({ length: 20 }, (_, i) => i),
      );
      assert.deepEqual(
        messages.items,
        called.map((i) => `${i}`),
      );
    });

    it(`come one by one, where each sends the next: ${way}`, async (t) => {
      const { client, socket } = await connect(await start(t));
      const messages = collect(client, 'message');
      for (const text of ['a', 'b', 'c']) {
        await new Promise((resolve) => socket.send(text, {}, resolve));
      }
      assert.deepEqual(await messages.atLeast(3), ['a', 'b', 'c']);
    });

    it(`come for text and bytes alike, and get the transport: ${way}`, async (t) => {
      const { socket } = await connect(await start(t));
      const transports = await Promise.all(
        ['text', Buffer.from('bytes'), new Uint8Array(3)].map(
          (data) => new Promise((resolve) => socket.send(data, resolve)),
        ),
      );
      assert.deepEqual(
        transports.map((transport) => transport === socket.transport),
        [true, true, true],
      );
    });

    it(`come also for messages without, in between: ${way}`, async (t) => {
      const { client, socket } = await connect(await start(t));
      const order = [];
      client.on('message', (data) => order.push(data));
      socket.send('a', () => order.push('called a'));
      socket.send('b');
      await new Promise((resolve) => socket.send('c', () => resolve(order.push('called c'))));
      assert.ok(order.indexOf('called a') < order.indexOf('called c'));
    });
  }

  it('come in the order of packets across an upgrade', async (t) => {
    const fixture = await start(t);
    const connection = next(fixture.engine, 'connection');
    const client = fixture.client({ transports: ['polling', 'websocket'] });
    const messages = collect(client, 'message');
    const [socket] = await connection;
    const called = [];
    let sent = 0;
    const send = () => {
      const i = sent++;
      socket.send(`${i}`, () => called.push(i));
    };
    send();
    socket.once('upgrading', send);
    const upgraded = next(socket, 'upgrade');
    socket.once('upgrade', send);
    await upgraded;
    await new Promise((resolve) => socket.send('last', resolve));
    assert.deepEqual(called, [0, 1, 2]);
    assert.deepEqual(await messages.atLeast(4), ['0', '1', '2', 'last']);
  });

  it('do not come where the connection ends first', async (t) => {
    const { client, socket } = await (await start(t)).pair();
    const closed = next(socket, 'close');
    client.transport.ws.terminate();
    await closed;
    let called = false;
    socket.send('late', () => (called = true));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(called, false);
  });

  it('hear of each packet when it is made', async (t) => {
    const { client, socket } = await (await start(t)).pair();
    const made = collect(socket, 'packetCreate', ({ type, data }) => [type, data]);
    const messages = collect(client, 'message');
    socket.send('a');
    socket.send('b', { compress: false });
    assert.deepEqual(made.items, [
      ['message', 'a'],
      ['message', 'b'],
    ]);
    assert.deepEqual(await messages.atLeast(2), ['a', 'b']);
  });

  it('hear of each packet that comes', async (t) => {
    const { client, socket } = await (await start(t, { pingInterval: 20, pingTimeout: 60_000 })).pair();
    const packets = collect(socket, 'packet', ({ type, data }) => [type, data]);
    client.send('a');
    const heard = await packets.atLeast(2);
    assert.deepEqual(
      heard.find(([type]) => type === 'message'),
      ['message', 'a'],
    );
    await next(socket, 'heartbeat');
  });

  it('hear when packets leave, and when they have left', async (t) => {
    const fixture = await start(t);
    const { client, socket } = await fixture.pair();
    const events = [];
    for (const [name, emitter] of Object.entries({ socket, engine: fixture.engine })) {
      for (const event of ['flush', 'drain']) emitter.on(event, () => events.push(`${event} of ${name}`));
    }
    const message = next(client, 'message');
    socket.send('a');
    await message;
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(
      new Set(events),
      new Set(['flush of socket', 'flush of engine', 'drain of socket', 'drain of engine']),
    );
    assert.ok(events.indexOf('flush of socket') < events.indexOf('drain of socket'));
    assert.equal(socket.writeBuffer.length, 0);
  });

  it('hear of the packets that leave', async (t) => {
    const fixture = await start(t);
    const { client, socket } = await fixture.pair();
    const flushed = collect(socket, 'flush', (packets) => packets.map(({ data }) => data));
    const engines = collect(fixture.engine, 'flush', (one, packets) => [one === socket, packets.length > 0]);
    const messages = collect(client, 'message');
    for (const data of ['a', 'b', 'c']) socket.send(data);
    await messages.atLeast(3);
    assert.deepEqual(flushed.items.flat(), ['a', 'b', 'c']);
    assert.ok(engines.items.every(([same, some]) => same && some));
  });

  it('see what waits for a client that takes nothing', async (t) => {
    const options = ours ? { wsEngine: WebSocketServer.with({ maxBufferedAmount: 100_000_000 }) } : {};
    const { client, socket } = await (await start(t, options)).pair();
    client.transport.ws.pause();
    const data = 'x'.repeat(100_000);
    // More than kernels take.
    const sent = 400;
    let called = 0;
    const messages = collect(client, 'message');
    for (let i = 0; i < sent; i++) socket.send(data, () => called++);
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(called < sent);
    assert.equal(socket.transport.writable, false);
    assert.ok(socket.transport.socket.bufferedAmount > 0);
    const last = new Promise((resolve) => socket.send('last', resolve));
    client.transport.ws.resume();
    await last;
    assert.equal(called, sent);
    const all = await messages.atLeast(sent + 1);
    assert.ok(all.every((each, i) => each === (i === sent ? 'last' : data)));
    assert.equal(socket.transport.socket.bufferedAmount, 0);
  });
});
