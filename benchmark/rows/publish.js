'use strict';

const { packetOf } = require('../messages');
const { row } = require('./row');

const packet = packetOf(190);

module.exports = [
  row({
    id: 'publish',
    title: 'publish (room, packet, volatile, exceptions), 100 to a tick',
    goal: 4,
    measure: (arena, count) => arena.publish({ count, burst: 100, packet }),
  }),
  row({
    id: 'publish-single',
    title: 'publish, one to a tick',
    measure: (arena, count) => arena.publish({ count, burst: 1, packet }),
  }),
];
