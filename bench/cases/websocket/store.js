'use strict';

const { Cluster } = require('../../cluster');
const { INCUMBENT, OURS: OUR_STORE, WITH_ENGINE } = require('../../stores');
const { ON_WS, OURS, OURS_ON_WS, WEBSOCKET_FAMILY } = require('../../websockets/engines');
const { defineCase } = require('../case');

const NODES = 4;
const CLIENTS = 400;
const RATE = 20;

/** What stands in each column: 0.9 has a WebSocket of its own, and stores instead of adapters. */
const STORES = { [ON_WS]: INCUMBENT, [OURS_ON_WS]: OUR_STORE, [OURS]: WITH_ENGINE };

module.exports = [
  defineCase({
    family: WEBSOCKET_FAMILY,
    id: 'websocket-store',
    title: `Socket.IO 0.9: ${NODES} nodes, ${CLIENTS} clients, ${RATE} broadcasts a second`,
    unit: 'µs of main thread a broadcast, mean of the nodes',
    rows: [
      { goal: '10× the JavaScript store' },
      { title: 'the same: the whole process', unit: 'µs a broadcast, mean of the nodes', figure: 'cpu' },
    ],
    implementations: Object.keys(STORES),
    count: { full: 5 * RATE, quick: RATE },
    open: (name, { quick }) => Cluster.open(STORES[name], { nodes: NODES, clients: quick ? 40 : CLIENTS }),
    measure: (cluster, count) => cluster.broadcast(count, RATE),
  }),
];
