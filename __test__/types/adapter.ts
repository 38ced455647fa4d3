// The types for Socket.IO 4, as an application uses them. `tsc` is the test.

import { createServer } from 'node:http';
import { Server } from 'socket.io-4';
import {
  createAdapter,
  createStreamsAdapter,
  RedisAdapter,
  RedisStore,
  type AdapterFactory,
  type AdapterOptions,
  type BackplaneEvents,
  type BackplaneOptions,
  type BackplaneStats,
  type ConnectionName,
  type ConnectionStats,
  type CreateAdapterOptions,
  type CreateStreamsAdapterOptions,
  type PartialAnswer,
  type QueueDepth,
  type RedisAdapterEvents,
  type RedisAdapterOptions,
  type RedisEndpoint,
  type RedisStoreError,
  type SocketFilter,
  type SubscriberStats,
} from '../..';

const connections: BackplaneOptions = {
  offlineQueue: { messages: 10, bytes: 1024 },
  mailbox: { messages: 10, bytes: 1024 },
  overflow: 'drop-newest',
  commandTimeout: 100,
};
const options: AdapterOptions = {
  key: 'chat',
  requestsTimeout: 100,
  publishOnSpecificResponseChannel: true,
  parser: { encode: (message) => JSON.stringify(message), decode: (payload: Buffer) => JSON.parse(payload.toString()) },
  subscriptionMode: 'dynamic-private',
  partial: true,
};
const all: CreateAdapterOptions = { ...options, ...connections, overflow: 'disconnect' };
const endpoint: RedisEndpoint = { host: 'localhost', tls: { ca: 'PEM' } };

const streams: CreateStreamsAdapterOptions = {
  streamCount: 3,
  maxLen: 1000,
  useShardedPubSub: true,
  persistSessions: 'always',
  recovery: { packets: 100, bytes: 1024 },
  limits: { rooms: 10 },
};

const factories: AdapterFactory[] = [
  createAdapter(),
  createAdapter('redis://localhost'),
  createAdapter('redis://localhost', { key: 'chat' }),
  createAdapter(new URL('redis://localhost'), null),
  createAdapter({ host: 'localhost' }, endpoint, all),
  createAdapter(null, undefined, options),
  createStreamsAdapter(),
  createStreamsAdapter('redis://localhost', { streamName: 'chat', ...connections }),
  createStreamsAdapter(endpoint, streams),
];
const store = new RedisStore({ redisPub: 'redis://localhost', ...connections });
const io = new Server(createServer(), { adapter: createAdapter('redis://localhost', { subscriptionMode: 'dynamic' }) });
new Server({ adapter: store.adapter() }).adapter(store.adapter(options));
io.adapter(factories[0]);

const adapter = io.of('/').adapter as RedisAdapter;
const own: typeof adapter.uid | undefined = narrowed()?.uid;
function narrowed(): RedisAdapter | undefined {
  const { adapter: found } = io.of('/');
  return found instanceof RedisAdapter ? found : undefined;
}
const officialOptions: Partial<RedisAdapterOptions> = { key: 'chat', requestsTimeout: 100 };
adapter.requestsTimeout = 100;
const waiting: number = adapter.requests.size + adapter.ackRequests.size;
const names: string[] = [
  adapter.uid,
  adapter.channel,
  adapter.requestChannel,
  adapter.responseChannel,
  adapter.specificResponseChannel,
];
const passed: [unknown, unknown] = [adapter.pubClient, adapter.subClient];
const timeout: number = adapter.publishOnSpecificResponseChannel
  ? adapter.requestsTimeout
  : names.length + passed.length;
const packed: string | Buffer = adapter.parser.encode([timeout]);
const here: [Set<string> | undefined, Set<string> | undefined] = [adapter.rooms.get('room'), adapter.sids.get('id')];

const filter: SocketFilter = { rooms: ['a', 1], except: new Set(['b']), flags: { local: true }, partial: true };
async function ask(): Promise<number> {
  const rooms: Set<string> = await adapter.allRooms({ partial: true });
  const sockets = await adapter.fetchSockets({ ...filter, rooms: new Set<string>() });
  const ids = await adapter.fetchSocketIds(filter);
  const partial: PartialAnswer | undefined = ids.partial ?? sockets.partial;
  await adapter.fetchSocketIds();
  await adapter.close();
  const missing: string[] = partial?.missing ?? [];
  return (
    (await adapter.serverCount()) +
    (await adapter.countSockets()) +
    (await adapter.countSockets(filter)) +
    rooms.size +
    missing.length
  );
}

adapter.on('partial', ({ request, expected, received, missing }) => {
  const [first]: string[] = [request, ...missing];
  return [first, expected - received];
});
adapter.on('gap', ({ connection, dropped }) => {
  const name: ConnectionName = connection;
  return [name, dropped.toFixed()];
});
adapter.on('error', (error: RedisStoreError) => error.code);
adapter.on('join-room', (room: string, id: string) => room + id);
adapter.once('create-room', (room) => room.length).once('close', () => {});
const reconnecting: BackplaneEvents['reconnecting'][0] = { connection: 'sub', endpoint: 'a:1', attempt: 1, delay: 50 };
const left: RedisAdapterEvents['leave-room'] = ['room', 'id'];

const stats: BackplaneStats = adapter.stats();
const sub: SubscriberStats = stats.connections.sub;
const whole: ConnectionStats[] = [sub, stats.connections.pub].filter(
  ({ state }) => state === 'connected' && sub.refused.length === 0,
);
const depth: QueueDepth = stats.queues.mailbox;
const lost: number =
  stats.overflowed +
  stats.internalErrors +
  whole.length +
  stats.filteredRooms +
  stats.filteredNamespaces +
  stats.filteredResponses +
  depth.bytes;

// @ts-expect-error -- an option that does not exist
createAdapter('redis://localhost', null, { keys: 'chat' });
// @ts-expect-error -- a way of subscribing that does not exist
createAdapter('redis://localhost', null, { subscriptionMode: 'sharded' });
// @ts-expect-error -- a parser that cannot unpack
createAdapter('redis://localhost', null, { parser: { encode: JSON.stringify } });
// @ts-expect-error -- what happens when the mailbox is full is one of four
createAdapter(undefined, undefined, { overflow: 'drop' });
// @ts-expect-error -- a misspelt option does not make it an endpoint
createAdapter({ requestTimeout: 100 });
// @ts-expect-error -- nor where options may stand
createAdapter('redis://localhost', { requestTimeout: 100 });
// @ts-expect-error -- nor in a socket
createAdapter({ socket: { hots: 'localhost' } });
// What clients know is accepted.
createAdapter({ host: 'localhost', retryStrategy: () => 1, lazyConnect: true, socket: { connectTimeout: 1 } });
// @ts-expect-error -- a number is no endpoint
createAdapter(6379);
// @ts-expect-error -- the connections are the store's, and so are their options
store.adapter({ commandTimeout: 100 });
// @ts-expect-error -- what a gap does not tell
adapter.on('gap', ({ lost: number }) => {});
// @ts-expect-error -- a filter has no id
adapter.countSockets({ id: 'id' });
// @ts-expect-error -- the uid is the adapter's own
adapter.uid = 'mine';
// @ts-expect-error -- figures are counted, not set to texts
stats.received = '5';

export { ask, here, officialOptions, own, waiting, left, lost, packed, reconnecting, sub };
