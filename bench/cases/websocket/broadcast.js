'use strict';

const { many, websocketCase } = require('./websocket-case');

const MAIN = { figure: 'main', unit: 'µs of main thread a socket', goal: '≤ 0.05 µs' };
const PROCESS = { figure: 'cpu', unit: 'µs of the process a socket', goal: '2× ws, 1.25× uWebSockets.js' };
const LATE = { figure: 'p99', unit: 'ms to the client, p99', goal: '2× ws' };
const DELAY = { figure: 'delay', unit: 'ms of event-loop delay, p99', goal: '≤ 2 ms' };

/** Broadcasts of another server, `rate` a second. */
function remote(clients, rate, full, { delay = false } = {}) {
  const title = `remote broadcast to ${many(clients)}, ${rate} a second`;
  const rows = [MAIN, PROCESS, LATE, ...(delay ? [DELAY] : [])];
  return websocketCase({
    clients,
    id: `websocket-remote-${clients}`,
    rows: rows.map((row) => ({ ...row, title: row === MAIN ? title : `${title}: ${row.unit}` })),
    title,
    count: { full, quick: Math.ceil(full / 10) },
    fullOnly: clients === 1_000,
    measure: async (sockets, count) => ({
      ...(await sockets.remote(count, rate)),
      ...(delay ? await sockets.delay(count, rate) : {}),
    }),
  });
}

/** The server's own broadcasts, `rate` a second. */
function local(clients, rate, full) {
  return websocketCase({
    clients,
    ...MAIN,
    id: `websocket-local-${clients}`,
    title: `io.emit to ${many(clients)}, ${rate} a second`,
    count: { full, quick: Math.ceil(full / 10) },
    fullOnly: clients > 100,
    measure: (sockets, count) => sockets.local(count, rate),
  });
}

module.exports = [
  remote(100, 100, 200),
  remote(1_000, 20, 40),
  remote(5_000, 4, 6, { delay: true }),
  local(100, 100, 200),
  local(1_000, 20, 30),
  local(5_000, 4, 5),
];
