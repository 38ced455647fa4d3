'use strict';

const { AdapterFixture } = require('../../adapter-fixture');
const { dataOf } = require('../../adapter-messages');
const { ADAPTER_FAMILY } = require('../../adapters');
const { defineCase } = require('../case');

const DATA = dataOf(190);

/** A case in which the implementation emits to a room with `sockets` stubbed sockets of its own. */
function emitting(id, title, { sockets = 0, data = DATA, burst = 100, full = 30_000, ...fields }) {
  return defineCase({
    family: ADAPTER_FAMILY,
    id: `adapter-emit-${id}`,
    title,
    count: { full, quick: Math.ceil(full / 20) },
    open: (name) => AdapterFixture.open(name, { sockets }),
    measure: (fixture, count) => fixture.emit(count, { sockets, burst, data }),
    ...fields,
  });
}

module.exports = [
  emitting('0', 'emit to a room without a local socket, 100 to a tick', { goal: 6 }),
  emitting('single', 'emit to a room without a local socket, one to a tick', { burst: 1, full: 10_000 }),
  emitting('100', 'emit to a room with 100 local sockets, 100 to a tick', { sockets: 100, full: 10_000 }),
  emitting('binary', 'emit a Buffer of 1 KiB, 100 to a tick', { data: { ...DATA, bytes: Buffer.alloc(1024, 1) } }),
];
