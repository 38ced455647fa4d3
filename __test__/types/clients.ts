// The newest clients are endpoints, as their own types have them.

import { Cluster, Redis } from 'ioredis-6';
import { createClient, createCluster, createSentinel } from 'redis-6';
import { createAdapter, RedisStore, type RedisEndpoint } from '../..';

createAdapter(createClient({ socket: { port: 1 } }), new Redis());
new RedisStore({ redisPub: createClient(), redisSub: new Redis() });

const cluster = createCluster({ rootNodes: [{ url: 'redis://localhost' }] });
const sentinel = createSentinel({ name: 'main', sentinelRootNodes: [{ host: 'a', port: 1 }] });
createAdapter(cluster, new Cluster(['redis://localhost']));
createAdapter(sentinel, new Redis({ sentinels: [{ host: 'a' }], name: 'main' }));

const many: RedisEndpoint[] = [
  ['redis://a:1', new URL('redis://b:1')],
  { cluster: ['redis://a:1', { host: 'b', port: 1 }], password: 'secret', tls: { ca: 'PEM' }, clientName: 'chat' },
  {
    cluster: [{ host: 'b' }],
    natMap: { 'a:1': { host: 'b', port: 1 } },
    dnsLookup: (name, found) => found(null, name),
  },
  { cluster: [{ host: 'b' }], nodeAddressMap: async (address) => (address === 'a:1' ? { host: 'b', port: 1 } : null) },
  { sentinels: [{ host: 'a' }], name: 'main', sentinelPassword: 'secret', sentinelTls: true, db: 3 },
  { name: 'main', sentinelRootNodes: [{ host: 'a', port: 1 }], nodeClientOptions: { password: 'secret' } },
  { rootNodes: [{ url: 'redis://a:1' }], defaults: { password: 'secret' }, useReplicas: true },
  { credentials: async () => ({ username: 'bob', password: 'secret' }) },
];
for (const endpoint of many) new RedisStore({ redisPub: endpoint });

// @ts-expect-error -- an answer that is none
createAdapter({ credentials: async () => 'secret' });
// @ts-expect-error -- Sentinels by name only
createAdapter({ sentinels: ['a'], name: 'main' });
