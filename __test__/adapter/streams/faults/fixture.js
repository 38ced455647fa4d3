'use strict';

/** Servers on streams, and what stands in these. */

const { createStreamsAdapter } = require('../../../..');
const { SHORT } = require('../../../support/limits');

/** The options of Socket.IO by which clients can be recovered. */
const RECOVERY = { connectionStateRecovery: {} };
/** What servers differ in: the end of a test's title, and options of Socket.IO. @type {[string, object][]} */
const SERVERS = [
  ['', {}],
  [', where clients can be recovered', RECOVERY],
];

/**
 * A server on streams, once it reads.
 * @param {import('../../faults/fixture').Fixture} fixture
 * @param {{ url?: any, server?: object, namespaces?: string[], [option: string]: any }} [settings] where Redis is, Socket.IO's options, and the adapter's
 */
async function streamsNode(fixture, { url = fixture.redis.url, server = {}, namespaces, ...opts } = {}) {
  const factory = createStreamsAdapter(url, { commandTimeout: SHORT, ...opts });
  // Once the server is closed: what it has still to send, such as sessions, leaves before Redis goes.
  fixture.after(() => factory.close());
  const node = await fixture.node({ factory, server, namespaces, connects: false });
  await factory.ready();
  return node;
}

/**
 * The events in a stream, without those of volatile packets.
 * @param {{ command: (...args: any[]) => Promise<any> }} redis
 * @returns {Promise<any[][]>} `[event, ...args]` each, which have to be JSON
 */
async function added(redis, stream = 'socket.io') {
  const entries = await redis.command('XRANGE', stream, '-', '+');
  return entries.map(([, fields]) => JSON.parse(fields[fields.indexOf('data') + 1]).packet.data);
}

/**
 * The gaps that tell of entries; others tell of what crosses by Pub/Sub.
 * @param {{ eventLog: () => import('../../../support/load').EventLog }} node
 */
function gapsOfStreams(node) {
  return node
    .eventLog()
    .all('gap', 'sub')
    .filter(({ stream }) => stream !== undefined);
}

module.exports = { RECOVERY, SERVERS, added, gapsOfStreams, streamsNode };
