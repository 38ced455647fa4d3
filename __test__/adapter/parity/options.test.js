'use strict';

/** The adapter's options, and parsers that the server and the application bring along. */

const assert = require('node:assert/strict');
const { describe } = require('node:test');
const msgpack = require('@msgpack/msgpack');
const notepack = require('notepack.io');
const msgpackParser = require('socket.io-msgpack-parser');
const socketIoParser = require('socket.io-parser');
const {
  PAIRS,
  SENDING,
  SINGLES,
  adapterTest,
  describeAdapterClusters,
  skipReason,
  withAdapterCluster,
} = require('../../support/adapter-cluster');
const { startAdapterNode } = require('../../support/adapter-node');
const { ANSWER, LIMIT } = require('../../support/limits');

const bytes = (...values) => Buffer.from(values);

/** @type {Record<string, { encode(value: any): any, decode(message: Buffer): any }>} */
const PARSERS = {
  '@msgpack/msgpack': {
    encode: (value) => Buffer.from(msgpack.encode(value)),
    decode: (message) => msgpack.decode(message),
  },
  JSON: { encode: (value) => JSON.stringify(value), decode: (message) => JSON.parse(message.toString()) },
  'one that nobody else reads': {
    encode: (value) => Buffer.concat([bytes(0xc1), notepack.encode(value)]),
    decode(message) {
      assert.equal(message[0], 0xc1);
      return notepack.decode(message.subarray(1));
    },
  },
};

/**
 * Broadcasts, answers and requests, both ways.
 * @param {import('../../support/adapter-cluster').AdapterCluster} cluster
 * @param {any} payload
 * @param {import('../../support/adapter-client').ClientOptions} [options]
 */
async function exchange(cluster, payload, options) {
  const [a, b] = cluster.nodes;
  const clients = [await cluster.connect(a, '/', options), await cluster.connect(b, '/', options)];
  for (const client of clients) {
    await cluster.join(client, 'room', 1);
    client.answers('ask', (value) => [value, client.node === a]);
  }
  const expected = [
    ['news', payload],
    ['news', 'room', payload],
    ['news', 1],
  ];
  for (const { io } of [a, b]) {
    io.emit('news', payload);
    io.to('room').emit('news', 'room', payload);
    io.to(1).emit('news', 1);
    io.except('room').emit('news', 'nobody');
    io.emit('end');
    for (const client of clients) assert.deepEqual(await client.until('end'), expected);
  }
  for (const { io } of [a, b]) {
    const answers = await io.timeout(ANSWER).emitWithAck('ask', payload);
    assert.deepEqual(
      answers.sort(([, first], [, second]) => first - second),
      [
        [payload, false],
        [payload, true],
      ],
    );
    assert.equal((await io.in('room').fetchSockets()).length, 2);
  }
}

for (const [name, parser] of Object.entries(PARSERS)) {
  describeAdapterClusters(
    `parser ${name}`,
    SENDING,
    (cluster) => {
      adapterTest('everything crosses', () => exchange(cluster, { text: 'ä', list: [1, null, { x: -1.5 }] }));
      if (name !== 'JSON')
        adapterTest('with binary parts', () => exchange(cluster, { part: bytes(1, 2), more: [bytes()] }));
    },
    { opts: { parser } },
  );
}

describeAdapterClusters(
  'another key',
  SENDING,
  (cluster) => {
    adapterTest('everything crosses', () => exchange(cluster, { part: bytes(1) }));

    adapterTest('is another cluster', async () => {
      const [a, b] = cluster.nodes;
      const there = await cluster.connect(b);
      for (const key of [undefined, 'my', 'my app#']) {
        const stranger = await startAdapterNode({ adapter: 'official-redis', redis: cluster.redis, opts: { key } });
        try {
          stranger.io.emit('never');
          stranger.io.socketsJoin('never');
          assert.equal(await stranger.adapter().serverCount(), 1);
          assert.equal((await stranger.io.fetchSockets()).length, 0);
        } finally {
          await stranger.stop();
        }
      }
      assert.equal(await a.adapter().serverCount(), 2);
      a.io.emit('end');
      assert.deepEqual(await there.until('end'), []);
      assert.deepEqual(there.peer.rooms, new Set([there.id]));
    });
  },
  { opts: { key: 'my app' } },
);

describeAdapterClusters(
  'socket.io-msgpack-parser',
  SENDING,
  (cluster) => {
    for (const transport of /** @type {('polling' | 'websocket')[]} */ (['websocket', 'polling'])) {
      const options = { parser: msgpackParser, transports: [transport] };
      adapterTest(`text (${transport})`, () => exchange(cluster, { text: 'ä', list: [1, null] }, options));
      adapterTest(`binary (${transport})`, () => exchange(cluster, { part: bytes(1, 2), list: [bytes()] }, options));
    }
  },
  { serverOptions: { parser: msgpackParser } },
);

/** A parser of the application's: as Socket.IO's, but for a replacer. */
const shouting = {
  Encoder: class extends socketIoParser.Encoder {
    constructor() {
      super((_key, value) => (value === 'quiet' ? 'LOUD' : value));
    }
  },
  Decoder: socketIoParser.Decoder,
};

describeAdapterClusters(
  "a server's own parser",
  SENDING,
  (cluster) => {
    adapterTest('encodes what its clients get', async () => {
      const [a, b] = cluster.nodes;
      const [here, there] = [await cluster.connect(a), await cluster.connect(b)];
      a.io.emit('news', 'quiet', { part: bytes(1), word: 'quiet' });
      for (const client of [here, there])
        assert.deepEqual(await client.event('news'), ['LOUD', { part: bytes(1), word: 'LOUD' }]);
    });
  },
  { serverOptions: { parser: shouting } },
);

for (const parsers of [
  [msgpackParser, undefined],
  [undefined, msgpackParser],
]) {
  const title = `${parsers.map((parser) => (parser ? 'socket.io-msgpack-parser' : 'the default parser')).join(' and ')}`;
  describeAdapterClusters(
    title,
    PAIRS,
    (cluster) => {
      adapterTest('servers of both understand each other', async () => {
        const clients = [];
        for (const [i, parser] of parsers.entries()) {
          clients.push(await cluster.connect(cluster.nodes[i], '/', parser ? { parser } : {}));
          clients[i].answers('ask', (value) => [i, value]);
        }
        for (const { io } of cluster.nodes) {
          io.emit('news', 'ä', bytes(1));
          for (const client of clients) assert.deepEqual(await client.event('news'), ['ä', bytes(1)]);
          assert.deepEqual((await io.timeout(ANSWER).emitWithAck('ask', bytes(2))).sort(), [
            [0, bytes(2)],
            [1, bytes(2)],
          ]);
        }
      });
    },
    parsers.map((parser) => ({ serverOptions: parser ? { parser } : {} })),
  );
}

describe('options', LIMIT, () => {
  for (const kinds of SINGLES) {
    describe(kinds[0], { skip: skipReason(kinds) }, () => {
      const read = async (opts) => {
        let found;
        await withAdapterCluster(kinds, { opts, asGiven: true }, async ({ nodes: [node] }) => {
          const { requestsTimeout, publishOnSpecificResponseChannel, parser } = node.adapter();
          found = { requestsTimeout, publishOnSpecificResponseChannel, parser };
        });
        return /** @type {any} */ (found);
      };

      adapterTest('left out, empty, zero', async () => {
        for (const opts of [undefined, {}, { requestsTimeout: 0, key: '' }]) {
          const { parser, ...rest } = await read(opts);
          assert.deepEqual(rest, { requestsTimeout: 5000, publishOnSpecificResponseChannel: false });
          const value = ['uid', { type: 2, data: ['x', bytes(1)], nsp: '/' }, { rooms: [], except: [], flags: {} }];
          assert.deepEqual(parser.decode(Buffer.from(parser.encode(value))), value);
        }
      });

      adapterTest('set', async () => {
        const parser = PARSERS.JSON;
        const opts = { requestsTimeout: 1234, publishOnSpecificResponseChannel: true, parser };
        assert.deepEqual(await read(opts), opts);
      });
    });
  }
});
