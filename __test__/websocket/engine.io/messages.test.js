'use strict';

/** Messages in both directions: of all kinds, in their order, over each transport and across an upgrade. */

const assert = require('node:assert/strict');
const { it } = require('node:test');
const { collect, describeEach, next } = require('./fixture');

const TEXTS = ['a', 'cash money €€€', '\u{1f680} κόσμε', '\ufeffx', '\0', 'x'.repeat(125), 'y'.repeat(70_000)];

/** One of each kind, with the bytes 1 to 8 in it. */
function binaries() {
  const bytes = Uint8Array.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).buffer;
  const part = bytes.slice(1, 9);
  return {
    Buffer: Buffer.from(part),
    ArrayBuffer: part,
    Uint8Array: new Uint8Array(bytes, 1, 8),
    Int8Array: new Int8Array(bytes, 1, 8),
    Uint8ClampedArray: new Uint8ClampedArray(bytes, 1, 8),
    Int16Array: new Int16Array(part),
    Uint16Array: new Uint16Array(part),
    Int32Array: new Int32Array(part),
    Uint32Array: new Uint32Array(part),
    Float32Array: new Float32Array(part),
    Float64Array: new Float64Array(part),
    BigInt64Array: new BigInt64Array(part),
    DataView: new DataView(bytes, 1, 8),
  };
}
const BYTES = Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]);

describeEach('Engine.IO messages', {}, (start) => {
  /** Ways to a pair of which the transport is a WebSocket in the end. */
  const WAYS = {
    'a WebSocket': async (t) => (await start(t)).pair(),
    'an upgraded client': async (t) => (await start(t)).upgradedPair(),
  };

  for (const [way, connect] of Object.entries(WAYS)) {
    it(`come to ${way}`, async (t) => {
      const { client, socket } = await connect(t);
      const messages = collect(client, 'message');
      for (const text of TEXTS) socket.send(text);
      assert.deepEqual(await messages.atLeast(TEXTS.length), TEXTS);
    });

    it(`come from ${way}`, async (t) => {
      const { client, socket } = await connect(t);
      const messages = collect(socket, 'message');
      const data = collect(socket, 'data');
      for (const text of TEXTS) client.send(text);
      assert.deepEqual(await messages.atLeast(TEXTS.length), TEXTS);
      assert.deepEqual(data.items, TEXTS);
    });

    it(`of bytes come to ${way}`, async (t) => {
      const { client, socket } = await connect(t);
      const messages = collect(client, 'message');
      const all = Object.entries(binaries());
      for (const [, data] of all) socket.send(data);
      for (const [i, message] of (await messages.atLeast(all.length)).entries()) {
        assert.ok(Buffer.isBuffer(message), all[i][0]);
        assert.deepEqual(message, BYTES, all[i][0]);
      }
    });

    it(`of bytes come from ${way}`, async (t) => {
      const { client, socket } = await connect(t);
      const messages = collect(socket, 'message');
      const all = Object.entries(binaries());
      for (const [, data] of all) client.send(data);
      for (const [i, message] of (await messages.atLeast(all.length)).entries()) {
        assert.ok(Buffer.isBuffer(message), all[i][0]);
        assert.deepEqual(message, BYTES, all[i][0]);
      }
    });
  }

  it('of bytes come as ArrayBuffers where the client wants them', async (t) => {
    const { client, socket } = await (await start(t)).pair();
    client.binaryType = 'arraybuffer';
    const message = next(client, 'message');
    socket.send(BYTES);
    const [data] = await message;
    assert.ok(data instanceof ArrayBuffer);
    assert.deepEqual(Buffer.from(data), BYTES);
  });

  it('of bytes come as what the WebSocket of the server is set to', async (t) => {
    const { client, socket } = await (await start(t)).pair();
    const webSocket = socket.transport.socket;
    webSocket.binaryType = 'arraybuffer';
    const [message, raw] = [next(socket, 'message'), next(webSocket, 'message')];
    client.send(BYTES);
    assert.ok((await raw)[0] instanceof ArrayBuffer);
    // Engine.IO 6.0 hands it on as it is.
    assert.deepEqual(Buffer.from((await message)[0]), BYTES);
  });

  it('are empty, or not there', async (t) => {
    const { client, socket } = await (await start(t)).pair();
    const heard = [collect(client, 'message'), collect(socket, 'message')];
    for (const [i, sender] of [socket, client].entries()) {
      sender.send('');
      sender.send(Buffer.alloc(0));
      sender.send('end');
      const [first, second, third] = await heard[i].atLeast(3);
      assert.ok(!first);
      assert.deepEqual([second.length, third], [0, 'end']);
    }
  });

  it('of text and of bytes keep their order, and are long', async (t) => {
    const { client, socket } = await (await start(t)).pair();
    const sent = Array.from({ length: 300 }, (_, i) =>
      i % 3 === 0 ? Buffer.alloc(i * 300, i) : `${i}`.padEnd(i % 7 ? i : i * 500, 'x'),
    );
    const heard = [collect(client, 'message'), collect(socket, 'message')];
    for (const data of sent) {
      socket.send(data);
      client.send(data);
    }
    for (const { atLeast } of heard.map((each) => ({ atLeast: () => each.atLeast(sent.length) }))) {
      assert.deepEqual(await atLeast(), sent);
    }
  });

  it('are of a megabyte', async (t) => {
    const { client, socket } = await (await start(t, { maxHttpBufferSize: 5_000_000 })).pair();
    const data = Buffer.alloc(4_000_000, 'abc');
    const heard = [next(client, 'message'), next(socket, 'message')];
    socket.send(data.toString());
    client.send(data);
    assert.deepEqual(await heard[0], [data.toString()]);
    assert.deepEqual(await heard[1], [data]);
  });

  it('are sent by all that hear of the connection', async (t) => {
    const fixture = await start(t);
    fixture.engine.on('connection', (socket) => {
      socket.send('a');
      socket.send('b');
      socket.write('c');
    });
    const client = fixture.client();
    assert.deepEqual(await collect(client, 'message').atLeast(3), ['a', 'b', 'c']);
  });

  it('are sent in answers at once, ten thousand times', async (t) => {
    const { client, socket } = await (await start(t)).pair();
    socket.on('message', (data) => socket.send(data));
    const answers = collect(client, 'message');
    const sent = Array.from({ length: 10_000 }, (_, i) => `${i}`);
    for (const data of sent) client.send(data);
    assert.deepEqual(await answers.atLeast(sent.length), sent);
  });

  it('keep their order across an upgrade, both ways', async (t) => {
    const fixture = await start(t);
    const connection = next(fixture.engine, 'connection');
    const client = fixture.client({ transports: ['polling', 'websocket'] });
    const toClient = collect(client, 'message');
    const [socket] = await connection;
    const toServer = collect(socket, 'message');
    const upgraded = Promise.all([next(socket, 'upgrade'), next(client, 'upgrade')]);
    const state = { done: false };
    upgraded.then(() => (state.done = true));
    let sent = 0;
    // As long as it takes, and some more.
    for (let behind = 0; behind < 20; behind += state.done ? 1 : 0) {
      socket.send(`${sent}`);
      if (sent % 5 === 0) socket.send(Buffer.from(`${sent}`));
      client.send(`${sent}`);
      sent++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    const numbers = Array.from({ length: sent }, (_, i) => `${i}`);
    const withBytes = numbers.flatMap((text, i) => (i % 5 === 0 ? [text, Buffer.from(text)] : [text]));
    assert.deepEqual(await toServer.atLeast(numbers.length), numbers);
    assert.deepEqual(await toClient.atLeast(withBytes.length), withBytes);
    assert.equal(socket.transport.name, 'websocket');
  });

  it('are sent with whatever `compress` says', async (t) => {
    const { client, socket } = await (await start(t)).pair();
    const messages = collect(client, 'message');
    for (const compress of [true, false, undefined]) socket.send('x'.repeat(2000), { compress });
    assert.deepEqual(await messages.atLeast(3), Array(3).fill('x'.repeat(2000)));
  });

  it('count as signs of life', async (t) => {
    const { client, socket } = await (await start(t, { pingInterval: 20, pingTimeout: 60_000 })).pair();
    await Promise.all([next(socket, 'heartbeat'), next(client, 'ping')]);
    await next(socket, 'heartbeat');
  });
});
