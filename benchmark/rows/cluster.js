'use strict';

const path = require('node:path');

const { startPatientRedis } = require('../arena');
const { Child } = require('../ipc');
const { INCUMBENT, OURS } = require('../stores');
const { row } = require('./row');

const NODES = 4;
const RATE = 20;
/** ms: what the slowest hundredth may take in the search for the highest rate. */
const LIMIT = 50;
const FIRST_RATE = 40;
const STEP = 1.25;

/** Four servers, clients spread over them, and a Redis. */
class Cluster {
  static async open(name, { clients }) {
    const redis = await startPatientRedis();
    const cluster = Object.assign(new Cluster(), { redis, clients });
    cluster.nodes = Array.from({ length: NODES }, () => new Child(path.join(__dirname, '../server.js')));
    cluster.crowd = new Child(path.join(__dirname, '../clients.js'));
    const started = await Promise.all(cluster.nodes.map((node) => node.ask('start', { name, port: redis.port })));
    await cluster.crowd.ask('connect', { ports: started.map(({ port }) => port), count: clients });
    return cluster;
  }

  /** Broadcasts from the first node; what clients see, and what the nodes use. */
  async broadcast(count, rate) {
    const expected = count * this.clients;
    await Promise.all(this.nodes.map((node) => node.ask('begin')));
    let emitted;
    const patience = (count / rate) * 1000 + 10_000;
    const seen = await this.crowd.ask('collect', { count: expected, patience }, () => {
      emitted = this.nodes[0].ask('emit', { count, rate });
    });
    await emitted;
    const used = await Promise.all(this.nodes.map((node) => node.ask('end', { count })));
    const mean = (key) => used.reduce((sum, figures) => sum + figures[key], 0) / NODES;
    return { ...seen, expected, main: mean('main'), cpu: mean('cpu'), rss: mean('rss') };
  }

  /** The highest rate at which the slowest hundredth stays under the limit, in steps of a quarter. */
  async highest(seconds) {
    let best = { rate: 0, p99: 0 };
    let all = { received: 0, expected: 0 };
    for (let rate = FIRST_RATE; ; rate *= STEP) {
      const seen = await this.broadcast(Math.round(rate * seconds), rate);
      all = { received: all.received + seen.received, expected: all.expected + seen.expected };
      if (seen.p99 > LIMIT) return { ...best, ...all };
      best = { ...seen, rate };
    }
  }

  async close() {
    for (const child of [...this.nodes, this.crowd]) child.stop();
    await this.redis.stop();
  }
}

function cluster(fields) {
  return row({
    contestants: [INCUMBENT, OURS],
    open: (name, { quick }) => Cluster.open(name, { clients: quick ? 40 : 400 }),
    ...fields,
  });
}

module.exports = [
  cluster({
    id: 'cluster',
    title: `4 nodes, 400 WebSocket clients, ${RATE} broadcasts a second`,
    unit: 'µs of main thread a broadcast, mean of the nodes',
    count: { full: 5 * RATE, quick: RATE },
    measure: (cluster, count) => cluster.broadcast(count, RATE),
  }),
  cluster({
    id: 'cluster-highest',
    title: `4 nodes, 400 WebSocket clients, highest rate with p99 under ${LIMIT} ms`,
    unit: 'broadcasts a second',
    figure: 'rate',
    higherIsBetter: true,
    rounds: 3,
    // Seconds at each rate.
    count: { full: 2, quick: 0.5 },
    measure: (cluster, seconds) => cluster.highest(seconds),
  }),
];
