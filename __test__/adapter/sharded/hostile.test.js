'use strict';

/**
 * Every field of every message of the sharded wire wrong in every way: nothing is thrown, and what is good among
 * them still arrives, in order.
 */

process.env.ADAPTER_WIRE = 'sharded';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const net = require('node:net');
const { describe, it } = require('node:test');
const notepack = require('notepack.io');
const messagePackParser = require('socket.io-msgpack-parser');
const { encodeCommand } = require('../../../dev/resp');
const { withAdapterCluster } = require('../../support/adapter-cluster');
const { LIMIT, SHORT } = require('../../support/limits');
const { Random } = require('../differential/random');
const { atRandom, oneAtATime } = require('../faults/hostile-messages');

const CHANNEL = 'socket.io#/#';
const BATCH = 1000;
const RANDOM = 10_000;

const head = { uid: 'peer', nsp: '/' };
const requestId = 'request';
const packet = { type: 2, data: ['evil', 1, { a: [Buffer.from('x')] }] };
const opts = { rooms: ['here', 'there'], except: ['elsewhere'], flags: { volatile: false, compress: true } };
const nobody = { ...opts, rooms: ['nobody'] };
const handshake = { headers: { host: 'x' }, time: 'now', address: '::1', query: { EIO: '4' }, auth: {} };

const BROADCASTS = [{ type: 3, data: { packet, opts }, ...head }];
const REQUESTS = [
  { type: 3, data: { packet, opts, requestId }, ...head },
  ...[4, 5].map((type) => ({ type, data: { opts: nobody, rooms: ['joined', 5] }, ...head })),
  { type: 7, data: { opts, requestId }, ...head },
  { type: 9, data: { packet: ['evil', 1, { a: [] }] }, ...head },
  { type: 9, data: { packet: ['evil', 1, { a: [] }], requestId }, ...head },
  ...['count', 'ids', 'rooms'].map((type) => ({ type, data: { opts, requestId }, ...head })),
];
/** @param {string} requestId */
function responsesTo(requestId) {
  return [
    { type: 8, data: { requestId, sockets: [{ id: 'id', handshake, rooms: ['id'], data: { a: [1] } }] }, ...head },
    { type: 10, data: { requestId, packet: { a: ['answer'] } }, ...head },
    { type: 11, data: { requestId, clientCount: 1 }, ...head },
    { type: 12, data: { requestId, packet: ['answer'] }, ...head },
    { type: 'count', data: { requestId, count: 1 }, ...head },
    { type: 'rooms', data: { requestId, rooms: ['one', 2] }, ...head },
  ];
}

/** All of it one at a time, and some at random. @returns {Generator<[channel: string, message: Buffer]>} */
function* harm({ uid, requests }) {
  const random = new Random(12);
  const channels = [CHANNEL, `${CHANNEL}here#`, 'socket.io-native#/#'];
  const own = [`${CHANNEL}${uid}#`, CHANNEL];
  const awaited = () => [...requests.keys()].at(-1) ?? 'none';
  for (const message of oneAtATime([...BROADCASTS, ...REQUESTS])) yield [random.pick(channels), message];
  for (const message of oneAtATime(responsesTo(awaited()))) yield [random.pick(own), message];
  for (let left = RANDOM; left > 0;) {
    const some = atRandom([...BROADCASTS, ...REQUESTS], random);
    const responses = atRandom(responsesTo(awaited()), random);
    for (let i = 0; i < 300; i++, left -= 2) {
      yield [random.pick(channels), some.next().value];
      yield [random.pick(own), responses.next().value];
    }
  }
}

/**
 * Whether a message beside binary holds what stands in for an attachment: to clients it is one that is missing, as
 * with the official adapters and on the other wire, and they disconnect.
 * @param {Buffer} message
 */
function isPlaceholder(message) {
  return message[0] !== 0x7b && message.includes('_placeholder');
}

/** Asks again and again, also where nobody answers. */
async function keepAsking({ io }, isOver) {
  while (!isOver()) {
    await io.fetchSockets().catch(() => {});
    await new Promise((resolve) => io.serverSideEmit('question', resolve));
  }
}

describe('hostile messages', LIMIT, () => {
  for (const [title, parser] of /** @type {[string, any][]} */ ([
    ['of sockets whose packets are text', undefined],
    ['of sockets whose packets are MessagePack', messagePackParser],
  ])) {
    it(title, async () => {
      const settings = { opts: { requestsTimeout: SHORT }, serverOptions: parser ? { parser } : {} };
      await withAdapterCluster(['native', 'official-ioredis'], settings, async (cluster) => {
        const [node, silent] = cluster.nodes;
        const client = await cluster.connect(node, '/', { parser });
        await cluster.join(client, 'here');
        silent.freeze();
        const socket = net.connect(cluster.redis.port, '127.0.0.1').resume();
        await once(socket, 'connect');
        let isOver = false;
        const asking = keepAsking(node, () => isOver);
        let sent = 0;
        const send = async (/** @type {[string, Buffer][]} */ batch) => {
          sent += batch.length;
          const good = { type: 3, data: { packet: { type: 2, data: ['good', sent] }, opts: { rooms: [] } }, ...head };
          const all = [...batch, [CHANNEL, sent % 2 ? JSON.stringify(good) : notepack.encode(good)]];
          socket.write(
            Buffer.concat(
              all.map(([channel, message]) => encodeCommand('SPUBLISH', channel, /** @type {any} */ (message))),
            ),
          );
          const heard = await client.until('good');
          assert.ok(heard.every(([event]) => event !== 'connect' && event !== 'disconnect'));
          assert.equal(client.peer.connected, true);
        };
        /** @type {[string, Buffer][]} */
        const batch = [];
        try {
          for (const message of harm(node.adapter())) {
            if (isPlaceholder(message[1])) continue;
            batch.push(message);
            if (batch.length === BATCH) await send(batch.splice(0));
          }
          await send(batch);
        } finally {
          isOver = true;
          socket.destroy();
          await asking;
        }
        const { malformed, internalErrors } = node.adapter().stats();
        assert.ok(malformed > sent / 10, `${malformed} of ${sent} are malformed`);
        assert.equal(internalErrors, 0);
        assert.deepEqual([...new Set(node.problems)], ['ERR_MALFORMED_MESSAGE']);
      });
    });
  }
});
