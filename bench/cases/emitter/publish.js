'use strict';

const { AdapterFixture } = require('../../adapter-fixture');
const { dataOf, END } = require('../../adapter-messages');
const { EMITTER_FAMILY, STREAMS_EMITTER_FAMILY } = require('../../emitters');
const { StreamsFixture } = require('../../streams-fixture');
const { defineCase } = require('../case');

/** The fixture of an emitter: what it publishes is counted as what an adapter does. */
class EmitterFixture extends AdapterFixture {
  static SERVER = 'emitter-server.js';
}

/** On streams, of which an emitter hears nothing: what ends a chunk is published too. */
class StreamsEmitterFixture extends EmitterFixture {
  static COUNTING = { ...StreamsFixture.COUNTING, args: { ...StreamsFixture.COUNTING.args, told: END } };
}

const DATA = dataOf(190);
/** The wires: what a case's id and title begin with, what it compares, and how. */
const WIRES = [
  { id: 'emitter', who: 'an emitter', family: EMITTER_FAMILY, Fixture: EmitterFixture },
  {
    id: 'streams-emitter',
    who: 'StreamsEmitter, beside the official streams adapter in a server without clients,',
    family: STREAMS_EMITTER_FAMILY,
    Fixture: StreamsEmitterFixture,
  },
];

function publishing(id, title, { data = DATA, burst = 100, full = 30_000, ...fields } = {}) {
  return WIRES.map(({ id: wire, who, family, Fixture }) =>
    defineCase({
      family,
      id: `${wire}-publish-${id}`,
      title: `${who} publishes ${title}`,
      count: { full, quick: Math.ceil(full / 20) },
      open: (name) => Fixture.open(name),
      measure: (fixture, count) => fixture.emit(count, { sockets: 0, burst, data }),
      ...fields,
    }),
  );
}

module.exports = [
  ...publishing('json', 'to a room, 100 to a tick', { goal: 5 }),
  ...publishing('single', 'to a room, one to a tick', { burst: 1, full: 10_000 }),
  ...publishing('binary', 'a Buffer of 1 KiB, 100 to a tick', {
    data: { ...DATA, bytes: Buffer.alloc(1024, 1) },
  }),
];
