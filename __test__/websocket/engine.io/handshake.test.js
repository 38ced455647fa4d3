'use strict';

/** How WebSockets begin: who is let in, under which identity, and what the others are told. */

const assert = require('node:assert/strict');
const { it } = require('node:test');
const { OPCODES, frame } = require('../../support/raw-websocket');
const { describeEach, next } = require('./fixture');

const WEBSOCKET = 'EIO=4&transport=websocket';

/** Requests that are refused before the upgrade: the query, the status, and what `connection_error` says. */
const REFUSED = /** @type {const} */ ([
  ['EIO=4&transport=tobi', 400, 0, 'Transport unknown'],
  ['EIO=4&transport=__proto__', 400, 0, 'Transport unknown'],
  ['EIO=4&transport=constructor', 400, 0, 'Transport unknown'],
  ['EIO=4', 400, 0, 'Transport unknown'],
  [`${WEBSOCKET}&sid=unknown`, 400, 1, 'Session ID unknown'],
  [`${WEBSOCKET}&sid=__proto__`, 400, 1, 'Session ID unknown'],
]);

describeEach('Engine.IO handshakes', {}, (start, { ours, isOld }) => {
  it('opens with what the server is set to', async (t) => {
    const { engine, ...fixture } = await startWith(t, { pingInterval: 12_345, pingTimeout: 54_321 });
    const client = fixture.ws(WEBSOCKET);
    const [data, isBinary] = await next(client, 'message');
    assert.equal(isBinary, false);
    assert.equal(String(data)[0], '0');
    const { sid, upgrades, pingInterval, pingTimeout } = JSON.parse(String(data).slice(1));
    assert.deepEqual(
      { upgrades, pingInterval, pingTimeout },
      { upgrades: [], pingInterval: 12_345, pingTimeout: 54_321 },
    );
    assert.deepEqual(Object.keys(engine.clients), [sid]);
    assert.equal(engine.clientsCount, 1);
  });

  /** A fixture whose methods can be taken apart. */
  async function startWith(t, options) {
    const fixture = await start(t, options);
    return { engine: fixture.engine, ws: fixture.ws.bind(fixture) };
  }

  it('greets with a packet', async (t) => {
    const fixture = await start(t, { initialPacket: 'faster!' });
    const client = fixture.client();
    assert.deepEqual(await next(client, 'message'), ['faster!']);
  });

  it('counts clients', async (t) => {
    const { engine, ...fixture } = await start(t).then((it) => ({ engine: it.engine, pair: it.pair.bind(it) }));
    const [first, second] = [await fixture.pair(), await fixture.pair()];
    assert.equal(engine.clientsCount, 2);
    assert.deepEqual(new Set(Object.keys(engine.clients)), new Set([first.client.id, second.client.id]));
    const closed = next(first.socket, 'close');
    first.client.close();
    await closed;
    assert.equal(engine.clientsCount, 1);
    assert.deepEqual(Object.keys(engine.clients), [second.client.id]);
  });

  it('takes identities of the application', async (t) => {
    const fixture = await start(t);
    const ids = ['now', Promise.resolve('later')];
    fixture.engine.generateId = (req) => {
      assert.equal(req._query.transport, 'websocket');
      return ids.shift();
    };
    for (const id of ['now', 'later']) {
      const { client, socket } = await fixture.pair();
      assert.deepEqual([client.id, socket.id, fixture.engine.clients[id]], [id, id, socket]);
    }
  });

  it('keeps what comes while an identity is made', async (t) => {
    const fixture = await start(t);
    /** @type {(id: string) => void} */
    let make = () => {};
    const asked = new Promise((resolve) => {
      fixture.engine.generateId = () => {
        resolve(undefined);
        return new Promise((done) => (make = done));
      };
    });
    const connection = next(fixture.engine, 'connection');
    const raw = await fixture.raw(WEBSOCKET, { head: frame(OPCODES.text, '4early') });
    raw.send(frame(OPCODES.text, '4soon'));
    await asked;
    fixture.engine.once('connection', (socket) => socket.on('message', (data) => socket.send(`echo ${data}`)));
    make('late');
    const [socket] = await connection;
    assert.equal(socket.id, 'late');
    const texts = [];
    // What came before anybody listened, ws loses: the messages behind it come in order.
    raw.send(frame(OPCODES.text, '4now'));
    while (texts.at(-1) !== '4echo now') texts.push((await raw.next()).payload.toString());
    assert.match(texts[0], /^0/);
  });

  it('refuses where no identity can be made, behind the 101', async (t) => {
    const fixture = await start(t);
    fixture.engine.generateId = () => Promise.reject(new Error('nope'));
    const refused = next(fixture.engine, 'connection_error');
    const client = fixture.client();
    const [[failure], [error]] = await Promise.all([refused, next(client, 'error')]);
    assert.deepEqual([failure.code, failure.message, failure.context.name], [3, 'Bad request', 'ID_GENERATION_ERROR']);
    assert.equal(error.type, 'TransportError');
    assert.equal(fixture.engine.clientsCount, 0);
  });

  it('refuses by the check of the application', async (t) => {
    const fixture = await start(t, { allowRequest: (_req, done) => done('Thou shall not pass', false) });
    const refused = next(fixture.engine, 'connection_error');
    const raw = await fixture.raw(WEBSOCKET);
    assert.equal(raw.status, 400);
    const [{ code, message, context }] = await refused;
    assert.deepEqual([code, message, context.message], [4, 'Forbidden', 'Thou shall not pass']);
    const [error] = await next(fixture.client(), 'error');
    assert.equal(error.type, 'TransportError');
  });

  it('lets in by the check of the application, later', async (t) => {
    const fixture = await start(t, { allowRequest: (_req, done) => setImmediate(done, null, true) });
    const { client, socket } = await fixture.pair();
    const message = next(socket, 'message');
    client.send('hi');
    assert.deepEqual(await message, ['hi']);
  });

  // Engine.IO 6.0 takes the code 0 for none, and looks at what all objects have.
  const refused = REFUSED.filter(([query, , code]) => !isOld || (code > 0 && !query.includes('__proto__')));
  for (const [query, status, code, message] of refused) {
    it(`refuses ${query}`, async (t) => {
      const fixture = await start(t);
      const refused = next(fixture.engine, 'connection_error');
      const raw = await fixture.raw(query);
      assert.equal(raw.status, status);
      const [error] = await refused;
      assert.deepEqual([error.code, error.message], [code, message]);
      await raw.closed();
    });
  }

  it('refuses an older protocol, unless it is allowed', async (t) => {
    const fixture = await start(t);
    const refused = next(fixture.engine, 'connection_error');
    const client = fixture.ws('EIO=3&transport=websocket');
    const gone = new Promise((resolve) => client.on('error', () => {}).on('close', resolve));
    const [{ code, message }] = await refused;
    assert.deepEqual([code, message], [5, 'Unsupported protocol version']);
    await gone;
  });

  it('refuses a WebSocket that is none', async (t) => {
    const fixture = await start(t);
    const raw = await fixture.raw(WEBSOCKET, { headers: { 'Sec-WebSocket-Key': 'short' } });
    assert.equal(raw.status, 400);
    await raw.closed();
    const { client } = await fixture.pair();
    assert.equal(client.readyState, 'open');
  });

  it('survives garbage with the request of an upgrade', async (t) => {
    const fixture = await start(t);
    const { sid } = JSON.parse((await (await fixture.fetch('EIO=4&transport=polling')).text()).slice(1));
    const raw = await fixture.raw(`${WEBSOCKET}&sid=${sid}`, { head: Buffer.from('test') });
    await raw.closed();
    assert.deepEqual(Object.keys(fixture.engine.clients), [sid]);
  });

  it('knows the address and the request', async (t) => {
    const fixture = await start(t);
    const { socket } = await fixture.pair({ query: { a: 'b' }, extraHeaders: { 'x-token': 'c' } });
    assert.equal(socket.remoteAddress, '127.0.0.1');
    const { _query: query, headers, connection } = socket.request;
    assert.deepEqual([query.a, query.EIO, query.transport, headers['x-token']], ['b', '4', 'websocket', 'c']);
    assert.equal(connection.remoteAddress, '127.0.0.1');
    assert.equal(connection.localPort, fixture.port);
    assert.equal(socket.transport.socket._socket.remoteAddress, '127.0.0.1');
    assert.equal(socket.transport.name, 'websocket');
    assert.equal(socket.transport.supportsBinary, true);
  });

  it('does not compress', async (t) => {
    const fixture = await start(t);
    const { client } = await fixture.pair();
    assert.equal(client.transport.ws.extensions, '');
  });

  it('leaves other paths to others', async (t) => {
    const fixture = await start(t, { destroyUpgradeTimeout: 1 });
    const raw = await fixture.raw(WEBSOCKET, { path: '/elsewhere' });
    assert.equal(raw.head, '');
    assert.equal(await raw.closed(), 'end');
  });

  it('can begin to listen again', async (t) => {
    const fixture = await start(t);
    const { client } = await fixture.pair();
    const closed = next(client, 'close');
    fixture.engine.close();
    await closed;
    const ended = next(fixture.http, 'close');
    fixture.http.close();
    await ended;
    await fixture.listen();
    const again = await fixture.pair();
    const message = next(again.client, 'message');
    again.socket.send('again');
    assert.deepEqual(await message, ['again']);
    if (ours) assert.equal(fixture.engine.ws.stats().native, 1);
  });

  if (!isOld) {
    // With Engine.IO 6.0 and ws, the process dies of it.
    it('survives garbage with the request', async (t) => {
      const fixture = await start(t);
      const raw = await fixture.raw(WEBSOCKET, { head: Buffer.from('test') });
      await raw.closed();
      const { client } = await fixture.pair();
      assert.equal(client.readyState, 'open');
    });

    it('takes a path without its slash', async (t) => {
      const fixture = await start(t, { addTrailingSlash: false });
      const raw = await fixture.raw('', { path: `/engine.io?${WEBSOCKET}` });
      assert.equal(raw.status, 101);
      assert.match((await raw.next()).payload.toString(), /^0\{/);
    });
  }
});
