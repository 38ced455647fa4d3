'use strict';

const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');

const { Child } = require('../ipc');
const { now } = require('./clock');

const POLL = 25;
/** How long nodes may take until all hear each other, in ms. */
const START_PATIENCE = 120_000;
const SCRIPT = path.join(__dirname, 'node.js');

/** The nodes of one side: processes that the schedule conducts. */
class Fleet {
  /**
   * Starts the nodes, and resolves once all of them hear each other.
   * @param {string} side
   * @param {import('./sides').Way[]} ways one for each node
   * @param {Record<string, string>} [env] more of the environment of each node
   */
  static async start(side, ways, env) {
    const fleet = new Fleet();
    fleet.side = side;
    fleet.names = ways.map((_, index) => `node${index}`);
    fleet.nodes = ways.map(() => new Child(SCRIPT, ['--expose-gc'], env));
    const start = (node, index) =>
      node.ask('start', { name: fleet.names[index], side, way: ways[index], nodes: ways.length });
    const timer = new AbortController();
    const late = delay(START_PATIENCE, undefined, { signal: timer.signal }).then(() => {
      throw new Error(`${side}: its nodes do not hear each other after ${START_PATIENCE} ms`);
    });
    try {
      await Promise.race([Promise.all(fleet.nodes.map(start)), late]);
      late.catch(() => {});
      timer.abort();
    } catch (error) {
      fleet.stop();
      throw error;
    }
    return fleet;
  }

  /** @param {string} action @param {object} [args] @returns {Promise<any[]>} what each node answers */
  ask(action, args) {
    return Promise.all(this.nodes.map((node) => node.ask(action, args)));
  }

  /** @returns {Promise<Record<string, any>>} by node */
  async journals() {
    const journals = await this.ask('journal');
    return Object.fromEntries(this.names.map((name, index) => [name, journals[index]]));
  }

  /**
   * Waits until every node has from each other one what `enough` asks for, of each stream.
   * @param {(last: { number: number, sent: number } | undefined, stream: string, sender: any) => boolean} enough
   * @param {number} patience in ms
   * @returns {Promise<boolean>} whether they had
   */
  async #all(enough, patience) {
    for (const deadline = Date.now() + patience; Date.now() < deadline; await delay(POLL)) {
      const all = await this.ask('progress');
      const done = all.every(({ received }, index) =>
        all.every((sender, other) => {
          if (other === index) return true;
          return Object.keys(sender.sent).every((stream) =>
            enough(received[stream]?.[this.names[other]], stream, sender),
          );
        }),
      );
      if (done) return true;
    }
    return false;
  }

  /** Waits until every node has from each other one a message that was sent after `time`. */
  hears(time, patience) {
    return this.#all((last) => last !== undefined && last.sent > time, patience);
  }

  /** Waits until every node has the last message of each other one. */
  settles(patience) {
    return this.#all((last, stream, { sent }) => last?.number === sent[stream], patience);
  }

  /** @param {number} patience @returns {Promise<boolean>} whether all writes of session data were answered */
  async answered(patience) {
    for (const deadline = Date.now() + patience; Date.now() < deadline; await delay(POLL)) {
      const all = await this.ask('progress');
      if (all.every(({ unanswered }) => unanswered === 0)) return true;
    }
    return false;
  }

  /**
   * Sends until all hear each other, and then no more. The official adapter for streams does not know where to read on
   * before it has read something.
   */
  async warmUp() {
    await this.ask('begin');
    await this.hears(now(), START_PATIENCE);
    await this.ask('end');
    await this.settles(START_PATIENCE);
  }

  stop() {
    for (const node of this.nodes) node.stop();
  }
}

module.exports = { Fleet };
