'use strict';

const { after, before, describe, it } = require('node:test');
const { assertChat, hearing, hearingSharded, join, start } = require('./adapter.js');
const { slotOf, startCluster } = require('../../dev/redis-cluster.js');
const { LIMIT } = require('../support/limits.js');

const CLIENTS = ['addresses', 'redis', 'ioredis'];

describe('examples/adapter-redis-cluster', LIMIT, () => {
  let cluster;
  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster?.stop());

  const running = () => cluster.running.map(({ server }) => server);

  it('says on one server what is heard on those with other clients, by createAdapter', async (t) => {
    const servers = await startAll(t, {});
    await hearing(running(), servers.length);
    await assertChat(await Promise.all(servers.map((server) => join(t, server))));
  });

  it('does so by createShardedAdapter, also when its master is gone', async (t) => {
    const servers = await startAll(t, { SHARDED: 'yes' });
    await hearingSharded(running(), servers.length);
    const joined = await Promise.all(servers.map((server) => join(t, server)));
    await assertChat(joined);

    const { port } = await cluster.masterOf(slotOf('socket.io#/#'));
    await cluster.kill(port);
    await cluster.failover(port);
    await hearingSharded(running(), servers.length);
    await assertChat(joined);
  });

  /** Starts a server with each client; all enter by one node. */
  function startAll(t, more) {
    const REDIS_NODES = `${cluster.running[0].host}:${cluster.running[0].port}`;
    return Promise.all(
      CLIENTS.map((CLIENT) => start(t, 'adapter-redis-cluster', { env: { REDIS_NODES, CLIENT, ...more } })),
    );
  }
});
