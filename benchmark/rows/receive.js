'use strict';

const { StoreArena } = require('../arena');
const { dispatchOf, NODE_ID, packetOf } = require('../messages');
const { OURS } = require('../stores');
const { row } = require('./row');

const PACKET = packetOf(190);
const FOREIGN = dispatchOf(PACKET);
const OWN = dispatchOf(PACKET, NODE_ID);

/** A row in which the load publishes and the contestant measures itself. */
function receiving(fields, payload = FOREIGN) {
  return row({ measure: (arena, count) => arena.receive({ count }, { payload, count }), ...fields });
}

function withChannels(channels, fields) {
  return receiving({
    id: `receive-${channels}-channels`,
    title: `receive, with ${channels.toLocaleString('en')} further channels subscribed`,
    async open(name) {
      const arena = await StoreArena.open(name);
      await arena.subject.ask('channels', { count: channels });
      return arena;
    },
    ...fields,
  });
}

function withPayload(label, bytes, full) {
  const count = { full, quick: Math.ceil(full / 20) };
  const id = `receive-${label.replace(' ', '')}`;
  return receiving({ id, title: `receive a payload of ${label}`, count }, dispatchOf(packetOf(bytes)));
}

module.exports = [
  receiving({ id: 'receive', title: 'receive a broadcast of another node', goal: 6 }),
  row({
    id: 'own',
    title: 'own broadcast coming back',
    goal: 50,
    // A last message of another node tells that all of them have been.
    measure: (arena, count) => arena.receive({ count: 1, messages: count }, { payload: OWN, count, last: { channel: 'dispatch', payload: FOREIGN } }),
  }),
  withChannels(10),
  withChannels(1000, { goal: 15, count: { full: 20_000, quick: 2_000 } }),
  // 100,000 listeners on each of the JavaScript store's events would take it hours.
  withChannels(100_000, { contestants: [OURS] }),
  withPayload('100 B', 100, 50_000),
  withPayload('1 KiB', 1024, 30_000),
  withPayload('16 KiB', 16 * 1024, 5_000),
  withPayload('1 MiB', 1024 * 1024, 100),
  row({
    id: 'trickle',
    title: 'receive at 10 messages a second',
    unit: 'µs from publisher to transport, median',
    figure: 'latency',
    count: { full: 50, quick: 10 },
    measure: (arena, count) => arena.latency(count, 10),
  }),
];
