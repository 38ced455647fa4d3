'use strict';

const { WEBSOCKET_FAMILY } = require('../../websockets/engines');
const { WebSockets } = require('../../websockets/fixture');
const { CROWD } = require('../../websockets/messages');
const { defineCase } = require('../case');

/** A server, from its start to what it needs for many idle connections, as often as it is asked. */
class Idle {
  constructor(name) {
    this.name = name;
  }

  async measure(count) {
    const options = { rooms: { [CROWD]: count }, options: {}, execArgv: ['--expose-gc'] };
    const sockets = await WebSockets.open(this.name, options);
    try {
      const empty = await sockets.server.ask('memory');
      await sockets.connect();
      const full = await sockets.server.ask('memory');
      return { received: count, expected: count, perClient: (full.rss - empty.rss) / count };
    } finally {
      await sockets.close();
    }
  }

  async close() {}
}

module.exports = [
  defineCase({
    family: WEBSOCKET_FAMILY,
    id: 'websocket-memory',
    title: 'memory of an idle connection, of 10,000',
    unit: 'bytes of RSS',
    figure: 'perClient',
    goal: '1.67× ws',
    rounds: 3,
    noWarmUp: true,
    count: { full: 10_000, quick: 100 },
    open: (name) => new Idle(name),
    measure: (idle, count) => idle.measure(count),
  }),
];
