'use strict';

/** What is said of options that are misspelt, or in the wrong place. */

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');
const { createAdapter, RedisStore } = require('../..');
const { startRedis } = require('../../dev/redis-server');
const { LIMIT } = require('../support/limits');

const URL = 'redis://localhost:6379';
const OF_ADAPTERS =
  /The options are key, requestsTimeout, .*, limits, offlineQueue, mailbox, overflow, commandTimeout, heartbeat\.$/;
const OF_STORES = /The options are nodeId, redis, redisPub, .*\.$/;
const OF_ENDPOINTS = /The options are host, port, path, .*socket.*, and others that change nothing here\.$/;

/** @type {Awaited<ReturnType<typeof startRedis>>} */
let redis;
/** @type {InstanceType<typeof RedisStore>} */
let store;
before(async () => {
  redis = await startRedis();
  store = new RedisStore({ redisPub: redis.url, redisSub: redis.url, redisClient: redis.url });
});
after(async () => {
  store.destroy();
  await redis.stop();
});

/**
 * @param {() => unknown} call
 * @param {string} option
 * @param {...(RegExp | string)} parts of the message
 */
function refused(call, option, ...parts) {
  assert.throws(call, (error) => {
    assert.ok(error instanceof TypeError);
    const { code, option: named, message } = /** @type {any} */ (error);
    assert.deepEqual([code, named], ['ERR_INVALID_OPTION', option], message);
    for (const part of parts)
      assert.match(message, part instanceof RegExp ? part : new RegExp(`Did you mean "${part}"\\?`));
    return true;
  });
}

describe('a misspelt option', LIMIT, () => {
  it('of an adapter, wherever options may stand, is named with the one that was meant and the known ones', () => {
    for (const args of [
      [URL, URL, { requestsTimout: 1 }],
      [URL, { requestsTimout: 1 }],
      [URL, { key: 'x', requestsTimout: 1 }],
      [URL, { commandTimeout: 1, requestsTimout: 1 }],
      [undefined, { requestsTimout: 1 }],
      // In the endpoint's place.
      [{ key: 'x', requestsTimout: 1 }],
      [{ requestsTimout: 1 }],
    ]) {
      refused(() => createAdapter(...args), 'requestsTimout', 'requestsTimeout', OF_ADAPTERS);
    }
    for (const [wrong, right] of [
      ['subscription_mode', 'subscriptionMode'],
      ['Parital', 'partial'],
      ['kye', 'key'],
      ['mailBox', 'mailbox'],
    ]) {
      refused(() => createAdapter(URL, { [wrong]: 1 }), wrong, right, OF_ADAPTERS);
    }
  });

  it('of an adapter on a store is told those that such one has', () => {
    refused(() => store.adapter({ requestsTimout: 1 }), 'requestsTimout', 'requestsTimeout', /partial, limits\.$/);
    refused(() => store.adapter({ mailbox: {} }), 'mailbox', /new RedisStore/);
  });

  it('of a store', () => {
    refused(() => new RedisStore({ redispub: URL }), 'redispub', 'redisPub', OF_STORES);
    refused(() => new RedisStore({ of_flineQueue: {} }), 'of_flineQueue', 'offlineQueue', OF_STORES);
  });

  it('of a queue', () => {
    for (const name of ['mailbox', 'offlineQueue']) {
      const options = { [name]: { mesages: 1 } };
      const calls = [() => createAdapter(URL, options), () => new RedisStore(options)];
      for (const call of calls) refused(call, `${name}.mesages`, 'messages', /The options are messages, bytes\.$/);
    }
  });

  it('of an endpoint, also where options of the adapter could stand', () => {
    refused(() => createAdapter({ hots: 'x' }), 'pubClient.hots', 'host', OF_ENDPOINTS);
    refused(() => createAdapter(URL, { hots: 'x' }), 'subClient.hots', 'host', OF_ENDPOINTS);
    refused(() => createAdapter(URL, { host: 'x', prot: 1 }), 'subClient.prot', 'port', OF_ENDPOINTS);
    refused(
      () => createAdapter({ host: 'x', maxRetriesPerReqest: 1 }),
      'pubClient.maxRetriesPerReqest',
      'maxRetriesPerRequest',
    );
    refused(
      () => createAdapter({ socket: { hostt: 'x' } }),
      'pubClient.socket.hostt',
      'host',
      /others that change nothing here\.$/,
    );
    refused(() => new RedisStore({ redisPub: { pasword: 'x' } }), 'redisPub.pasword', 'password', OF_ENDPOINTS);
  });

  it('that is near to none is told the known ones, and none that was not meant', () => {
    const none = /^(?!.*Did you mean)/;
    refused(() => createAdapter(URL, { zebra: 1 }), 'zebra', none, OF_ADAPTERS);
    refused(() => createAdapter({ zebra: 1 }), 'pubClient.zebra', none, OF_ENDPOINTS);
    refused(() => new RedisStore({ zebra: 1 }), 'zebra', none, OF_STORES);
    refused(() => createAdapter(URL, { ['x'.repeat(100_000)]: 1 }), 'x'.repeat(100_000), none);
  });
});

describe('an option in the wrong place', LIMIT, () => {
  it('of the adapter, in an endpoint', () => {
    const behind =
      /it is an option of the adapter; these come behind the endpoints: createAdapter\(endpoint, \{ key \}\)/;
    refused(() => createAdapter({ key: 'x' }), 'pubClient.key', behind);
    refused(() => createAdapter({ host: 'x', key: 'x' }), 'pubClient.key', behind);
    refused(() => createAdapter(URL, { host: 'x', key: 'x' }), 'subClient.key', behind);
    refused(() => createAdapter(URL, { key: 'x' }, {}), 'subClient.key', behind);
    refused(() => createAdapter({ offlineQueue: { messages: 1 } }), 'pubClient.offlineQueue', /behind the endpoints/);
  });

  it('of an endpoint, in a store', () => {
    for (const name of ['host', 'port', 'url', 'sentinels']) {
      refused(
        () => new RedisStore({ [name]: 1 }),
        name,
        /belongs to an endpoint/,
        new RegExp(`redisPub: { ${name}: … }`),
      );
    }
  });

  it('is none where both have that name', () => {
    createAdapter({ commandTimeout: 1, offlineQueue: true, parser: 'hiredis' });
    createAdapter(URL, { commandTimeout: 1 });
    createAdapter({});
  });
});
