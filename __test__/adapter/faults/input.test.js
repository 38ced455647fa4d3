'use strict';

/** What no server would send, on the channels that servers listen to. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const notepack = require('notepack.io');
const { awaitResponses, broadcast, createFixture } = require('./fixture');
const { catchUncaught } = require('../../support/uncaught');
const { LIMIT, PATIENCE } = require('../../support/limits');

const pack = (value) => notepack.encode(value);
const text = (value) => Buffer.from(JSON.stringify(value));

/** Bytes that look random and are the same each time. */
function noise(count) {
  let seed = 7;
  const next = () => (seed = (seed * 48_271) % 2_147_483_647);
  return Array.from({ length: count }, () => Buffer.from(Array.from({ length: next() % 60 }, () => next() % 256)));
}

/** A message without its last bytes, in all lengths. */
const truncated = (message) => Array.from({ length: message.length }, (_, i) => message.subarray(0, i));

const PACKET = { type: 2, data: ['lost'], nsp: '/chat' };
const OPTS = { rooms: [], except: [], flags: {} };
/** Valid, and of no shape that means something. */
const SHAPES = [
  null,
  undefined,
  true,
  0,
  7,
  -1.5,
  '',
  'text',
  [],
  {},
  [[]],
  [null],
  ['uid'],
  ['uid', null],
  ['uid', null, null],
  ['uid', PACKET],
  ['uid', PACKET, null],
  ['uid', PACKET, 7],
  ['uid', PACKET, []],
  ['uid', PACKET, { rooms: 7 }],
  ['uid', PACKET, { rooms: { a: 1 } }],
  ['uid', PACKET, { rooms: ['nobody'], except: 'x' }],
  ['uid', PACKET, { rooms: ['nobody'], flags: 'x' }],
  ['uid', 7, OPTS],
  ['uid', 'packet', OPTS],
  ['uid', [], OPTS],
  ['uid', {}, OPTS],
  ['uid', { nsp: '/chat' }, { rooms: ['nobody'] }],
  ['uid', { nsp: 7 }, OPTS],
  ['uid', { nsp: '/chat', type: 'x', data: 7 }, { ...OPTS, rooms: ['nobody'] }],
  ['uid', { ...PACKET, nsp: '/other' }, OPTS],
  [7, PACKET, { ...OPTS, rooms: ['nobody'] }],
  [null, PACKET, { ...OPTS, rooms: ['nobody'] }],
  [{}, { ...PACKET, data: null }, { rooms: ['nobody'] }],
  ['uid', PACKET, { rooms: [null, {}, [], 1.5], except: [null, {}] }],
  Array(100).fill(null),
];

/** Requests that lack something, or have it wrong. */
const REQUESTS = [
  null,
  7,
  'text',
  [],
  {},
  { type: 99 },
  { type: '2' },
  { type: null },
  { requestId: 'x' },
  { type: {}, requestId: {} },
  ...[0, 1, 2, 3, 4, 5, 6, 7, 'count', 'ids']
    .flatMap((type) => [
      { type },
      { type, requestId: 'x' },
      { type, uid: 7, requestId: 7 },
      { type, requestId: 'x', opts: null },
      { type, requestId: 'x', opts: 7 },
      { type, requestId: 'x', opts: {}, rooms: 7 },
      { type, requestId: 'x', opts: { rooms: 7, except: 7 } },
      { type, requestId: 'x', opts: { rooms: ['nobody'], except: null }, rooms: null },
      { type, requestId: 'x', rooms: { a: 1 } },
      { type, requestId: 'x', sid: {}, room: null },
      { type, uid: 'x', data: 7 },
      { type, uid: 'x', requestId: 'x', data: null },
      { type, uid: 'x', data: [] },
      { type, requestId: 'x', packet: null, opts: { rooms: ['nobody'] } },
      { type, requestId: 'x', packet: 7, opts: { rooms: ['nobody'], except: [] } },
    ])
    .filter(({ type, opts }) => !(type === 4 && opts && opts.rooms?.[0] !== 'nobody')), // which means all sockets
];

const RESPONSES = [
  null,
  7,
  'text',
  [],
  {},
  { requestId: 'unknown' },
  { requestId: null },
  { requestId: {} },
  { requestId: 'unknown', sockets: 7 },
  { requestId: 'unknown', sockets: [null] },
  { requestId: 'unknown', type: 8, clientCount: 1 },
  { requestId: 'unknown', type: 9, packet: null },
  { requestId: '__proto__' },
  { requestId: 'constructor' },
  { type: 8 },
  { type: 9 },
];

const GARBAGE = [
  ...['', '{', '}', '{"', '{"type":', '{]', '{\u0000}', 'null', 'undefined', '[', '[]', '"', '{"requestId":"x"'].map(
    (each) => Buffer.from(each),
  ),
  Buffer.from([0x7b, 0xff, 0xfe]),
  Buffer.from([0xc1]),
  Buffer.from([0xdf, 0xff, 0xff, 0xff, 0xff]),
  Buffer.from([0xdd, 0x7f, 0xff, 0xff, 0xff]),
  Buffer.from([0xc6, 0xff, 0xff, 0xff, 0xff]),
  Buffer.alloc(5000, 0x91),
  ...noise(100),
];

const ROOM = 'socket.io#/chat#room#';
const both = (values) => values.flatMap((value) => [pack(value), ...(value === undefined ? [] : [text(value)])]);

/** What goes where. @param {string} uid of the node */
function harm(uid) {
  const response = 'socket.io-response#/chat#';
  const broadcasts = [...GARBAGE, ...both(SHAPES), ...truncated(broadcast(['lost'], { nsp: '/chat' }))];
  const requests = [
    ...GARBAGE,
    ...both(REQUESTS),
    ...both(SHAPES),
    ...truncated(text({ type: 5, opts: OPTS })),
    ...truncated(pack({ type: 1 })),
  ];
  const responses = [...GARBAGE, ...both(RESPONSES), ...both(SHAPES)];
  return [
    ['socket.io#/chat#', broadcasts],
    [ROOM, broadcasts],
    ['socket.io#/chat##', broadcasts.slice(0, 40)],
    ['socket.io-request#/chat#', requests],
    ['socket.io-native#/chat#', requests],
    [response, responses],
    [`${response}${uid}#`, responses],
  ];
}

/** How many messages of each channel cannot even be decoded. */
function undecodable(messages) {
  return messages.filter((message) => {
    try {
      if (message[0] === 0x7b) JSON.parse(message.toString());
      else notepack.decode(message);
      return false;
    } catch {
      return true;
    }
  }).length;
}

/** Publishes all of it, in order, and something valid to each after it. */
async function send(fixture, list) {
  const client = fixture.redisClient();
  for (const [channel, messages] of list)
    await Promise.all(messages.map((message) => client.publish(channel, message)));
}

/** What the node and its client have to do as ever. */
async function assertWell(fixture, node, peer, client, far) {
  const { io, adapter } = { io: node.io.of('/chat'), adapter: node.adapter('/chat') };
  assert.equal(client.peer.connected, true);
  assert.deepEqual((await io.fetchSockets()).map(({ id }) => id).sort(), [client.id, far.id].sort());
  assert.equal(await adapter.countSockets(), 2);
  assert.equal(await adapter.serverCount(), 2);
  assert.deepEqual((await peer.io.of('/chat').fetchSockets()).map(({ id }) => id).sort(), [client.id, far.id].sort());
  client.answers('ask', () => 'here');
  far.answers('ask', () => 'there');
  assert.deepEqual((await peer.io.of('/chat').timeout(PATIENCE).emitWithAck('ask')).sort(), ['here', 'there']);
  peer.io.of('/chat').to('room').emit('well');
  await client.event('well');
}

const FLAVOURS = {
  'text in the standard way': {},
  'subscriptionMode dynamic': { opts: { subscriptionMode: 'dynamic' } },
  'a parser of the application': {
    opts: { parser: { encode: (value) => notepack.encode(value), decode: (bytes) => notepack.decode(bytes) } },
  },
};

describe('malformed messages', LIMIT, () => {
  for (const [title, { opts }] of Object.entries(FLAVOURS)) {
    for (const kind of ['broadcasts', 'requests', 'responses']) {
      it(`${title}: ${kind} throw nothing, are counted, and the node works on`, async (t) => {
        const fixture = await createFixture(t);
        const warn = t.mock.method(console, 'warn', () => {});
        /** @type {unknown[]} */
        const uncaught = [];
        const keep = (error) => uncaught.push(error);
        process.on('uncaughtException', keep);
        t.after(() => process.removeListener('uncaughtException', keep));
        const settings = { namespaces: ['/chat'], opts: { requestsTimeout: PATIENCE, ...opts } };
        const node = await fixture.node(settings);
        const peer = await fixture.node({ ...settings, opts: { ...settings.opts } });
        const [client, far] = [await fixture.client(node, '/chat'), await fixture.client(peer, '/chat')];
        await Promise.all([client.peer.join('room'), far.peer.join('room')]);
        const wanted = { broadcasts: /^socket\.io#/, requests: /-(request|native)#/, responses: /-response#/ }[kind];
        const list = harm(node.adapter('/chat').uid).filter(([channel]) => wanted.test(channel));
        const before = node.adapter().stats();
        if (kind === 'responses') awaitResponses(node.adapter('/chat'));
        await send(fixture, list);
        await assertWell(fixture, node, peer, client, far);
        assert.deepEqual(
          uncaught.map((error) => error.stack),
          [],
        );
        const least = list.reduce((sum, [, messages]) => sum + undecodable(messages), 0);
        const { malformed } = node.adapter().stats();
        assert.ok(least > 50 && malformed - before.malformed >= least, `${malformed} of at least ${least} counted`);
        const errors = node.eventLog('/chat').all('error');
        assert.ok(errors.some(({ code }) => code === 'ERR_MALFORMED_MESSAGE'));
        assert.deepEqual(
          [...new Set(errors.map(({ code }) => code))],
          ['ERR_MALFORMED_MESSAGE'],
          'whatever is told has this code',
        );
        assert.ok(errors.length < 20, `told ${errors.length} times`);
        assert.equal(warn.mock.callCount(), 0);
      });
    }
  }

  it('each kind is counted', async (t) => {
    const fixture = await createFixture(t);
    const node = await fixture.node({ namespaces: ['/chat'] });
    const client = await fixture.client(node, '/chat');
    const { stats } = { stats: () => node.adapter().stats().malformed };
    awaitResponses(node.adapter('/chat'));
    const cases = [
      ['socket.io#/chat#', Buffer.from([0xc1])],
      ['socket.io#/chat#', pack(7)],
      ['socket.io#/chat#', pack(null)],
      ['socket.io#/chat#', broadcast(['x'], { nsp: '/chat' }).subarray(0, 20)],
      ['socket.io-request#/chat#', Buffer.from('{')],
      ['socket.io-native#/chat#', Buffer.from('{"type"')],
      ['socket.io-request#/chat#', Buffer.from([0xc1])],
      ['socket.io-response#/chat#', Buffer.from('{]')],
      [`socket.io-response#/chat#${node.adapter('/chat').uid}#`, Buffer.from([0xc1])],
    ];
    const counts = [];
    for (const [channel, message] of cases) {
      const before = stats();
      await fixture.publish(channel, message);
      await fixture.publish('socket.io#/chat#', broadcast(['end'], { nsp: '/chat' }));
      assert.deepEqual(await client.until('end'), []);
      counts.push(stats() - before);
    }
    assert.deepEqual(
      counts,
      cases.map(() => 1),
    );
  });
});

describe('what the application throws is an uncaught exception, and no error of ours', LIMIT, () => {
  /** What each kind of its functions is called by. */
  const cases = {
    'a listener of serverSideEmit': (a, b, boom) => {
      b.io.on('ask', boom);
      a.io.serverSideEmit('ask');
    },
    'the acknowledgement of serverSideEmit': (a, b, boom) => {
      b.io.on('ask', (done) => done('b'));
      a.io.serverSideEmit('ask', boom);
    },
    'the acknowledgement of a broadcast': (a, b, boom, far) => {
      far.answers('ask', () => 'far');
      a.io.timeout(PATIENCE).emit('ask', boom);
    },
    'a listener of what goes out': (a, b, boom, far) => {
      far.peer.onAnyOutgoing(boom);
      a.io.emit('news');
    },
  };
  for (const [title, run] of Object.entries(cases)) {
    for (const [flavour, { opts }] of Object.entries(FLAVOURS)) {
      if (flavour.includes('dynamic')) continue;
      it(`${title}, ${flavour}`, async (t) => {
        const fixture = await createFixture(t);
        const [a, b] = [await fixture.node({ opts }), await fixture.node({ opts })];
        const far = await fixture.client(b);
        const uncaught = new Promise((resolve) => catchUncaught(t, resolve));
        const boom = () => {
          throw new Error('of the application');
        };
        const called = new Promise((resolve) => {
          run(
            a,
            b,
            () => {
              setImmediate(resolve);
              return boom();
            },
            far,
          );
        });
        const first = await Promise.race([
          uncaught,
          called.then(
            () =>
              new Promise((resolve) => {
                setImmediate(resolve);
              }),
          ),
        ]);
        assert.equal(first?.message, 'of the application', 'it is swallowed');
        for (const node of [a, b]) {
          assert.deepEqual(node.eventLog().all('error'), []);
          assert.equal(node.adapter().stats().malformed, 0);
        }
      });
    }
  }
});
