'use strict';

const { Arena } = require('../arena');
const { INCUMBENT, OURS, REDIS_3 } = require('../stores');

function row(id, title, concurrency) {
  return {
    id,
    title,
    unit: 'µs of main thread a command',
    contestants: [INCUMBENT, REDIS_3, OURS],
    count: { full: 50_000, quick: 4_000 },
    open: (name) => Arena.open(name),
    async measure(arena, count) {
      return { ...(await arena.subject.ask('session', { count, concurrency })), expected: count };
    },
  };
}

module.exports = [
  row('session', 'session set and get, one after the other', 1),
  row('session-pipelined', 'session set and get, 100 at a time', 100),
];
