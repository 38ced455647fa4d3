'use strict';

const { StoreFixture } = require('../../store-fixture');
const { dispatchOf, NODE_ID, packetOf } = require('../../store-messages');
const { OURS } = require('../../stores');
const { defineCase } = require('../case');

const PACKET = packetOf(190);
const FOREIGN = dispatchOf(PACKET);
const OWN = dispatchOf(PACKET, NODE_ID);

/** A case in which the load publishes and the implementation measures itself. */
function receiving(fields, payload = FOREIGN) {
  return defineCase({ measure: (fixture, count) => fixture.receive({ count }, { payload, count }), ...fields });
}

function withChannels(channels, fields) {
  return receiving({
    id: `store-receive-${channels}-channels`,
    title: `receive, with ${channels.toLocaleString('en')} further channels subscribed`,
    async open(name) {
      const fixture = await StoreFixture.open(name);
      await fixture.server.ask('channels', { count: channels });
      return fixture;
    },
    ...fields,
  });
}

function withPayload(label, bytes, full) {
  const count = { full, quick: Math.ceil(full / 20) };
  const id = `store-receive-${label.replace(' ', '')}`;
  return receiving({ id, title: `receive a payload of ${label}`, count }, dispatchOf(packetOf(bytes)));
}

module.exports = [
  receiving({ id: 'store-receive', title: 'receive a broadcast of another node', goal: 6 }),
  defineCase({
    id: 'store-own',
    title: 'own broadcast coming back',
    goal: 50,
    // A last message of another node tells that all of them have been.
    measure: (fixture, count) =>
      fixture.receive(
        { count: 1, messages: count },
        { payload: OWN, count, last: { channel: 'dispatch', payload: FOREIGN } },
      ),
  }),
  withChannels(10),
  withChannels(1000, { goal: 15, count: { full: 20_000, quick: 2_000 } }),
  // 100,000 listeners on each of the JavaScript store's events would take it hours.
  withChannels(100_000, { implementations: [OURS] }),
  withPayload('100 B', 100, 50_000),
  withPayload('1 KiB', 1024, 30_000),
  withPayload('16 KiB', 16 * 1024, 5_000),
  withPayload('1 MiB', 1024 * 1024, 100),
  defineCase({
    id: 'store-trickle',
    title: 'receive at 10 messages a second',
    unit: 'µs from publisher to transport, median',
    figure: 'latency',
    count: { full: 50, quick: 10 },
    measure: (fixture, count) => fixture.latency(count, 10),
  }),
];
