'use strict';

const { dataOf, entryOf, ROOM } = require('../../adapter-messages');
const { STREAMS_FAMILY } = require('../../adapters');
const { RecoveryFixture, StreamsFixture } = require('../../streams-fixture');
const { TIME } = require('../../timestamp');
const { defineCase } = require('../case');

const DATA = dataOf(190);
/** A second. */
const RATE = 100;
const MISSED = 1000;

function streams(id, title, full, fields) {
  return defineCase({
    family: STREAMS_FAMILY,
    id: `streams-${id}`,
    title: `streams: ${title}`,
    count: { full, quick: Math.ceil(full / 20) },
    ...fields,
  });
}

/** A case in which the load adds entries and `sockets` stubbed sockets are written to. */
function receiving(id, title, sockets, full, goal) {
  return streams(`receive-${id}`, title, full, {
    goal,
    open: (name) => StreamsFixture.open(name, { sockets }),
    measure: (fixture, count) => fixture.receive(count, { sockets, message: entryOf(ROOM, DATA) }),
  });
}

/** A case in which the implementation emits to a room without a socket of its own. */
function emitting(id, title, full, { data = DATA, burst = 100, goal = undefined } = {}) {
  return streams(`emit-${id}`, title, full, {
    goal,
    open: (name) => StreamsFixture.open(name, { sockets: 0 }),
    measure: (fixture, count) => fixture.emit(count, { sockets: 0, burst, data }),
  });
}

module.exports = [
  receiving('elsewhere', 'receive a broadcast to a room without a socket here', 0, 200_000, 30),
  receiving('1', 'receive and hand to 1 socket', 1, 100_000, 6),
  receiving('100', 'receive and hand to 100 sockets', 100, 20_000),
  emitting('0', 'emit to a room without a local socket, 100 to a tick', 30_000, { goal: 5 }),
  emitting('single', 'emit to a room without a local socket, one to a tick', 10_000, { burst: 1 }),
  emitting('binary', 'emit a Buffer of 1 KiB, 100 to a tick', 10_000, {
    data: { ...DATA, bytes: Buffer.alloc(1024, 1) },
  }),
  streams('latency', `receive and hand to 1 socket, ${RATE} a second`, 500, {
    unit: 'ms from XADD to the socket, p50',
    figure: 'p50',
    goal: 1,
    open: (name) => StreamsFixture.open(name, { sockets: 1 }),
    measure: (fixture, count) => fixture.delays(count, { rate: RATE, message: entryOf(ROOM, { ...DATA, sent: TIME }) }),
  }),
  streams('recovery', 'bring a client back that has missed 1,000 packets', 100, {
    unit: 'ms, p50',
    figure: 'p50',
    goal: 2,
    open: (name) => RecoveryFixture.open(name, MISSED),
    measure: (fixture, count) => fixture.recover(count),
  }),
];
