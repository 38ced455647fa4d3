'use strict';

const { WEBSOCKET_FAMILY } = require('../../websockets/engines');
const { WebSockets } = require('../../websockets/fixture');
const { CROWD, FEW, KINDS, ONE } = require('../../websockets/messages');
const { defineCase } = require('../case');
const { many, QUICK } = require('./websocket-case');

const CLIENTS = 10_000;
/** A second. */
const CROWD_RATE = 1;
const FEW_RATE = 50;
const ONE_RATE = 100;

module.exports = [
  defineCase({
    family: WEBSOCKET_FAMILY,
    id: 'websocket-beside',
    title: `beside remote broadcasts to ${many(CLIENTS)}, ${CROWD_RATE} a second`,
    rows: [
      { figure: 'few', title: `beside a broadcast to ${many(CLIENTS)}: a remote one to 10`, unit: 'ms, p99' },
      { figure: 'one', title: `beside a broadcast to ${many(CLIENTS)}: socket.emit`, unit: 'ms, p99' },
    ],
    rounds: 3,
    // Seconds.
    count: { full: 4, quick: 1 },
    open: async (name, { quick }) => {
      const sockets = await WebSockets.open(name, { rooms: { [CROWD]: quick ? QUICK : CLIENTS, [FEW]: 10, [ONE]: 1 } });
      return sockets.connect();
    },
    async measure(sockets, seconds) {
      const { ages, ...seen } = await sockets.beside({
        [CROWD]: { kind: KINDS.broadcast, count: CROWD_RATE * seconds, rate: CROWD_RATE },
        [FEW]: { kind: KINDS.few, count: FEW_RATE * seconds, rate: FEW_RATE },
        [ONE]: { kind: KINDS.unicast, count: ONE_RATE * seconds, rate: ONE_RATE },
      });
      return { ...seen, few: ages[KINDS.few].p99, one: ages[KINDS.unicast].p99 };
    },
  }),
];
