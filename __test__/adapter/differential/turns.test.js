'use strict';

/**
 * Sockets join and leave rooms while broadcasts and requests arrive, on an official server and on one of ours
 * in one process: with the same turns of the event loop, each socket has to get the same broadcasts, in the
 * same order.
 *
 * `DIFFERENTIAL_SEED=7 DIFFERENTIAL_TURNS=5000 node --test __test__/adapter/differential/turns.test.js`
 */

const assert = require('node:assert/strict');
const { it } = require('node:test');
const { blockUntil } = require('../../support/block');
const { BlockingPublisher } = require('../../support/blocking-publisher');
const { broadcast, createFixture, stub } = require('../faults/fixture');
const { Random } = require('./random');
const { LIMIT } = require('../../support/limits');

const SEED = Number(process.env.DIFFERENTIAL_SEED ?? Date.now() % 1_000_000);
const TURNS = Number(process.env.DIFFERENTIAL_TURNS ?? 400);
const SOCKETS = ['a', 'b', 'c'];
const ROOMS = ['X', 'Y', 'Z'];
const REQUESTS = 'socket.io-request#/#';
/** As officially numbered. */
const [REMOTE_JOIN, REMOTE_LEAVE, REMOTE_FETCH, SERVER_SIDE_EMIT] = [2, 3, 5, 6];

/** What happens in a turn, in words: the same is done on both servers. */
class Scenario {
  #random;
  #number = 0;

  /** @param {Random} random */
  constructor(random) {
    this.#random = random;
  }

  /** @returns {[string, ...any[]][]} */
  turn() {
    return this.#random.list(1 + this.#random.below(10), () => this.#step());
  }

  /** @returns {[string, ...any[]]} */
  #step() {
    const random = this.#random;
    const [socket, room] = [random.pick(SOCKETS), random.pick(ROOMS)];
    const kind = random.below(20);
    if (kind < 3) return ['join', socket, room];
    if (kind < 7) return ['leave', socket, room];
    if (kind === 7) return ['microtask'];
    if (kind === 8) return ['request', { type: REMOTE_JOIN, opts: { rooms: [socket], except: [] }, rooms: [room] }];
    if (kind === 9)
      return ['request', { type: REMOTE_LEAVE, opts: { rooms: [room], except: [socket] }, rooms: [room] }];
    if (kind === 10) return ['request', { type: SERVER_SIDE_EMIT, data: ['join', socket, room] }];
    // Both servers answer it, and get the answers.
    if (kind === 11)
      return ['request', { type: REMOTE_FETCH, requestId: String(this.#number++), opts: { rooms: [], except: [] } }];
    const except = random.chance(0.2) ? [random.pick(ROOMS)] : [];
    return ['broadcast', String(this.#number++), ROOMS.filter(() => random.chance(0.4)), except];
  }
}

/** A server, and what its sockets got. */
class Side {
  /** @type {string[]} */
  got = [];
  /** Until which turn all has arrived. */
  ended = -1;

  /** @param {any} node */
  constructor(node) {
    this.adapter = node.io.of('/').adapter;
    for (const id of SOCKETS) {
      stub(node, id, [], ([text]) => {
        const [event] = JSON.parse(text.slice(1));
        if (event !== 'end') this.got.push(`${event} to ${id}`);
      });
    }
    stub(node, 'last', [], ([text]) => {
      const [event, turn] = JSON.parse(text.slice(1));
      if (event === 'end') this.ended = turn;
    });
    for (const id of [...SOCKETS, 'last']) {
      Object.assign(node.io.of('/').sockets.get(id), {
        handshake: {},
        join: (/** @type {string[]} */ rooms) => this.adapter.addAll(id, new Set(rooms)),
        leave: (/** @type {string} */ room) => this.adapter.del(id, room),
      });
    }
    node.io.on('join', (/** @type {string} */ id, /** @type {string} */ room) =>
      this.adapter.addAll(id, new Set([room])),
    );
  }
}

/** Does what happens in a turn: as soon as it returns, the turn ends. */
async function play(turn, steps, sides, publisher, hasArrived) {
  const publish = (channel, payload) => {
    publisher.publish([channel, payload]);
    hasArrived();
  };
  for (const [step, ...args] of steps) {
    if (step === 'microtask') await null;
    if (step === 'join') for (const { adapter } of sides) adapter.addAll(args[0], new Set([args[1]]));
    if (step === 'leave') for (const { adapter } of sides) adapter.del(args[0], args[1]);
    if (step === 'request') publish(REQUESTS, JSON.stringify({ uid: 'raw', ...args[0] }));
    if (step === 'broadcast') {
      const [event, rooms, except] = args;
      publish(rooms.length === 1 ? `socket.io#/#${rooms[0]}#` : 'socket.io#/#', broadcast([event], { rooms, except }));
    }
  }
  publish('socket.io#/#', broadcast(['end', turn]));
}

it(`official and native: the same broadcasts in ${TURNS} turns`, LIMIT, async (t) => {
  t.diagnostic(`DIFFERENTIAL_SEED=${SEED}`);
  const fixture = await createFixture(t);
  const native = await fixture.node();
  const official = await fixture.official();
  const publisher = new BlockingPublisher(fixture.redis.port);
  t.after(() => publisher.close());
  const sides = [new Side(native), new Side(official)];
  const scenario = new Scenario(new Random(SEED));
  let receipts = 0;
  for (let turn = 0; turn < TURNS; turn++) {
    const steps = scenario.turn();
    let { received } = native.adapter().stats();
    await play(turn, steps, sides, publisher, () => {
      // Or a response: it only matters that most are here when a socket joins.
      received++;
      blockUntil('it to have arrived', () => native.adapter().stats().received >= received);
    });
    while (sides.some(({ ended }) => ended < turn)) await new Promise(setImmediate);
    const [ours, theirs] = sides.map((side) => side.got.splice(0));
    assert.deepEqual(ours, theirs, `DIFFERENTIAL_SEED=${SEED}, turn ${turn}: ${JSON.stringify(steps)}`);
    receipts += ours.length;
  }
  assert.ok(receipts > TURNS, `${receipts} receipts`);
  const { filteredRooms, delivered, malformed } = native.adapter().stats();
  t.diagnostic(`${receipts} receipts, ${delivered} delivered, ${filteredRooms} filtered`);
  assert.ok(filteredRooms > 0);
  assert.equal(malformed, 0);
});
