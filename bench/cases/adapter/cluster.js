'use strict';

const { broadcastOf, dataOf, ROOM } = require('../../adapter-messages');
const { ADAPTER_FAMILY } = require('../../adapters');
const { Cluster } = require('../../cluster');
const { TIME } = require('../../timestamp');
const { defineCase } = require('../case');

const NODES = 2;
const CLIENTS = 100;
const RATE = 200;

/** A case with `clients` real WebSockets on each of the nodes; in a quick run only some. */
function real({ nodes, clients, ...fields }) {
  return defineCase({
    family: ADAPTER_FAMILY,
    open: (name, { quick }) =>
      Cluster.open(name, {
        nodes,
        clients: nodes * Math.min(clients, quick ? 50 : Infinity),
        script: 'adapter-node.js',
        protocol: 'adapter',
      }),
    ...fields,
  });
}

/** One node that receives what the load publishes. */
function receiving(clients, rate, full) {
  const message = broadcastOf(ROOM, { ...dataOf(150), sent: TIME });
  return real({
    nodes: 1,
    clients,
    id: `adapter-websockets-${clients}`,
    title: `receive and write to ${clients.toLocaleString('en')} WebSockets, ${rate} a second`,
    count: { full, quick: Math.ceil(full / 10) },
    measure: (cluster, count) => cluster.publish(count, rate, message),
  });
}

module.exports = [
  receiving(100, 100, 300),
  receiving(1_000, 20, 60),
  real({
    nodes: NODES,
    clients: CLIENTS,
    id: 'adapter-cluster',
    title: `${NODES} nodes, ${CLIENTS} WebSocket clients each, ${RATE} broadcasts a second`,
    unit: 'µs of main thread a broadcast, mean of the nodes',
    count: { full: 5 * RATE, quick: RATE / 2 },
    measure: (cluster, count) => cluster.broadcast(count, RATE),
  }),
];
