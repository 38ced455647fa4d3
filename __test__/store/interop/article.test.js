'use strict';

/** The store as the article makes it. */

const assert = require('node:assert/strict');
const net = require('node:net');
const { describe, it } = require('node:test');
const { Cluster, describeCluster } = require('../../support/store-cluster');
const { LIMIT } = require('../../support/limits');

const DEFAULT_PORT = 6379;

/** @param {Cluster} cluster */
function works(cluster) {
  it('broadcasts in all directions, hands a client over, and shares its data', async () => {
    for (const [a, b] of [cluster.nodes, [...cluster.nodes].reverse()]) {
      const client = await cluster.connect(b, { id: await cluster.handshake(a, { user: 'Zoë' }) });
      assert.equal((await b.saw('connection', { id: client.id })).handshake.user, 'Zoë');
      await a.run('sockets', ['emit', 'news', 'ünï']);
      assert.deepEqual(await client.event('news'), ['ünï']);
      await a.call('session', client.id, 'set', 'name', 'Zoë');
      assert.equal(await b.call('session', client.id, 'get', 'name'), 'Zoë');
    }
  });
}

/** @returns {Promise<boolean>} whether nobody has Redis' own port */
function isDefaultPortFree() {
  return new Promise((resolve) => {
    const server = net.createServer().once('error', () => resolve(false));
    server.listen(DEFAULT_PORT, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

describeCluster('redis clients', new Cluster(['native', 'js'], { form: 'clients' }), works);
describeCluster(
  'redis clients that log in',
  new Cluster(['native', 'js'], { form: 'clients', password: 'pass: €' }),
  works,
);
describeCluster(
  'SocketIO.RedisStore replaced',
  new Cluster(['native', 'native'], { form: 'clients', oneLiner: true }),
  works,
);

describe('new RedisStore', LIMIT, async () => {
  const options = (await isDefaultPortFree()) ? {} : { skip: `another process has port ${DEFAULT_PORT}` };
  const cluster = new Cluster(['native', 'js', 'native'], { form: 'default', port: DEFAULT_PORT });
  describeCluster(`localhost:${DEFAULT_PORT}`, cluster, works, options);
});
