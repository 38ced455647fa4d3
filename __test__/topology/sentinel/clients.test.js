'use strict';

/** Every object that stands for a Sentinels' master, for stores and adapters, before and after a failover. */

const { after, before, describe, it } = require('node:test');
const { Server } = require('socket.io-4');

const { RedisStore, createAdapter } = require('../../..');
const { startSentinels } = require('../../../dev/redis-sentinel');
const { LIMIT } = require('../../support/limits');
const { closeAll, until } = require('../../support/load');
const { subscribe } = require('../../support/stores');

const [password, sentinelPassword] = ['data', 'watch'];

let all;
before(async () => {
  all = await startSentinels({ password, sentinelPassword });
});
after(() => all?.stop());

const nodes = () => all.sentinels.map(({ host, port }) => ({ host, port }));

const kinds = {
  options: () => ({ sentinels: nodes(), name: all.name, password, sentinelPassword }),
  "options as redis' createSentinel takes them": () => ({
    name: all.name,
    sentinelRootNodes: nodes(),
    nodeClientOptions: { password },
    sentinelClientOptions: { password: sentinelPassword },
  }),
  'options with a natMap that leads nowhere else': () => ({
    ...kinds.options(),
    natMap: Object.fromEntries(all.data.map(({ host, port }) => [`${host}:${port}`, { host, port }])),
  }),
};
for (const family of ['ioredis-4', 'ioredis-5', 'ioredis-6']) {
  const Redis = require(family);
  kinds[`a client of ${family}`] = () =>
    new (Redis.default ?? Redis)({ ...kinds.options(), lazyConnect: true, retryStrategy: null });
}
for (const family of ['redis-6']) {
  kinds[`createSentinel of ${family}`] = () => {
    const { createSentinel } = require(family);
    return createSentinel(kinds["options as redis' createSentinel takes them"]()).on('error', () => {});
  };
}

/** @param {RedisStore} a @param {RedisStore} b */
async function exchange(a, b, channel) {
  let heard = 0;
  await subscribe(b, channel, () => heard++);
  await until('a message to arrive', () => {
    a.publish(channel, 'hello');
    return heard > 0;
  });
}

describe('the master that Sentinels name', LIMIT, () => {
  for (const [kind, make] of Object.entries(kinds)) {
    it(`by ${kind}`, async (t) => {
      const stores = [1, 2].map(() => new RedisStore({ redisPub: make(), redisSub: make(), redisClient: make() }));
      t.after(() => closeAll(...stores));
      const adapters = [1, 2].map(() => createAdapter(make(), make()));
      const servers = adapters.map((adapter) => new Server(0, { adapter }));
      t.after(() => Promise.all(servers.map((io) => io.close())));
      for (const io of servers) await until('both to count two', async () => (await count(io)) === 2);
      await exchange(stores[0], stores[1], 'before');
      await all.failover();
      await exchange(stores[0], stores[1], 'after');
      for (const io of servers) await until('both to count two', async () => (await count(io)) === 2);
      await all.healthy();
    });
  }
});

/** @param {Server} io */
async function count(io) {
  return io
    .of('/')
    .adapter.serverCount()
    .catch(() => 0);
}
