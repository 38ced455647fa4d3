'use strict';

/** How deep an argument of a message may be nested: 512 levels, whatever is around it. */

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');

const { encode } = require('@msgpack/msgpack');

const { startRedis } = require('../../dev/redis-server.js');
const { nested } = require('../adapter/differential/unencodable');
const { LIMIT } = require('../support/limits');
const { EventLog } = require('../support/load');
const { implementations, inbox, opener, subscribe } = require('../support/stores.js');

const FITS = [1, nested(512), { a: nested(511) }];
const DEEPER = [[nested(513)], [1, { a: nested(512) }]];

describe('depth of arguments', LIMIT, () => {
  let redis;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis.stop());
  const [openOriginal, openOurs] = implementations.map(({ RedisStore }) => opener(RedisStore, () => redis));

  it('512 levels reach both stores from both', async () => {
    const stores = [openOriginal(), openOurs()];
    const got = stores.map(() => inbox());
    await Promise.all(stores.map((store, i) => subscribe(store, 'channel', got[i])));
    for (const [i, store] of stores.entries()) {
      store.publish('channel', ...FITS);
      assert.deepEqual(await got[1 - i].next(), FITS);
    }
  });

  for (const codec of ['json', 'msgpack']) {
    it(`${codec}: 512 levels cross, 513 are an error here and malformed there`, async () => {
      const [sender, receiver] = [openOurs({ codec }), openOurs({ codec })];
      const [sent, received] = [new EventLog(sender), new EventLog(receiver)];
      const got = inbox();
      await subscribe(receiver, 'channel', got);
      for (const args of DEEPER) {
        sender.publish('channel', ...args);
        const message = { nodeId: 'raw', args };
        const packed = codec === 'json' ? JSON.stringify(message) : Buffer.from(encode(message, { maxDepth: 1000 }));
        await redis.command('PUBLISH', 'channel', packed);
      }
      sender.publish('channel', ...FITS);
      assert.deepEqual(await got.next(), FITS);
      await sent.next('error', undefined, ({ code }) => code === 'ERR_ENCODE', 0);
      assert.equal(sender.stats().dropped, DEEPER.length);
      assert.equal(receiver.stats().malformed, DEEPER.length);
      assert.match(received.errors('ERR_MALFORMED_MESSAGE')[0].error.message, /\(depth\)/);
    });
  }
});
