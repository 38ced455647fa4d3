'use strict';

/** Several Redis servers on this machine that belong together, each of which can be taken away and given back. */

const { startRedis } = require('./redis-server');

const HOST = '127.0.0.1';

/**
 * @typedef {object} Node
 * @property {string} host
 * @property {number} port
 * @property {'up' | 'down' | 'paused'} state
 * @property {Awaited<ReturnType<typeof startRedis>>} server
 */

/**
 * @param {Parameters<typeof startRedis>[0]} settings
 * @returns {Promise<Node>}
 */
async function startNode(settings) {
  const server = await startRedis(settings);
  return { host: HOST, port: server.port, state: 'up', server };
}

/**
 * What knows how its servers depend on each other begins with this.
 * @template {Node} [N=Node]
 */
class Nodes {
  #lists;

  /** @param {...N[]} lists which may still grow */
  constructor(...lists) {
    this.#lists = lists;
  }

  /** All of them, whatever they do. */
  get nodes() {
    return this.#lists.flat();
  }

  /** @param {number} port */
  node(port) {
    const node = this.nodes.find((each) => each.port === port);
    if (!node) throw new Error(`no server of these is on port ${port}`);
    return node;
  }

  /** Kills a server without a farewell. @param {number} port */
  async kill(port) {
    const node = this.node(port);
    node.state = 'down';
    await node.server.kill();
  }

  /** Starts a server again that was killed, or that runs: empty, with what its configuration says. @param {number} port */
  async restart(port) {
    const node = this.node(port);
    await this.kill(port);
    await node.server.restart();
    node.state = 'up';
  }

  /** Freezes a server: for the others it is cut off. @param {number} port */
  pause(port) {
    this.node(port).state = 'paused';
    this.node(port).server.pause();
  }

  /** @param {number} port */
  resume(port) {
    this.node(port).server.resume();
    this.node(port).state = 'up';
  }

  /** Ends all servers and removes what they have left. */
  async stop() {
    await Promise.all(this.nodes.map(({ server }) => server.stop()));
  }
}

module.exports = { HOST, Nodes, startNode };
