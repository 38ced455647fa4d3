// The public types, as an application uses them. `tsc` is the test.

import { RedisStore, type RedisStoreError, type RedisStoreOptions } from '../..';

const forms: RedisStoreOptions[] = [
  {},
  { redisPub: 'redis://localhost', redisSub: new URL('redis://localhost'), redisClient: { host: 'a', port: 1 } },
  { redisPub: { socket: { host: 'a', tls: true, ca: 'PEM' }, database: 1, retryStrategy: () => 5 } },
  { redis: {}, nodeId: () => 5, codec: 'msgpack', offlineQueue: { messages: 5 }, commandTimeout: 100 },
  { pack: ({ nodeId, args }) => JSON.stringify([nodeId, args]), unpack: (packed: string) => JSON.parse(packed) },
];
const store: RedisStore = new RedisStore(forms[0]);
new RedisStore();

store.publish('dispatch', 'room', '5:::{}', false, []);
store.subscribe(
  'join',
  (id: string, room: string) => `${id}${room}`,
  () => {},
);
store.subscribe('join', undefined, (error) => [error?.code, error?.command, error?.channel]);
store.unsubscribe('join');
store
  .client('id')
  .set('a', 5)
  .get('a', (error: RedisStoreError | null, value) => error?.code ?? value?.length);
store.client('id').has('a', (error, has) => error === null && has === true);
store.destroyClient('id', 15).destroyClient('id2');
store.on('gap', ({ connection, since, duration, dropped, unconfirmed }) => {
  const all: number = since + duration + dropped + unconfirmed;
  return connection === 'sub' && all;
});
store.on('error', (error) => error.code.length);
store.on('close', () => {});
store.unref().ref();
const state: 'connecting' | 'connected' | 'degraded' | 'stalled' | 'reconnecting' | 'closed' =
  store.stats().connections.pub.state;
store.destroy(state.length);

// @ts-expect-error -- an option that does not exist
new RedisStore({ redisPup: 'redis://localhost' });
// @ts-expect-error -- a codec that does not exist
new RedisStore({ codec: 'bson' });
// @ts-expect-error -- an event that does not exist
store.on('nothing', () => {});
