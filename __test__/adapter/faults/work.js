'use strict';

/** What a millisecond of work is, however busy the machine. */
function work() {
  const end = performance.now() + 1;
  while (performance.now() < end);
}

/** How often something was done between any two turns of timers and sockets. */
function perTurn() {
  let open = true;
  const counts = [0];
  const next = () => {
    counts.push(0);
    if (open) setImmediate(next);
  };
  setImmediate(next);
  return {
    count: () => {
      counts[counts.length - 1]++;
    },
    stop: () => {
      open = false;
      return counts;
    },
  };
}

module.exports = { perTurn, work };
