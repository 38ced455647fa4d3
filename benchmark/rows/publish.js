'use strict';

const { Arena } = require('../arena');
const { packetOf } = require('../messages');
const { INCUMBENT, OURS, REDIS_3 } = require('../stores');

function row(id, title, goal, burst) {
  return {
    id,
    title,
    goal,
    unit: 'µs of main thread a message',
    contestants: [INCUMBENT, REDIS_3, OURS],
    count: { full: 100_000, quick: 5_000 },
    open: (name) => Arena.open(name),
    measure: (arena, count) => arena.publish({ count, burst, packet: packetOf(190) }),
  };
}

module.exports = [
  row('publish', 'publish (room, packet, volatile, exceptions), 100 to a tick', 4, 100),
  row('publish-single', 'publish, one to a tick', undefined, 1),
];
