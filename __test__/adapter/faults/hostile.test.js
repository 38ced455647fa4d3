'use strict';

/**
 * Every field of every message wrong in every way, one at a time and several at random: nothing is thrown, nothing
 * grows, and what is good among them keeps its order. The numbers are those of three servers together.
 */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const net = require('node:net');
const { describe, it } = require('node:test');
const v8 = require('node:v8');
const vm = require('node:vm');
const notepack = require('notepack.io');
const messagePackParser = require('socket.io-msgpack-parser');
const { awaitResponses, createFixture } = require('./fixture');
const { BROADCAST, REQUESTS, atRandom, oneAtATime, responsesTo } = require('./hostile-messages');
const { encodeCommand } = require('../../../dev/resp');
const { Inbox } = require('../../support/client-inbox');
const { LIMIT } = require('../../support/limits');
const { Random } = require('../differential/random');

/** How many messages are published before a good one is. */
const BATCH = 1000;
/** What may be held more after all messages than after a third of them, in bytes. */
const GROWTH = 16 * 1024 * 1024;

/** A parser of the application: JSON. */
const parser = {
  encode: (/** @type {any} */ message) => Buffer.from(JSON.stringify(message)),
  decode: (/** @type {Buffer} */ bytes) => JSON.parse(bytes.toString()),
};

const SERVERS = {
  'text in the standard way': { random: 95_000 },
  'a parser of the application': { random: 15_000, settings: { opts: { parser } }, encode: parser.encode },
  'a parser of Socket.IO that is not text': { random: 15_000, settings: { server: { parser: messagePackParser } } },
};

/** Publishes many messages at once. */
async function publisher(t, port) {
  const socket = net.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.resume();
  t.after(() => socket.destroy());
  return (messages) =>
    socket.write(Buffer.concat(messages.map(([channel, message]) => encodeCommand('PUBLISH', channel, message))));
}

/**
 * Gets uncaught exceptions in the place of the test runner.
 * @returns {unknown[]} those that there were
 */
function uncaughtIn(t) {
  const uncaught = /** @type {unknown[]} */ ([]);
  const keep = (/** @type {any} */ error) => uncaught.push(error?.stack ?? error);
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', keep);
  t.after(() => {
    process.removeListener('uncaughtException', keep);
    for (const other of others) process.on('uncaughtException', other);
  });
  return uncaught;
}

/** The event's name and its number, of a packet as text. */
function parse(text) {
  const [, event, number] = /^2\["(good)",(\d+)\]/.exec(text) ?? [];
  return [event, Number(number)];
}

/** A socket that does what it is asked for as far as that can be seen to be right. */
function attach(node, id, got) {
  const nsp = node.io.of('/');
  const isName = (/** @type {unknown} */ room) => typeof room !== 'object' || room === null;
  const socket = {
    id,
    handshake: { auth: {} },
    rooms: new Set([id, 'here']),
    data: {},
    acks: new Map(),
    join: (rooms) => assert.ok([rooms].flat().every(isName)),
    leave: (room) => assert.ok([room].flat().every(isName)),
    disconnect: (close) => assert.equal(typeof close, 'boolean'),
    notifyOutgoingListeners: ({ data: [event] }) => assert.ok(['string', 'number'].includes(typeof event)),
    client: {
      writeToEngine: ([first]) => {
        const [event, number] = typeof first === 'string' ? parse(first) : notepack.decode(first).data;
        if (event === 'good') got.push(['broadcast', number]);
      },
    },
  };
  nsp.sockets.set(id, socket);
  nsp.adapter.addAll(id, socket.rooms);
  return socket;
}

/** Has a server wait for responses of each kind, again when it has them. */
function keepAsking(node, isOver) {
  const nsp = node.io.of('/');
  const again = async (/** @type {() => Promise<any>} */ ask) => {
    while (!isOver()) check(await ask().catch(() => []));
  };
  const check = (/** @type {any} */ answer) => {
    for (const one of answer) {
      if (typeof one === 'object' && one?.handshake)
        assert.ok(typeof one.id === 'string' && [...one.rooms].length >= 0);
    }
  };
  return Promise.all([
    again(() => nsp.fetchSockets()),
    again(() => nsp.adapter.allRooms()),
    again(() => nsp.adapter.fetchSocketIds()),
    again(() => new Promise((resolve) => nsp.serverSideEmit('question', (_, answers) => resolve(answers ?? [])))),
  ]);
}

/** @returns {Generator<[channel: string, message: Buffer]>} all of it, and so many at random */
function* harm({ adapter }, count) {
  const random = new Random(10);
  const requestIds = () => [...adapter.requests.keys(), ...adapter.ackRequests.keys()];
  const on = (channels, messages) => messages.map((message) => [random.pick(channels), message]);
  const requestChannels = ['socket.io-request#/#', 'socket.io-native#/#'];
  const responseChannels = ['socket.io-response#/#', `socket.io-response#/#${adapter.uid}#`];
  const broadcastChannels = ['socket.io#/#', 'socket.io#/#here#'];
  yield* on(broadcastChannels, [...oneAtATime([BROADCAST])]);
  yield* on(requestChannels, [...oneAtATime(REQUESTS)]);
  // The ids of requests change as they are answered.
  const first = requestIds().at(-1) ?? '';
  yield* on(responseChannels, [...oneAtATime(responsesTo(first))]);
  const [broadcasts, requests] = [atRandom([BROADCAST], random), atRandom(REQUESTS, random)];
  let left = count;
  while (left > 0) {
    // There may be no request at this moment.
    const responses = atRandom([first, ...requestIds()].flatMap(responsesTo), random);
    for (let i = 0; i < 300; i++, left -= 3) {
      yield [random.pick(broadcastChannels), broadcasts.next().value];
      yield [random.pick(requestChannels), requests.next().value];
      yield [random.pick(responseChannels), responses.next().value];
    }
  }
}

function held() {
  v8.setFlagsFromString('--expose-gc');
  vm.runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

describe('hostile messages', LIMIT, () => {
  for (const [title, { random, settings, encode = notepack.encode }] of Object.entries(SERVERS)) {
    it(title, async (t) => {
      const fixture = await createFixture(t);
      const uncaught = uncaughtIn(t);
      const node = await fixture.node({ ...settings, opts: { requestsTimeout: 1000, ...settings?.opts } });
      // It is counted, and never answers.
      (await fixture.official()).freeze();
      /** @type {Inbox} */
      const got = new Inbox();
      const socket = attach(node, 'socket', got);
      node.io.on('connection', (/** @type {any} */ { id }) => assert.equal(typeof id, 'string'));
      node.io.on('good', (number) => got.push(['serverSideEmit', number]));
      awaitResponses(node.adapter());
      let isOver = false;
      t.after(() => (isOver = true));
      const asking = keepAsking(node, () => isOver);

      const publish = await publisher(t, fixture.redis.port);
      let [sent, number, before] = [0, 0, 0];
      const sendGood = async () => {
        number++;
        publish([
          ['socket.io#/#', encode(['peer', { type: 2, data: ['good', number], nsp: '/' }, { rooms: [] }])],
          ['socket.io-request#/#', JSON.stringify({ uid: 'peer', type: 6, data: ['good', number] })],
        ]);
        assert.deepEqual(await got.take(() => true), ['broadcast', number], `after ${sent} messages`);
        assert.deepEqual(await got.take(() => true), ['serverSideEmit', number]);
        assert.deepEqual(uncaught, [], `of the last ${BATCH} of ${sent} messages`);
      };
      /** @type {[channel: string, message: Buffer][]} */
      let batch = [];
      for (const message of harm({ adapter: node.adapter() }, random)) {
        batch.push(message);
        if (batch.length < BATCH) continue;
        publish(batch);
        sent += batch.length;
        batch = [];
        await sendGood();
        if (before === 0 && sent > random / 3) before = held();
      }
      publish(batch);
      await sendGood();

      isOver = true;
      await asking;
      const { malformed, internalErrors } = node.adapter().stats();
      assert.ok(malformed > sent / 10, `${malformed} of ${sent} are malformed`);
      assert.equal(internalErrors, 0);
      assert.deepEqual(
        [
          ...new Set(
            node
              .eventLog()
              .all('error')
              .map(({ code }) => code),
          ),
        ],
        ['ERR_MALFORMED_MESSAGE'],
      );
      assert.deepEqual([...node.adapter().rooms.keys()], ['socket', 'here']);
      socket.acks.clear();
      const growth = held() - before;
      assert.ok(growth < GROWTH, `${growth} bytes more are held`);
    });
  }
});
