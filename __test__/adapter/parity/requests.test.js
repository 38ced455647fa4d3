'use strict';

/** Requests as they stand on the wire: of older servers, of servers that never answer, and nonsense. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { describe } = require('node:test');
const notepack = require('notepack.io');
const {
  PAIRS,
  SENDING,
  SINGLES,
  adapterTest,
  describeAdapterClusters,
  skipReason,
  withAdapterCluster,
} = require('../../support/adapter-cluster');
const { isNative } = require('../../support/adapter-node');
const { LIMIT, SHORT } = require('../../support/limits');
const { closed } = require('../../support/ws-engine');

const REQUESTS = 'socket.io-request#/chat#';
const RESPONSES = 'socket.io-response#/chat#';
/** What a request or a broadcast may not look like. Each ends in nothing. @type {(string | Buffer)[]} */
const NONSENSE = [
  '',
  '{',
  '{}',
  'nonsense',
  '[]',
  'null',
  '{"type":99}',
  '{"type":"2"}',
  '{"requestId":"x"}',
  Buffer.from([0xc1]),
  Buffer.from([0xff, 0xfe]),
  Buffer.from([0x93, 0x01]),
  notepack.encode({}),
  notepack.encode({ type: 99, requestId: 'x' }),
  notepack.encode(7),
];

/** @param {Buffer} message */
const parse = (message) => JSON.parse(message.toString());

describeAdapterClusters(
  'requests of older servers',
  SINGLES,
  (cluster) => {
    /**
     * @param {import('../../support/client-inbox').Inbox} inbox
     * @param {string} requestId
     */
    const responseTo = async (inbox, requestId) =>
      parse(await inbox.take((message) => parse(message).requestId === requestId));
    /** What the node answers: ours also says who it is. @param {object} response */
    const own = (response) => {
      const [node] = cluster.nodes;
      return node.native ? { ...response, uid: node.adapter('/chat').uid } : response;
    };
    /** @param {object} request */
    const ask = (request) => cluster.publish(REQUESTS, JSON.stringify(request));

    adapterTest('join, leave and disconnect one socket', async () => {
      const [node] = cluster.nodes;
      const inbox = await cluster.spy(RESPONSES);
      const client = await cluster.connect(node, '/chat');
      await ask({ requestId: 'one', type: 2, sid: client.id, room: 'room' });
      assert.deepEqual(await responseTo(inbox, 'one'), own({ requestId: 'one' }));
      assert.deepEqual([...client.peer.rooms], [client.id, 'room']);
      await ask({ uid: 'older', requestId: 'two', type: 3, sid: client.id, room: 'room' });
      assert.deepEqual(await responseTo(inbox, 'two'), own({ requestId: 'two' }));
      assert.deepEqual([...client.peer.rooms], [client.id]);
      await ask({ requestId: 'three', type: 4, sid: client.id, close: false });
      assert.deepEqual(await responseTo(inbox, 'three'), own({ requestId: 'three' }));
      assert.equal(await client.gone(), 'server namespace disconnect');
    });

    adapterTest('disconnect one socket and close its connection', async () => {
      const [node] = cluster.nodes;
      const inbox = await cluster.spy(RESPONSES);
      const client = await cluster.connect(node, '/chat');
      const main = await cluster.connect(node, '/', { manager: client.manager });
      await ask({ requestId: 'one', type: 4, sid: client.id, close: true });
      assert.deepEqual(await responseTo(inbox, 'one'), own({ requestId: 'one' }));
      await Promise.all([client.gone(), main.gone()]);
      await closed(main.peer.conn);
    });

    adapterTest('of a socket that is elsewhere, nothing is said', async () => {
      const inbox = await cluster.spy(RESPONSES);
      for (const type of [2, 3, 4]) await ask({ requestId: 'one', type, sid: 'elsewhere', room: 'room', close: true });
      await ask({ requestId: 'end', type: 1 });
      assert.deepEqual((await inbox.through(() => true)).map(parse), [own({ requestId: 'end', rooms: [] })]);
    });

    adapterTest('which sockets, and which rooms', async () => {
      const [node] = cluster.nodes;
      const inbox = await cluster.spy(RESPONSES);
      const [one, two] = [await cluster.connect(node, '/chat'), await cluster.connect(node, '/chat')];
      await cluster.join(one, 'room', 7);
      await ask({ requestId: 'one', type: 0, rooms: [] });
      const { sockets, ...rest } = await responseTo(inbox, 'one');
      assert.deepEqual([sockets.sort(), rest], [[one.id, two.id].sort(), own({ requestId: 'one' })]);
      await ask({ requestId: 'two', type: 0, rooms: ['room', 'nobody'] });
      assert.deepEqual(await responseTo(inbox, 'two'), own({ requestId: 'two', sockets: [one.id] }));
      await cluster.publish(REQUESTS, notepack.encode({ uid: 'older', requestId: 'three', type: 1 }));
      const { rooms } = await responseTo(inbox, 'three');
      assert.deepEqual(rooms.sort(), [one.id, two.id, 'room', 7].sort());
    });

    adapterTest('a request without an id of its own is carried out', async () => {
      const [node] = cluster.nodes;
      const client = await cluster.connect(node, '/chat');
      const heard = once(node.io.of('/chat'), 'heard');
      await ask({ type: 2, opts: { rooms: [client.id] }, rooms: ['one', 'two'] });
      await ask({ type: 3, opts: { rooms: [], except: ['nobody'] }, rooms: ['one'] });
      await ask({ type: 6, uid: 'emitter', data: ['heard'] });
      await heard;
      assert.deepEqual([...client.peer.rooms], [client.id, 'two']);
    });
  },
  { namespaces: ['/chat'] },
);

describeAdapterClusters(
  'responses go where the requester hears them',
  SINGLES,
  (cluster) => {
    adapterTest('with publishOnSpecificResponseChannel, to the requester alone', async () => {
      const inbox = await cluster.spy(`${RESPONSES}asker#`);
      await cluster.publish(REQUESTS, JSON.stringify({ uid: 'asker', requestId: 'one', type: 1 }));
      const { requestId, rooms } = parse(await inbox.take(() => true));
      assert.deepEqual([requestId, rooms], ['one', []]);
    });
  },
  { namespaces: ['/chat'], opts: { publishOnSpecificResponseChannel: true } },
);

describeAdapterClusters(
  'responses to a requester with a channel of its own',
  SINGLES.filter(([kind]) => kind.startsWith('native')),
  (cluster) => {
    adapterTest('go there alone, once it is known; those to others go to all', async () => {
      const [own, all] = [await cluster.spy(`${RESPONSES}asker#`), await cluster.spy(RESPONSES)];
      const ask = (/** @type {any} */ request) => cluster.publish(REQUESTS, JSON.stringify({ type: 1, ...request }));
      await ask({ uid: 'asker', requestId: 'first' });
      assert.equal(parse(await all.take(() => true)).requestId, 'first');
      let isKnown = false;
      own.take(() => true).then(() => (isKnown = true));
      for (let i = 0; !isKnown; i++) {
        await ask({ uid: 'asker', requestId: `again ${i}` });
        await cluster.settled();
      }
      await ask({ uid: 'asker', requestId: 'last' });
      await own.take((message) => parse(message).requestId === 'last');
      await ask({ uid: 'deaf', requestId: 'end' });
      const shared = (await all.through((message) => parse(message).requestId === 'end')).map(parse);
      assert.ok(!shared.some(({ requestId }) => requestId === 'last'));
    });
  },
  { namespaces: ['/chat'] },
);

/** @param {string[]} problems what of it one of our servers has told */
function assertMalformed(problems) {
  assert.deepEqual(
    [...new Set(problems)].filter((code) => code !== 'ERR_MALFORMED_MESSAGE'),
    [],
  );
}

describeAdapterClusters(
  'nonsense',
  SENDING,
  (cluster) => {
    adapterTest('harms nothing, on whatever channel', async () => {
      const [a, b] = cluster.nodes;
      const [here, there] = [await cluster.connect(a, '/chat'), await cluster.connect(b, '/chat')];
      const { uid } = b.adapter('/chat');
      const channels = [REQUESTS, RESPONSES, `${RESPONSES}${uid}#`];
      for (const channel of channels) for (const message of NONSENSE) await cluster.publish(channel, message);
      a.io.of('/chat').emit('end');
      assert.deepEqual(await there.until('end'), []);
      assert.equal((await a.io.of('/chat').fetchSockets()).length, 2);
      assert.equal((await b.io.of('/chat').fetchSockets()).length, 2);
      assert.deepEqual(await here.until('end'), []);
      for (const { problems } of cluster.nodes) assertMalformed(problems);
    });
  },
  { namespaces: ['/chat'] },
);

/** The official adapter does not survive these. @type {[string, string | Buffer][]} */
const DEADLY = [
  ...[
    'null',
    '{"type":5,"requestId":"x"}',
    '{"type":2,"opts":7}',
    '{"type":2,"opts":{"rooms":[]},"rooms":7}',
    '{"type":6}',
    '{"type":6,"data":7}',
    '{"type":7,"requestId":"x","packet":null,"opts":null}',
  ].map((text) => [REQUESTS, text]),
  ...['{"requestId":{}}', '{"requestId":"x","sockets":7}', notepack.encode(null)].map((message) => [
    RESPONSES,
    message,
  ]),
  [REQUESTS, notepack.encode(null)],
  [REQUESTS, notepack.encode({ type: 7, requestId: 'x', packet: 1, opts: { rooms: 1 } })],
  ...[
    ...NONSENSE,
    notepack.encode(['uid']),
    notepack.encode(['uid', null, null]),
    notepack.encode([1, { nsp: '/chat' }]),
    notepack.encode(['uid', { type: 2, data: 7, nsp: '/chat' }, { rooms: 7, except: {}, flags: 'x' }]),
  ].map((message) => ['socket.io#/chat#', message]),
];

describeAdapterClusters(
  'nonsense that only ours survives',
  SINGLES.filter(([kind]) => isNative(kind)),
  (cluster) => {
    adapterTest('harms nothing', async () => {
      const [node] = cluster.nodes;
      const there = await cluster.connect(node, '/chat');
      for (const [channel, message] of DEADLY) await cluster.publish(channel, message);
      await cluster.publish(
        'socket.io#/chat#',
        notepack.encode(['uid', { type: 2, data: ['end'], nsp: '/chat' }, { rooms: [], except: [], flags: {} }]),
      );
      assert.deepEqual(await there.until('end'), []);
      assert.equal(there.peer.connected, true);
      assertMalformed(node.problems);
      assert.ok(node.problems.length > 0);
    });
  },
  { namespaces: ['/chat'] },
);

describe('a server that does not answer', { concurrency: true, ...LIMIT }, () => {
  for (const kind of new Set(PAIRS.map(([sender]) => sender))) {
    describe(kind, { skip: skipReason([kind]) }, () => {
      adapterTest('ends requests with an error, once requestsTimeout is over', async () => {
        /** @type {import('../../support/adapter-node').Kind[]} */
        const kinds = [kind, 'official-ioredis', 'official-ioredis'];
        await withAdapterCluster(kinds, { opts: { requestsTimeout: SHORT } }, async (cluster) => {
          const [a, b, frozen] = cluster.nodes;
          b.io.on('ask', (done) => done('b'));
          frozen.freeze();
          await Promise.all([
            assert.rejects(a.io.fetchSockets(), { message: 'timeout reached while waiting for fetchSockets response' }),
            assert.rejects(a.adapter().allRooms(), { message: 'timeout reached while waiting for allRooms response' }),
            assert.rejects(a.io.serverSideEmitWithAck('ask'), {
              message: 'timeout reached: only 1 responses received out of 2',
              responses: ['b'],
            }),
          ]);
          const here = await cluster.connect(a);
          here.answers('ask', () => 'here');
          await assert.rejects(a.io.timeout(SHORT).emitWithAck('ask'), {
            message: 'operation has timed out',
            responses: ['here'],
          });
        });
      });

      adapterTest('is not waited for once it has gone', async () => {
        await withAdapterCluster([kind, 'official-ioredis'], {}, async (cluster) => {
          const [a, frozen] = cluster.nodes;
          frozen.freeze();
          await frozen.stop();
          await cluster.settled();
          assert.deepEqual(await a.io.fetchSockets(), []);
          assert.deepEqual(await a.io.serverSideEmitWithAck('ask'), []);
          assert.equal(await a.adapter().serverCount(), 1);
        });
      });
    });
  }
});

for (const specific of [
  [true, true],
  [true, false],
  [false, true],
]) {
  describeAdapterClusters(
    `publishOnSpecificResponseChannel ${specific.join(' and ')}`,
    PAIRS,
    (cluster) => {
      adapterTest('every request is answered, both ways', async () => {
        const [a, b] = cluster.nodes;
        const [here, there] = [await cluster.connect(a), await cluster.connect(b)];
        for (const node of [a, b]) {
          node.io.on('ask', (done) => done('answer'));
          assert.equal((await node.io.fetchSockets()).length, 2);
          assert.deepEqual(
            await node.adapter().allRooms(),
            new Set([node === a ? [here.id, there.id] : [there.id, here.id]].flat()),
          );
        }
        for (const node of [a, b]) assert.deepEqual(await node.io.serverSideEmitWithAck('ask'), ['answer']);
      });
    },
    specific.map((publishOnSpecificResponseChannel) => ({ opts: { publishOnSpecificResponseChannel } })),
  );
}
