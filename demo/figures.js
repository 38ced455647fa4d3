'use strict';

const { monitorEventLoopDelay } = require('node:perf_hooks');
const { mainThreadNs } = require('../dev/main-thread.js');
const { countsOf } = require('./board.js');

const INTERVAL = 1000;
const RESOLUTION = 10; // ms: the histogram has it in every value

/** What a worker tells the process that has started it: once a second how it is, and each gap. */
class Figures {
  #delay = monitorEventLoopDelay({ resolution: RESOLUTION });
  /** The most messages that waited to be published since the last gap. */
  #waited = 0;

  /**
   * @param {import('./worker.js').SocketIO} backend
   * @param {object} worker what is to be said of this process
   * @param {Map<any, { who: string, nick: string, room: string }>} people the sockets here
   * @param {import('./load-here.js').LoadHere} load
   */
  constructor(backend, worker, people, load) {
    this.backend = backend;
    this.worker = worker;
    this.people = people;
    this.load = load;
    this.#delay.enable();
  }

  /** @param {(message: { type: string, [detail: string]: unknown }) => void} tell */
  start(tell) {
    this.backend.onGap((gap) => {
      tell({ type: 'gap', gap: this.#describe(gap) });
      this.#waited = 0;
    });
    setInterval(() => tell({ type: 'report', report: this.#report() }), INTERVAL);
  }

  #describe({ connection, duration, dropped, unconfirmed, stream }) {
    const { index } = this.worker;
    const waited = Math.max(this.#waited, this.backend.stats().queues.publish.messages);
    return { index, at: Date.now(), connection, duration, dropped, unconfirmed, stream: stream !== undefined, waited };
  }

  #report() {
    const { backend, worker, people, load } = this;
    const stats = backend.stats();
    const queued = stats.queues.publish.messages;
    this.#waited = Math.max(this.#waited, queued);
    const delay = Math.max(0, this.#delay.percentile(99) / 1e6 - RESOLUTION);
    this.#delay.reset();
    return {
      ...worker,
      at: Date.now(),
      counts: countsOf(stats),
      queued,
      connections: backend.connections(),
      away: backend.away(),
      people: [...people.values()].map(({ who, nick, room }) => ({ who, nick, room })),
      mainThread: mainThreadNs(),
      delay,
      ...load.figures(),
    };
  }
}

module.exports = { Figures };
