'use strict';

/** A client whose polls come to another node each time, because there are no sticky sessions, and faster than Redis. */

const assert = require('node:assert/strict');
const { it } = require('node:test');
const { Cluster, describeCluster } = require('../../support/store-cluster');
const { PollingClient, request } = require('../../support/store-client');
const { monitor } = require('../../support/stores');

/** The node of the polls, and the other one. @type {import('../../support/store-cluster').Kind[][]} */
const PAIRS = [
  ['native', 'js'],
  ['native', 'native'],
  ['engine', 'native'],
];

for (const stores of PAIRS) {
  describeCluster(`roaming polls: ${stores.join(', ')}`, new Cluster(stores), (cluster) => {
    /** What a node has published about a poll of before, and Redis gets only now. */
    const late = (channel, id) =>
      cluster.redis.command('PUBLISH', channel, JSON.stringify({ nodeId: 'late', args: [id] }));

    it('a poll is answered where a late `open` ends it, and nothing is lost', async () => {
      const [a, b] = cluster.nodes;
      const client = await cluster.poller(a, b);
      await cluster.hang(a, client);
      await late('open', client.id);
      await client.answered();
      const { transport } = await a.call('state', client.id);
      assert.equal(transport, false);
      await a.run('sockets', ['emit', 'news', 1]);
      await cluster.barrier(a);
      await cluster.fetch(b, client);
      await cluster.hang(b, client);
      await a.run('sockets', ['emit', 'end']);
      assert.deepEqual(await client.until('end'), [[':news', 1]]);
    });

    it('so is one of jsonp-polling', async () => {
      const [a, b] = cluster.nodes;
      const client = await cluster.poller(a, b);
      const poll = request(a, `jsonp-polling/${client.id}?i=0&t=1`);
      await a.published('open', client.id);
      await late('open', client.id);
      assert.deepEqual(await poll, { status: 200, body: 'io.j[0]("8::");' });
    });

    it('the first answer waits for Redis, so that the client is not connected once more elsewhere', async () => {
      const [a, b] = cluster.nodes;
      const client = cluster.keep(new PollingClient(b, await cluster.handshake(b)));
      const answer = client.poll(a);
      await a.published('open', client.id);
      const { isAnswered } = await a.saw('handled', { method: 'GET', id: client.id });
      assert.equal(isAnswered, false);
      await cluster.barrier(a);
      assert.equal(await answer, '1::');
      await client.connected();
      await cluster.hang(b, client);
      await a.run('sockets', ['emit', 'end']);
      assert.deepEqual(await client.until('end'), []);
    });

    it('the other nodes are not told that this poll is over, for there may be a newer one', async (t) => {
      const [a, b] = cluster.nodes;
      const client = await cluster.poller(a, b);
      await cluster.hang(a, client);
      const log = await monitor(t, cluster.redis);
      await late('open', client.id);
      await client.answered();
      await cluster.barrier(a);
      const lines = await log.end();
      assert.deepEqual(
        lines.filter((line) => /"publish" "close"/i.test(line)),
        [],
      );
    });
  });
}
