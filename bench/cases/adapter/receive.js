'use strict';

const { AdapterFixture } = require('../../adapter-fixture');
const { broadcastOf, dataOf, RESPONSE, ROOM } = require('../../adapter-messages');
const { ADAPTER_FAMILY } = require('../../adapters');
const { defineCase } = require('../case');

const DATA = dataOf(190);

/** A case in which the load publishes and `sockets` stubbed sockets are written to. */
function receiving(id, title, sockets, full, { data = DATA, among = undefined, ...fields } = {}) {
  const message = broadcastOf(ROOM, data);
  return defineCase({
    family: ADAPTER_FAMILY,
    id: `adapter-receive-${id}`,
    title,
    count: { full, quick: Math.ceil(full / 20) },
    open: (name) => AdapterFixture.open(name, { sockets }),
    measure: (fixture, count) => fixture.receive(count, { sockets, message, among }),
    ...fields,
  });
}

module.exports = [
  receiving('elsewhere', 'receive a broadcast to a room without a socket here', 0, 300_000, { goal: 30 }),
  receiving('mixed', 'the same, with a response among each 1,000', 0, 300_000, { goal: 30, among: RESPONSE }),
  receiving('1', 'receive and hand to 1 socket', 1, 100_000, { goal: 6 }),
  receiving('100', 'receive and hand to 100 sockets', 100, 20_000, { goal: 2.5 }),
  receiving('1000', 'receive and hand to 1,000 sockets', 1_000, 3_000),
  receiving('binary', 'receive a Buffer of 1 KiB and hand to 1 socket', 1, 50_000, {
    data: { ...DATA, bytes: Buffer.alloc(1024, 1) },
  }),
];
