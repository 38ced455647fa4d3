'use strict';

const { packetOf } = require('../../store-messages');
const { defineCase } = require('../case');

const packet = packetOf(190);

module.exports = [
  defineCase({
    id: 'store-publish',
    title: 'publish (room, packet, volatile, exceptions), 100 to a tick',
    goal: 4,
    measure: (fixture, count) => fixture.publish({ count, burst: 100, packet }),
  }),
  defineCase({
    id: 'store-publish-single',
    title: 'publish, one to a tick',
    measure: (fixture, count) => fixture.publish({ count, burst: 1, packet }),
  }),
];
