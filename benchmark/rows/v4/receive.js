'use strict';

const { AdapterArena } = require('../../arena-v4');
const { ADAPTER_FAMILY } = require('../../adapters');
const { broadcastOf, dataOf, ROOM } = require('../../messages-v4');
const { row } = require('../row');

const DATA = dataOf(190);

/** A row in which the load publishes and `sockets` stubbed sockets are written to. */
function receiving(id, title, sockets, full, { data = DATA, ...fields } = {}) {
  const message = broadcastOf(ROOM, data);
  return row({
    family: ADAPTER_FAMILY,
    id: `v4-receive-${id}`,
    title,
    count: { full, quick: Math.ceil(full / 20) },
    open: (name) => AdapterArena.open(name, { sockets }),
    measure: (arena, count) => arena.receive(count, { sockets, message }),
    ...fields,
  });
}

module.exports = [
  receiving('unheld', 'receive a broadcast to a room that is not held here', 0, 300_000, { goal: 30 }),
  receiving('1', 'receive and hand to 1 socket', 1, 100_000, { goal: 6 }),
  receiving('100', 'receive and hand to 100 sockets', 100, 20_000, { goal: 2.5 }),
  receiving('1000', 'receive and hand to 1,000 sockets', 1_000, 3_000),
  receiving('binary', 'receive a Buffer of 1 KiB and hand to 1 socket', 1, 50_000, {
    data: { ...DATA, bytes: Buffer.alloc(1024, 1) },
  }),
];
