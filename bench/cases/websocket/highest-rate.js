'use strict';

const { highestRate } = require('../../websockets/highest-rate');
const { many, websocketCase } = require('./websocket-case');

/** ms that 99 of 100 must not exceed. */
const LIMIT = 50;

/** The highest rate at which broadcasts of another server reach the clients in time; `start`: the first one tried. */
function highest(clients, start) {
  return websocketCase({
    clients,
    id: `websocket-highest-${clients}`,
    title: `highest rate of remote broadcasts to ${many(clients)} with a p99 below ${LIMIT} ms`,
    unit: 'a second',
    figure: 'rate',
    higherIsBetter: true,
    goal: '2× ws, 1.3× uWebSockets.js',
    // Seconds of one trial.
    count: { full: 2, quick: 0.2 },
    rounds: 2,
    noWarmUp: true,
    fullOnly: clients > 100,
    measure: (sockets, seconds) => search(sockets, start, seconds),
  });
}

async function search(sockets, start, seconds) {
  const sum = { received: 0, expected: 0, mistake: '' };
  const passes = async (rate) => {
    const trial = await sockets.remote(Math.max(2, Math.round(rate * seconds)), rate);
    sum.received += trial.received;
    sum.expected += trial.expected;
    sum.mistake ||= trial.mistake;
    return trial.p99 < LIMIT;
  };
  // Something else on the machine may have been in the way: so it has two tries.
  const rate = await highestRate(start, seconds < 1 ? 0 : 2, async (rate) => (await passes(rate)) || passes(rate));
  return { ...sum, rate };
}

module.exports = [highest(100, 400), highest(1_000, 40), highest(5_000, 8)];
