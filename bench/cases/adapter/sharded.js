'use strict';

const { AdapterFixture } = require('../../adapter-fixture');
const { dataOf, END_ROOM, ROOM, shardedBroadcastOf } = require('../../adapter-messages');
const { SHARDED_FAMILY } = require('../../adapters');
const { defineCase } = require('../case');

const message = shardedBroadcastOf(ROOM, dataOf(190));
const last = shardedBroadcastOf(END_ROOM, {});

/** A case in which the load publishes on a sharded channel and `sockets` stubbed sockets are written to. */
function receiving(id, title, sockets, full) {
  return defineCase({
    family: SHARDED_FAMILY,
    id: `sharded-receive-${id}`,
    title,
    count: { full, quick: Math.ceil(full / 20) },
    open: (name) => AdapterFixture.open(name, { sockets }),
    measure: (fixture, count) => fixture.receive(count, { sockets, message, last }),
  });
}

module.exports = [
  receiving('elsewhere', 'sharded: receive a broadcast to a room without a socket here', 0, 200_000),
  receiving('1', 'sharded: receive and hand to 1 socket', 1, 100_000),
  receiving('100', 'sharded: receive and hand to 100 sockets', 100, 20_000),
];
