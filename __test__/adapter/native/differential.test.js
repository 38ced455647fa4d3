'use strict';

/**
 * The same is done on two clusters, on one with ws and on one with native sockets: their clients have to get the
 * same, in the same order, and so have all that observes.
 *
 * `DIFFERENTIAL_SEED=7 DIFFERENTIAL_TURNS=5000 node --test __test__/adapter/native/differential.test.js`
 */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { it } = require('node:test');
const { Random } = require('../differential/random');
const { createFixture } = require('../faults/fixture');
const { until } = require('../../support/load');
const { ANSWER, LIMIT } = require('../../support/limits');
const { connect, nativeNode } = require('./servers');

const SEED = Number(process.env.DIFFERENTIAL_SEED ?? Date.now() % 1_000_000);
const TURNS = Number(process.env.DIFFERENTIAL_TURNS ?? 150);
const CLIENTS = 5;
/** What clients may use; those with two of them are upgraded in the middle. */
const TRANSPORTS = [['websocket'], ['websocket'], ['polling', 'websocket'], ['polling', 'websocket'], ['polling']];
const ROOMS = ['a', 'b', 'c', 1, '1'];
/** In which turns what is done; turns of one sort alone would race with others. */
const STEPS = {
  here: ['join', 'leave', 'unicast', 'local', 'broadcast', 'observe', 'create', 'again', 'leaveAll', 'kick', 'acks'],
  elsewhere: ['broadcast', 'broadcast', 'broadcast', 'socketsJoin', 'socketsLeave', 'ask', 'fetch', 'acks'],
};

/** What is done, in words. @param {Random} random @param {number} number of the step */
function stepOf(random, number) {
  const side = random.chance(0.5) ? 'here' : 'elsewhere';
  const steps = random.list(1 + random.below(12), () => ({
    what: random.pick(STEPS[side]),
    client: random.below(CLIENTS),
    room: random.pick(ROOMS),
    rooms: ROOMS.filter(() => random.chance(0.3)),
    except: random.chance(0.3) ? [random.pick(ROOMS)] : [],
    args: [
      number++,
      ...(random.chance(0.2) ? [{ part: Buffer.from(`part ${number}`) }] : []),
      'ü'.repeat(random.below(90)),
    ],
    transports: random.pick(TRANSPORTS),
  }));
  return { side, steps };
}

/** Two servers, one of which has clients. */
class Cluster {
  /** @type {any[]} */
  #clients = [];
  /** What each client has heard, what observers of each have seen, and what requests have given. @type {any[][]} */
  logs = Array.from({ length: 2 * CLIENTS + 1 }, () => []);
  #barrier = 0;

  /** @param {import('../faults/fixture').Fixture} fixture @param {any} here @param {any} elsewhere */
  constructor(fixture, here, elsewhere) {
    this.fixture = fixture;
    this.here = here;
    this.elsewhere = elsewhere;
    here.io.on('ask', (/** @type {any} */ { client, room, args }) => {
      const { peer } = this.#clients[client];
      peer.emit('unicast', ...args);
      peer.join(room);
      here.io.local.to(room).emit('asked', ...args);
    });
  }

  async start() {
    for (let i = 0; i < CLIENTS; i++) await this.#connect(i, ['websocket']);
  }

  async #connect(i, transports) {
    const client = await connect(this.fixture, this.here, { transports });
    this.#clients[i] = client;
    const log = this.logs[i];
    client.socket.onAny((/** @type {string} */ event, /** @type {any[]} */ ...args) => {
      if (event === 'acks') args.pop()(`client ${i}`);
      if (event !== 'barrier') log.push([event, ...args]);
    });
  }

  /** Does the steps of a turn, and waits until all that they have caused has arrived. @param {any} turn */
  async turn({ side, steps }) {
    const { io } = side === 'here' ? this.here : this.elsewhere;
    for (const step of steps) {
      const done = this[`_${step.what}`](io, step);
      if (done) await done;
    }
    await this.#settle();
  }

  /** Resolves when the clients have heard all that either server has sent. */
  async #settle() {
    const number = ++this.#barrier;
    for (const node of [this.elsewhere, this.here]) await this.#pass(node.io, `${number} ${node === this.here}`);
  }

  async #pass(io, mark) {
    const ids = this.#clients.map(({ peer }) => peer.id);
    const arrived = this.#clients.map(
      ({ socket }) =>
        new Promise((resolve) => {
          const listener = (/** @type {string} */ each) => {
            if (each !== mark) return;
            socket.off('barrier', listener);
            resolve(undefined);
          };
          socket.on('barrier', listener);
        }),
    );
    for (const id of ids) this.#clients.find(({ peer }) => peer.id === id).peer.join(`own ${id}`);
    io.to(ids.map((id) => `own ${id}`)).emit('barrier', mark);
    await Promise.all(arrived);
  }

  _join(_io, { client, rooms, room }) {
    this.#clients[client].peer.join([room, ...rooms]);
  }

  _leave(_io, { client, room }) {
    this.#clients[client].peer.leave(room);
  }

  _leaveAll(_io, { client }) {
    this.#clients[client].peer.leaveAll();
  }

  _unicast(_io, { client, args }) {
    this.#clients[client].peer.emit('unicast', ...args);
  }

  _local(io, { rooms, except, args }) {
    io.local
      .to(rooms)
      .except(except)
      .emit('local', ...args);
  }

  _broadcast(io, { rooms, except, args }) {
    io.to(rooms)
      .except(except)
      .emit('broadcast', ...args);
  }

  _observe(_io, { client }) {
    const { peer } = this.#clients[client];
    if (peer.listenersAnyOutgoing().length > 0) return void peer.offAnyOutgoing();
    peer.onAnyOutgoing((/** @type {string} */ event, /** @type {any[]} */ ...args) => {
      if (event !== 'barrier')
        this.logs[CLIENTS + client].push([event, ...args.filter((arg) => typeof arg !== 'function')]);
    });
  }

  _create(_io, { client }) {
    const { conn } = this.#clients[client].peer;
    if (conn.listenerCount('packetCreate') > 0) conn.removeAllListeners('packetCreate');
    else conn.on('packetCreate', () => {});
  }

  /** The client goes, and another one comes in its place. */
  async _again(_io, { client, transports }) {
    const before = this.#clients[client];
    // It would not hear what is on its way.
    await this.#settle();
    before.socket.disconnect();
    this.logs[client].push(await before.gone());
    await this.#connect(client, transports);
  }

  async _kick(_io, { client, transports, args }) {
    const before = this.#clients[client];
    const gone = once(before.socket, 'disconnect');
    before.peer.emit('last', ...args);
    before.peer.disconnect(args[0] % 2 === 0);
    this.logs[client].push(...(await gone).slice(0, 1));
    before.manager._close();
    await this.#connect(client, transports);
  }

  async _acks(io, { rooms, except, args }) {
    const answers = await io
      .to(rooms)
      .except(except)
      .timeout(ANSWER)
      .emitWithAck('acks', ...args);
    this.logs[2 * CLIENTS].push(answers.sort());
  }

  async _fetch(io, { rooms, except }) {
    const sockets = await io.in(rooms).except(except).fetchSockets();
    const ids = this.#clients.map(({ peer }) => peer.id);
    this.logs[2 * CLIENTS].push(sockets.map((/** @type {any} */ { id }) => ids.indexOf(id)).sort());
  }

  _socketsJoin(io, { client, rooms, except, room }) {
    io.in([this.#clients[client].peer.id, ...rooms])
      .except(except)
      .socketsJoin(room);
  }

  _socketsLeave(io, { rooms, except, room }) {
    io.in(rooms).except(except).socketsLeave(room);
  }

  _ask(io, { client, room, args }) {
    io.serverSideEmit('ask', { client, room, args });
  }
}

it(`with ws and with native sockets, seed ${SEED}`, LIMIT, async (t) => {
  const fixture = await createFixture(t);
  const both = [];
  for (const key of ['ws', 'native']) {
    const opts = { key };
    const here = key === 'ws' ? await fixture.node({ opts }) : await nativeNode(fixture, 'socket.io-4', {}, opts);
    const elsewhere = await fixture.node({ opts });
    await until('both to hear', async () => (await fixture.subscribers(`${key}-request#/#`)) === 2);
    const cluster = new Cluster(fixture, here, elsewhere);
    await cluster.start();
    both.push(cluster);
  }
  const random = new Random(SEED);
  let number = 0;
  for (let i = 0; i < TURNS; i++) {
    const turn = stepOf(random, number);
    number += turn.steps.length;
    await Promise.all(both.map((cluster) => cluster.turn(turn)));
    const [expected, actual] = both.map(({ logs }) => logs.map((log) => log.splice(0)));
    assert.deepEqual(actual, expected, `turn ${i} of DIFFERENTIAL_SEED=${SEED}: ${JSON.stringify(turn)}`);
  }
  const { nativeWrites } = both[1].here.adapter().stats();
  assert(nativeWrites > TURNS, `${nativeWrites} native writes`);
});
