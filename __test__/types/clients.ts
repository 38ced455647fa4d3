// The newest clients are endpoints, as their own types have them.

import { Redis } from 'ioredis-6';
import { createClient } from 'redis-6';
import { createAdapter, RedisStore } from '../..';

createAdapter(createClient({ socket: { port: 1 } }), new Redis());
new RedisStore({ redisPub: createClient(), redisSub: new Redis() });
