'use strict';

const { reading, since } = require('./clock');

/** What is the same in every node of a cluster, whatever it runs. */
class ClusterNode {
  #broadcast;
  #before;
  #connected = 0;
  #ready = () => {};

  /** @param {(data: { sent: string, text: string }) => void} broadcast to all clients of all nodes */
  constructor(broadcast) {
    this.#broadcast = broadcast;
  }

  /** One more client is connected. */
  connected() {
    this.#connected += 1;
    this.#ready();
  }

  /** What the benchmark may ask of it. @type {Record<string, (args: any) => any>} */
  actions = {
    /** Waits until `count` clients are connected and have their data. */
    connections: async ({ count }) => {
      while (this.#connected < count)
        await new Promise((resolve) => {
          this.#ready = () => resolve(undefined);
        });
      return {};
    },

    begin: () => {
      this.#before = reading();
      return {};
    },

    /** What was used since `begin`, for each of `count` broadcasts. */
    end: ({ count }) => since(this.#before, count),

    /** Emits `count` broadcasts that bear the time, `rate` a second, a few to a turn at high rates. */
    emit: async ({ count, rate }) => {
      const start = performance.now();
      for (let sent = 0; sent < count; sent += 1) {
        const wait = start + (sent / rate) * 1000 - performance.now();
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
        this.#broadcast({ sent: String(process.hrtime.bigint()), text: 'x'.repeat(100) });
      }
      return {};
    },
  };
}

module.exports = { ClusterNode };
