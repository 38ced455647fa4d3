'use strict';

/** What is of HTTP: headers, cookies, CORS, middleware, upgrades of polling, and clients of the protocol before. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { it } = require('node:test');
const { WebSocketServer } = require('../../..');
const { collect, describeEach, next } = require('./fixture');

const WEBSOCKET = 'EIO=4&transport=websocket';
const POLLING = 'EIO=4&transport=polling';

describeEach('Engine.IO and HTTP', {}, (start, { ours, isOld }) => {
  /** Connects by polling, by hand. */
  async function poll(fixture, options) {
    const response = await fixture.fetch(POLLING, options);
    return { response, ...JSON.parse((await response.text()).slice(1)) };
  }

  it('adds headers to the 101', async (t) => {
    const fixture = await start(t);
    const initial = [];
    fixture.engine.on('initial_headers', (headers, req) => {
      initial.push(req._query.transport);
      headers['X-Initial'] = 'a';
    });
    fixture.engine.on('headers', (headers) => (headers['X-Always'] = 'b'));
    const raw = await fixture.raw(WEBSOCKET);
    assert.match(raw.head, /\r\nX-Initial: a\r\n/);
    assert.match(raw.head, /\r\nX-Always: b(\r\n|$)/);
    assert.deepEqual(initial, ['websocket']);
  });

  it('adds headers of every answer to an upgrade, and no initial ones', async (t) => {
    const fixture = await start(t);
    const initial = collect(fixture.engine, 'initial_headers', (_headers, req) => req._query.transport);
    fixture.engine.on('headers', (headers, req) => (headers['X-For'] = req._query.transport));
    const { sid, response } = await poll(fixture);
    assert.equal(response.headers.get('x-for'), 'polling');
    const raw = await fixture.raw(`${WEBSOCKET}&sid=${sid}`);
    assert.match(raw.head, /\r\nX-For: websocket(\r\n|$)/);
    assert.deepEqual(initial.items, ['polling']);
  });

  it('sends cookies by polling, and takes the upgrade of who has one', async (t) => {
    const fixture = await start(t, { cookie: { name: 'woot', path: '/custom', sameSite: 'strict' } });
    const { sid, response } = await poll(fixture);
    assert.equal(response.headers.get('set-cookie'), `woot=${sid}; Path=/custom; HttpOnly; SameSite=Strict`);
    const raw = await fixture.raw(`${WEBSOCKET}&sid=${sid}`, { headers: { Cookie: `woot=${sid}` } });
    assert.equal(raw.status, 101);
  });

  it('answers other origins', async (t) => {
    const cors = { origin: ['http://good.example'], credentials: true };
    const fixture = await start(t, { cors });
    const { response } = await poll(fixture, { headers: { Origin: 'http://good.example' } });
    assert.equal(response.headers.get('access-control-allow-origin'), 'http://good.example');
    const { client, socket } = await fixture.pair({ extraHeaders: { Origin: 'http://good.example' } });
    const message = next(client, 'message');
    socket.send('hi');
    assert.deepEqual(await message, ['hi']);
  });

  it('upgrades', async (t) => {
    const fixture = await start(t);
    const connection = next(fixture.engine, 'connection');
    const client = fixture.client({ transports: ['polling', 'websocket'] });
    const [socket] = await connection;
    const events = ['upgrading', 'upgrade'].map((event) => collect(socket, event, ({ name }) => name));
    assert.equal(socket.transport.name, 'polling');
    const request = socket.request;
    const [transport] = await next(client, 'upgrade');
    assert.equal(transport.name, 'websocket');
    await events[1].atLeast(1);
    assert.deepEqual(
      events.map(({ items }) => items),
      [['websocket'], ['websocket']],
    );
    assert.deepEqual([socket.transport.name, socket.upgraded, socket.upgrading], ['websocket', true, false]);
    assert.equal(socket.request, request);
    assert.equal(fixture.engine.clientsCount, 1);
  });

  it('does not upgrade where it may not', async (t) => {
    const fixture = await start(t, { allowUpgrades: false });
    const { sid, upgrades } = await poll(fixture);
    assert.deepEqual(upgrades, []);
    const { client, socket } = await fixture.pair({ transports: ['polling', 'websocket'] });
    const message = next(client, 'message');
    socket.send('a');
    assert.deepEqual(await message, ['a']);
    assert.equal(socket.transport.name, 'polling');
    assert.ok(sid);
  });

  it('closes WebSockets that do not complete their upgrade', async (t) => {
    const fixture = await start(t, { upgradeTimeout: 20 });
    const { sid } = await poll(fixture);
    const client = fixture.ws(`${WEBSOCKET}&sid=${sid}`);
    const [code] = await once(client, 'close');
    assert.equal(code, 1005);
    const socket = fixture.engine.clients[sid];
    assert.deepEqual([socket.readyState, socket.upgrading, socket.transport.name], ['open', false, 'polling']);
  });

  it('answers the probe, and goes on by polling where nothing follows', async (t) => {
    const fixture = await start(t, { upgradeTimeout: 200 });
    const { sid } = await poll(fixture);
    const client = fixture.ws(`${WEBSOCKET}&sid=${sid}`);
    await once(client, 'open');
    const answer = once(client, 'message');
    client.send('2probe');
    assert.equal(String((await answer)[0]), '3probe');
    await once(client, 'close');
    const socket = fixture.engine.clients[sid];
    socket.send('still');
    const text = await (await fixture.fetch(`${POLLING}&sid=${sid}`)).text();
    assert.ok(text.split('\x1e').includes('4still') || text === '6');
  });

  it('closes the upgrade by what is no probe', async (t) => {
    const fixture = await start(t);
    const { sid } = await poll(fixture);
    const client = fixture.ws(`${WEBSOCKET}&sid=${sid}`);
    await once(client, 'open');
    const closed = once(client, 'close');
    client.send('4message');
    await closed;
    assert.equal(fixture.engine.clients[sid].readyState, 'open');
  });

  it('takes one upgrade at a time', async (t) => {
    const fixture = await start(t);
    const { sid } = await poll(fixture);
    const first = fixture.ws(`${WEBSOCKET}&sid=${sid}`);
    await once(first, 'open');
    const second = fixture.ws(`${WEBSOCKET}&sid=${sid}`);
    await once(second, 'close');
    const answer = once(first, 'message');
    first.send('2probe');
    assert.equal(String((await answer)[0]), '3probe');
    first.send('5');
    await next(fixture.engine.clients[sid], 'upgrade');
    const third = fixture.ws(`${WEBSOCKET}&sid=${sid}`);
    await once(third, 'close');
    assert.equal(fixture.engine.clients[sid].readyState, 'open');
  });

  it('closes while it upgrades', async (t) => {
    const fixture = await start(t);
    const connection = next(fixture.engine, 'connection');
    const client = fixture.client({ transports: ['polling', 'websocket'] });
    const [socket] = await connection;
    await next(socket, 'upgrading');
    const closed = [next(socket, 'close'), next(client, 'close')];
    socket.close();
    await Promise.all(closed);
    assert.equal(fixture.engine.clientsCount, 0);
  });

  it('loses the client while it upgrades', async (t) => {
    const fixture = await start(t, { pingInterval: 50, pingTimeout: 50 });
    const { sid } = await poll(fixture);
    const client = fixture.ws(`${WEBSOCKET}&sid=${sid}`);
    await once(client, 'open');
    const socket = fixture.engine.clients[sid];
    const closed = next(socket, 'close');
    client.terminate();
    // It polls, and does not answer pings.
    while ((await fixture.fetch(`${POLLING}&sid=${sid}`)).ok);
    assert.equal((await closed)[0], 'ping timeout');
  });

  it('serves clients of the protocol before', async (t) => {
    const fixture = await start(t, { allowEIO3: true, maxHttpBufferSize: 1000 });
    const connection = next(fixture.engine, 'connection');
    const client = fixture.ws('EIO=3&transport=websocket');
    const opened = once(client, 'open');
    const packets = collect(client, 'message', (data, isBinary) => (isBinary ? data : String(data)));
    const [socket] = await connection;
    await opened;
    assert.equal(socket.protocol, 3);
    const messages = collect(socket, 'message');
    client.send('2');
    client.send('4text');
    client.send(Buffer.from([4, 1, 2]));
    socket.send('answer');
    socket.send(Buffer.from([3, 4]));
    const [open, ...others] = await packets.atLeast(4);
    assert.equal(open[0], '0');
    assert.deepEqual(
      new Set(others.map((each) => (typeof each === 'string' ? each : each.toString('hex')))),
      new Set(['3', '4answer', '040304']),
    );
    assert.deepEqual(await messages.atLeast(2), ['text', Buffer.from([1, 2])]);
    const closed = next(socket, 'close');
    client.close();
    assert.deepEqual((await closed)[0], 'transport close');
  });

  it('serves clients of the protocol before that take no bytes', async (t) => {
    const fixture = await start(t, { allowEIO3: true });
    const connection = next(fixture.engine, 'connection');
    const client = fixture.ws('EIO=3&transport=websocket&b64=1');
    const opened = once(client, 'open');
    const packets = collect(client, 'message', (data) => String(data));
    const [socket] = await connection;
    await opened;
    const message = next(socket, 'message');
    client.send('b4AQI=');
    assert.deepEqual(await message, [Buffer.from([1, 2])]);
    socket.send(Buffer.from([3, 4]));
    assert.equal((await packets.atLeast(2))[1], 'b4AwQ=');
  });

  if (!isOld) {
    it('asks middleware', async (t) => {
      const fixture = await start(t);
      const order = [];
      fixture.engine.use((req, res, done) => {
        order.push(req._query.transport);
        res.setHeader('X-Middleware', 'yes');
        setImmediate(done);
      });
      fixture.engine.use((_req, res, done) => {
        order.push(res.getHeader('X-Middleware'));
        done();
      });
      const raw = await fixture.raw(WEBSOCKET);
      assert.match(raw.head, /\r\nX-Middleware: yes(\r\n|$)/);
      assert.deepEqual(order, ['websocket', 'yes']);
      const { client } = await fixture.upgradedPair();
      assert.equal(client.readyState, 'open');
    });

    it('lets middleware refuse', async (t) => {
      const fixture = await start(t);
      fixture.engine.use((_req, _res, done) => done(new Error('no')));
      const refused = next(fixture.engine, 'connection_error');
      const raw = await fixture.raw(WEBSOCKET);
      assert.equal(raw.status, 400);
      assert.equal((await refused)[0].context.name, 'MIDDLEWARE_FAILURE');
    });

    it('lets middleware hang up', async (t) => {
      const fixture = await start(t);
      fixture.engine.use((_req, res) => res.writeHead(503) || res.end());
      const [error] = await next(fixture.client(), 'error');
      assert.equal(error.type, 'TransportError');
      assert.equal(fixture.engine.clientsCount, 0);
    });
  }

  if (ours) {
    it('takes a WebSocketServer with options', async (t) => {
      const fixture = await start(t, { wsEngine: WebSocketServer.with({ maxBufferedAmount: 1_000_000 }) });
      const { client, socket } = await fixture.pair();
      const message = next(client, 'message');
      socket.send('hi');
      assert.deepEqual(await message, ['hi']);
      assert.equal(fixture.engine.ws.stats().native, 1);
    });

    it('counts what is native', async (t) => {
      const fixture = await start(t);
      const [first] = [await fixture.pair(), await fixture.upgradedPair()];
      assert.equal(fixture.engine.ws.stats().native, 2);
      assert.equal(fixture.engine.ws.stats().ws, 0);
      const closed = next(first.socket, 'close');
      first.client.close();
      await closed;
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(fixture.engine.ws.stats().native, 1);
    });
  }
});
