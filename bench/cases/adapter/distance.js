'use strict';

const { dataOf } = require('../../adapter-messages');
const { ADAPTER_FAMILY } = require('../../adapters');
const { Distance } = require('../../distance');
const { defineCase } = require('../case');

const DATA = dataOf(150);

/** A case in which Redis is `roundTrip` ms away, and `rate` emits a second go there. */
function distant(roundTrip, rate, full) {
  return defineCase({
    family: ADAPTER_FAMILY,
    id: `adapter-distance-${roundTrip}-${rate}`,
    title: `emit to a Redis with ${roundTrip} ms of round trip, ${rate} a second`,
    unit: 'ms from emit to Redis, p50',
    figure: 'p50',
    count: { full, quick: Math.ceil(full / 5) },
    open: (name) => Distance.open(name, roundTrip),
    measure: (distance, count) => distance.emit(count, rate, DATA),
  });
}

module.exports = [distant(20, 50, 200), distant(80, 50, 200), distant(300, 500, 1500)];
