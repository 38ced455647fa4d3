'use strict';

/** Clients that lose their connection and come back, maybe to another server, as browsers do. */

const { AdapterClient } = require('./adapter-client');
const { until } = require('./load');

/**
 * Breaks a client's connection; resolves once the session is there.
 * @param {any} cluster
 * @param {AdapterClient} client
 * @param {string} [prefix] of the keys of sessions
 */
async function breakOff(cluster, client, prefix = 'sio:session:') {
  /** @type {any} */ (client.manager).engine.close();
  await client.gone();
  const key = prefix + /** @type {any} */ (client.socket)._pid;
  await until('the session', () => cluster.redis.command('EXISTS', key));
}

/**
 * Connects a client again.
 * @param {any} cluster
 * @param {AdapterClient} before
 * @param {import('./adapter-node').AdapterNode} node
 * @param {{ offset?: any, pid?: any }} [what] what it says instead of what it knows
 */
async function comeBack(cluster, before, node, what = {}) {
  return cluster.keep(await successorOf(before, node, what).open());
}

/**
 * The same without a connection.
 * @param {AdapterClient} before
 * @param {import('./adapter-node').AdapterNode} node
 * @param {{ offset?: any, pid?: any }} [what]
 */
function successorOf(before, node, what = {}) {
  const client = new AdapterClient(node, before.nsp);
  const { _pid, _lastOffset } = /** @type {any} */ (before.socket);
  Object.assign(client.socket, { _pid: what.pid ?? _pid, _lastOffset: what.offset ?? _lastOffset });
  return client;
}

/** Events without their offsets. @param {any[][]} events */
function withoutOffsets(events) {
  return events.map((event) => (/^\d+-\d+$/.test(event.at(-1)) ? event.slice(0, -1) : event));
}

module.exports = { breakOff, comeBack, successorOf, withoutOffsets };
