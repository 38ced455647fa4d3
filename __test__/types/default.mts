// The default export, as a module of an application imports it. `tsc` is the test.

import { Server } from 'socket.io-4';
import createAdapter, { createAdapter as named, RedisStore, type AdapterFactory } from 'socket.io-redis-native';

const adapter: AdapterFactory = createAdapter('redis://localhost:6379', { key: 'chat' });
const io = new Server({ adapter });
const ready: Promise<void> = adapter.ready();
const closed: Promise<void> = adapter.close();
const same: typeof createAdapter = named;
const store: AdapterFactory = new RedisStore().adapter();
export { closed, io, ready, same, store };
