'use strict';

/**
 * What the pages show: the reports of the workers, put together by the process that has started them. They come over
 * its own channel to the workers, not over Redis: so the figures do not count themselves, and go on without Redis.
 */

const COUNTS = /** @type {const} */ (['published', 'received', 'delivered', 'native', 'filtered', 'lost']);
const KEPT_GAPS = 12;

/**
 * @typedef {Record<typeof COUNTS[number], number>} Counts `received` is the sum of those behind it
 *
 * @typedef {object} Report what a worker says once a second
 * @property {number} index
 * @property {number} pid
 * @property {number} generation
 * @property {'native' | 'javascript'} engine
 * @property {number} at
 * @property {Counts} counts since it was started
 * @property {number} mainThread nanoseconds of its event loop's thread, since it was started
 * @property {number} ticks messages of the flood that were asked of it, since it was started
 * @property {number} sockets clients of the flood
 * @property {number} delay how late the event loop was, in ms: all but 1 % of the time it was less
 */

/**
 * Sorts what `stats()` counts into what became of each message.
 * @param {import('..').BackplaneStats} stats
 * @returns {Counts}
 */
function countsOf(stats) {
  const { published, received, delivered } = stats;
  const filtered = stats.filteredOwn + stats.filteredRooms + stats.filteredNamespaces + stats.filteredResponses;
  const lost = stats.overflowed + stats.malformed;
  const known = delivered + filtered + lost;
  // `deliveredNatively` has those too that the event loop got as well; `received` those that are still to be looked at.
  const native = Math.min(stats.deliveredNatively, Math.max(0, received - known));
  return { published, received: known + native, delivered, native, filtered, lost };
}

/** @param {Counts[]} all @returns {Counts} */
function sum(all) {
  const totals = COUNTS.map((name) => [name, all.reduce((total, counts) => total + counts[name], 0)]);
  return Object.fromEntries(totals);
}

/** @param {(number | null)[]} values @returns {number | null} of those that there are */
function mean(values) {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0) / known.length;
}

/** The reports of the workers that live. */
class Board {
  /** @type {Map<number, any>} */
  #workers = new Map();
  /** @type {object[]} */
  #gaps = [];
  #gapNumber = 0;

  /** @param {number} index a worker that is being started, in the place of one that is gone where there was one */
  starting(index) {
    this.#workers.set(index, { index, starting: true });
  }

  /** @param {Report} report */
  report(report) {
    const known = this.#workers.get(report.index);
    const before = known?.pid === report.pid ? known : undefined;
    this.#workers.set(report.index, { ...report, ...this.#since(before, report) });
  }

  /**
   * @param {Report | undefined} before
   * @param {Report} now
   */
  #since(before, now) {
    const seconds = before ? (now.at - before.at) / 1000 : 0;
    if (!before || seconds <= 0) return { received: 0, tickRate: 0, busy: 0, microseconds: null };
    const tickRate = (now.ticks - before.ticks) / seconds;
    const used = (now.mainThread - before.mainThread) / 1000;
    const ticks = [...this.#workers.values()].reduce(
      (total, { index, tickRate: rate = 0 }) => total + (index === now.index ? tickRate : rate),
      0,
    );
    // Clients that come or go cost more than what they get.
    const messages = before.sockets === now.sockets ? ticks * seconds * now.sockets : 0;
    return {
      received: (now.counts.received - before.counts.received) / seconds,
      tickRate,
      busy: used / 1e6 / seconds,
      microseconds: messages > 0 ? used / messages : null,
    };
  }

  /** @param {object} gap what a worker tells of one */
  gap(gap) {
    this.#gaps = [...this.#gaps, { ...gap, number: ++this.#gapNumber }].slice(-KEPT_GAPS);
  }

  /** @returns all that the pages show */
  snapshot() {
    const workers = [...this.#workers.values()].sort((a, b) => a.index - b.index);
    const alive = workers.filter(({ starting }) => !starting);
    const cost = (/** @type {string} */ engine) => {
      const flooded = alive.filter((worker) => worker.engine === engine && worker.microseconds !== null);
      return {
        microseconds: mean(flooded.map(({ microseconds }) => microseconds)),
        delay: mean(flooded.map(({ delay }) => delay)),
      };
    };
    return {
      workers,
      totals: sum(alive.map(({ counts }) => counts)),
      cost: { native: cost('native'), javascript: cost('javascript') },
      gaps: this.#gaps,
    };
  }
}

module.exports = { Board, countsOf };
