'use strict';

const { AdapterFixture } = require('../../adapter-fixture');
const { dataOf } = require('../../adapter-messages');
const { EMITTER_FAMILY } = require('../../emitters');
const { defineCase } = require('../case');

/** The fixture of an emitter: what it publishes is counted as what an adapter does. */
class EmitterFixture extends AdapterFixture {
  static SERVER = 'emitter-server.js';
}

const DATA = dataOf(190);

function publishing(id, title, { data = DATA, burst = 100, full = 30_000, ...fields } = {}) {
  return defineCase({
    family: EMITTER_FAMILY,
    id: `emitter-publish-${id}`,
    title,
    count: { full, quick: Math.ceil(full / 20) },
    open: (name) => EmitterFixture.open(name),
    measure: (fixture, count) => fixture.emit(count, { sockets: 0, burst, data }),
    ...fields,
  });
}

module.exports = [
  publishing('json', 'an emitter publishes to a room, 100 to a tick', { goal: 5 }),
  publishing('single', 'an emitter publishes to a room, one to a tick', { burst: 1, full: 10_000 }),
  publishing('binary', 'an emitter publishes a Buffer of 1 KiB, 100 to a tick', {
    data: { ...DATA, bytes: Buffer.alloc(1024, 1) },
  }),
];
