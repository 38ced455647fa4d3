'use strict';

const path = require('node:path');

const { startPatientRedis } = require('../../fixture');
const { Child } = require('../../ipc');
const { INCUMBENT, OURS } = require('../../stores');
const { defineCase } = require('../case');

const MEMORY_STORE = 'socket.io 0.9.19, MemoryStore';
const BYTES = 1024;

/** A server, from its start to what it needs for many clients, as often as it is asked. */
class Crowded {
  constructor(name) {
    this.name = name;
  }

  async measure(count) {
    const redis = await startPatientRedis();
    const server = new Child(path.join(__dirname, '../../store-node.js'), ['--expose-gc']);
    const clients = new Child(path.join(__dirname, '../../clients.js'));
    try {
      const { port } = await server.ask('start', { name: this.name, port: redis.port, bytes: BYTES });
      const empty = await server.ask('memory');
      await clients.ask('connect', { ports: [port], count });
      await server.ask('connections', { count });
      const full = await server.ask('memory');
      return { received: count, expected: count, rss: full.rss, perClient: (full.rss - empty.rss) / count };
    } finally {
      server.stop();
      clients.stop();
      await redis.stop();
    }
  }

  async close() {}
}

module.exports = [
  defineCase({
    id: 'store-memory',
    title: 'memory with 10,000 clients, 1 KiB of session data each',
    unit: 'bytes of RSS',
    figure: 'rss',
    rounds: 1,
    noWarmUp: true,
    implementations: [MEMORY_STORE, INCUMBENT, OURS],
    count: { full: 10_000, quick: 300 },
    open: (name) => new Crowded(name),
    measure: (crowded, count) => crowded.measure(count),
  }),
];
