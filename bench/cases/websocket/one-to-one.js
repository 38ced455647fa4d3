'use strict';

const { many, websocketCase } = require('./websocket-case');

const CLIENTS = 1_000;
const BURST = 100;
const RATE = 10_000;
const SECONDS = 1;

const among = {
  clients: CLIENTS,
  count: { full: RATE * SECONDS, quick: RATE / 5 },
};

module.exports = [
  websocketCase({
    ...among,
    id: 'websocket-unicast',
    title: `socket.emit to one of ${many(CLIENTS)}, ${BURST} to a tick`,
    goal: '2.5× ws',
    measure: (sockets, count) => sockets.unicast(count, RATE, BURST),
  }),
  websocketCase({
    ...among,
    id: 'websocket-up',
    title: `message of one of ${many(CLIENTS)} clients, ${BURST} at once`,
    rows: [
      { goal: '2.5× ws' },
      { title: 'the same: until its handler has it, p50', unit: 'ms', figure: 'p50', goal: '1× ws' },
      { title: 'the same: until its handler has it, p99', unit: 'ms', figure: 'p99', goal: '1× ws' },
    ],
    measure: (sockets, count) => sockets.up(count, RATE, BURST),
  }),
];
