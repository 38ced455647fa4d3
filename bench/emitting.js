'use strict';

const { reading, since } = require('./clock');

/** ms after which a round is over though its last message is missing. */
const PATIENCE = 60_000;

/**
 * Emits `count` times, `burst` to a turn of the event loop, and measures until all has come out of Redis; no more than
 * `chunk` are under way.
 * @param {{ count: number, chunk: number, burst: number, data: Record<string, unknown> }} what
 * @param {(data: Record<string, unknown>) => void} emit
 * @param {import('./arrivals').Arrivals} ended what ends a chunk arrives there
 */
async function emitInChunks({ count, chunk, burst, data }, emit, ended) {
  const before = reading();
  for (let sent = 0; sent < count;) {
    const end = ended.expect(1, PATIENCE);
    for (const goal = Math.min(count, sent + chunk); sent < goal;) {
      for (let i = 0; i < burst && sent < goal; i += 1, sent += 1) {
        data.sequence = sent;
        emit(data);
      }
      await new Promise(setImmediate);
    }
    await end;
  }
  return since(before, count);
}

module.exports = { emitInChunks, PATIENCE };
