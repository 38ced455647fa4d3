'use strict';

const { defineCase } = require('../case');

function session(id, title, full, concurrency, fields) {
  return defineCase({
    id: `store-${id}`,
    title,
    unit: 'µs of main thread a command',
    count: { full, quick: 2_000 },
    async measure(fixture, count) {
      return { ...(await fixture.server.ask('session', { count, concurrency })), expected: count };
    },
    ...fields,
  });
}

module.exports = [
  session('session', 'session set and get, one after the other', 10_000, 1),
  session('session-pipelined', 'session set and get, 100 at a time', 50_000, 100),
  session('session-throughput', 'session set and get, 100 at a time: throughput', 50_000, 100, {
    unit: 'commands a second',
    figure: 'rate',
    higherIsBetter: true,
  }),
];
