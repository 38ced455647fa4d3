'use strict';

const { Cluster } = require('../../cluster');
const { INCUMBENT, OURS } = require('../../stores');
const { defineCase } = require('../case');

const NODES = 4;
const RATE = 20;
/** ms: what the slowest hundredth may take in the search for the highest rate. */
const LIMIT = 50;
const FIRST_RATE = 40;
const STEP = 1.25;

/** The highest rate at which the slowest hundredth stays under the limit, in steps of a quarter. */
async function highest(cluster, seconds) {
  let best = { rate: 0, p99: 0 };
  let all = { received: 0, expected: 0 };
  for (let rate = FIRST_RATE; ; rate *= STEP) {
    const seen = await cluster.broadcast(Math.round(rate * seconds), rate);
    all = { received: all.received + seen.received, expected: all.expected + seen.expected };
    if (seen.p99 > LIMIT) return { ...best, ...all };
    best = { ...seen, rate };
  }
}

function cluster(fields) {
  return defineCase({
    implementations: [INCUMBENT, OURS],
    open: (name, { quick }) => Cluster.open(name, { nodes: NODES, clients: quick ? 40 : 400 }),
    ...fields,
  });
}

module.exports = [
  cluster({
    id: 'store-cluster',
    title: `4 nodes, 400 WebSocket clients, ${RATE} broadcasts a second`,
    unit: 'µs of main thread a broadcast, mean of the nodes',
    count: { full: 5 * RATE, quick: RATE },
    measure: (cluster, count) => cluster.broadcast(count, RATE),
  }),
  cluster({
    id: 'store-cluster-highest',
    title: `4 nodes, 400 WebSocket clients, highest rate with p99 under ${LIMIT} ms`,
    unit: 'broadcasts a second',
    figure: 'rate',
    higherIsBetter: true,
    rounds: 3,
    // Seconds at each rate.
    count: { full: 2, quick: 0.5 },
    measure: highest,
  }),
];
