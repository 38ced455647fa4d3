'use strict';

const path = require('node:path');

const { openLoad, startPatientRedis } = require('./fixture');
const { Child } = require('./ipc');

/** Servers, real WebSocket clients spread over them, a Redis and its load. */
class Cluster {
  /**
   * @param {string} name
   * @param {object} size
   * @param {number} size.nodes
   * @param {number} size.clients in all
   * @param {string} [size.script] what a node runs
   * @param {string} [size.protocol] what the clients speak
   */
  static async open(name, { nodes, clients, script = 'store-node.js', protocol = 'store' }) {
    const redis = await startPatientRedis();
    const cluster = Object.assign(new Cluster(), { redis, clients, load: await openLoad(redis) });
    cluster.nodes = Array.from({ length: nodes }, () => new Child(path.join(__dirname, script)));
    cluster.crowd = new Child(path.join(__dirname, 'clients.js'));
    const started = await Promise.all(
      cluster.nodes.map((node) => node.ask('start', { name, port: redis.port, nodes })),
    );
    await cluster.crowd.ask('connect', { ports: started.map(({ port }) => port), count: clients, protocol });
    await Promise.all(cluster.nodes.map((node) => node.ask('connections', { count: Math.floor(clients / nodes) })));
    return cluster;
  }

  /** Broadcasts from the first node; what clients see, and what the nodes use. */
  broadcast(count, rate) {
    return this.#measure(count, rate, () => this.nodes[0].ask('emit', { count, rate }));
  }

  /** Broadcasts from outside; `message`: a channel and a payload with the time. */
  publish(count, rate, message) {
    return this.#measure(count, rate, () => this.load.ask('stamped', { ...message, count, rate }));
  }

  async #measure(count, rate, send) {
    const expected = count * this.clients;
    await Promise.all(this.nodes.map((node) => node.ask('begin')));
    let sent;
    const patience = (count / rate) * 1000 + 10_000;
    const seen = await this.crowd.ask('collect', { count: expected, patience }, () => {
      sent = send();
    });
    await sent;
    const used = await Promise.all(this.nodes.map((node) => node.ask('end', { count })));
    const mean = (key) => used.reduce((sum, figures) => sum + figures[key], 0) / used.length;
    const peak = Math.max(...used.map((figures) => figures.peak));
    return { ...seen, expected, main: mean('main'), cpu: mean('cpu'), rss: mean('rss'), peak };
  }

  async close() {
    for (const child of [...this.nodes, this.crowd, this.load]) child.stop();
    await this.redis.stop();
  }
}

module.exports = { Cluster };
