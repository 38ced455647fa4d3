// The same in CommonJS.

import createAdapter = require('socket.io-redis-native');
import byDefault, { type AdapterFactory } from 'socket.io-redis-native';

const adapter: AdapterFactory = createAdapter.default('redis://localhost:6379');
const same: AdapterFactory = byDefault();
export { adapter, same };
