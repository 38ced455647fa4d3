'use strict';

const { reading, since } = require('./clock');
const { pace } = require('./pace');

/** What is the same in every node of a cluster, whatever it runs. */
class ClusterNode {
  #broadcast;
  #before;
  #connected = 0;
  #ready = () => {};

  /** @param {(number: number) => void} broadcast to all clients of all nodes; the how manieth, from 1 */
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

    /** Broadcasts `count` times, `rate` a second, a few to a turn at high rates. */
    emit: async ({ count, rate }) => {
      await pace(count, rate, (index) => this.#broadcast(index + 1));
      return {};
    },
  };
}

/** What a broadcast bears that is sent now. */
function dataNow() {
  return { sent: String(process.hrtime.bigint()), text: 'x'.repeat(100) };
}

module.exports = { ClusterNode, dataNow };
