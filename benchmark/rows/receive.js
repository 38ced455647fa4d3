'use strict';

const { Arena } = require('../arena');
const { dispatchOf, NODE_ID, packetOf } = require('../messages');
const { INCUMBENT, OURS, REDIS_3 } = require('../stores');

const PACKET = packetOf(190);
const FOREIGN = dispatchOf(PACKET);
const OWN = dispatchOf(PACKET, NODE_ID);
const COUNT = { full: 100_000, quick: 5_000 };

/** A row in which the load publishes and the contestant measures itself. */
function row(id, title, goal, fields) {
  return {
    id,
    title,
    goal,
    unit: 'µs of main thread a message',
    contestants: [INCUMBENT, REDIS_3, OURS],
    count: COUNT,
    open: (name) => Arena.open(name),
    measure: (arena, count) => arena.receive({ count }, { payload: FOREIGN, count }),
    ...fields,
  };
}

function withChannels(channels, fields) {
  const title = `receive, with ${channels.toLocaleString('en')} further channels subscribed`;
  return row(`receive-${channels}-channels`, title, channels === 1000 ? 15 : undefined, {
    async open(name) {
      const arena = await Arena.open(name);
      await arena.subject.ask('channels', { count: channels });
      return arena;
    },
    ...fields,
  });
}

function withPayload(label, bytes, full) {
  const payload = dispatchOf(packetOf(bytes));
  return row(`receive-${label.replace(' ', '')}`, `receive a payload of ${label}`, undefined, {
    count: { full, quick: Math.ceil(full / 20) },
    measure: (arena, count) => arena.receive({ count }, { payload, count }),
  });
}

module.exports = [
  row('receive', 'receive a broadcast of another node', 6),
  row('own', 'own broadcast coming back', 50, {
    // A last message of another node tells that all of them have been.
    measure: (arena, count) => arena.receive({ count: 1, messages: count }, { payload: OWN, count, last: FOREIGN }),
  }),
  withChannels(10),
  withChannels(1000, { count: { full: 20_000, quick: 2_000 } }),
  // 100,000 listeners on each of the JavaScript store's events would take it hours.
  withChannels(100_000, { contestants: [OURS] }),
  withPayload('100 B', 100, 100_000),
  withPayload('1 KiB', 1024, 50_000),
  withPayload('16 KiB', 16 * 1024, 10_000),
  withPayload('1 MiB', 1024 * 1024, 200),
  row('trickle', 'receive at 10 messages a second: latency in µs', undefined, {
    unit: 'µs from publish to transport (median)',
    figure: 'latency',
    count: { full: 50, quick: 10 },
    measure: (arena, count) => arena.latency(count, 10),
  }),
];
