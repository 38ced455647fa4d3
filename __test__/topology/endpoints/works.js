'use strict';

/** What the tests of endpoints of many servers share. */

const assert = require('node:assert/strict');
const { afterEach } = require('node:test');

const { closeAll, within } = require('../../support/load');

/**
 * Opens stores, and destroys them after each test.
 * @param {Function} RedisStore
 */
function opened(RedisStore) {
  const open = [];
  afterEach(() => closeAll(...open.splice(0)));
  return (endpoint) => {
    const store = new RedisStore({ redisPub: endpoint(), redisSub: endpoint(), redisClient: endpoint() });
    open.push(store);
    return store;
  };
}

/** The next error of a store. @returns {Promise<any>} */
function errorOf(store) {
  const told = new Promise((resolve) => {
    store.on('error', resolve);
  });
  return within('an error of a store', told, () => store.stats());
}

/** A client object must not take the process down; it never connects here. */
function quiet(endpoint) {
  endpoint.on?.('error', () => {});
  return endpoint;
}

/**
 * Checks that what one store publishes reaches another, and that both share their sessions.
 * @param {(endpoint: () => unknown) => any} open
 * @param {() => any} make the endpoint
 */
async function assertWorks(open, make) {
  const [from, to] = [1, 2].map(() => open(() => quiet(make())));
  const failed = new Promise((resolve, reject) => {
    for (const store of [from, to]) store.on('error', reject);
  });
  const known = () => [from.stats(), to.stats()];
  await within('two stores to work', Promise.race([failed, useBoth(from, to)]), known);
}

async function useBoth(from, to) {
  const received = new Promise((resolve) => {
    to.subscribe(
      'chat',
      (...args) => resolve(args),
      () => from.publish('chat', 'hello', 5),
    );
  });
  assert.deepEqual(await received, ['hello', 5]);
  for (const id of ['a', 'b', 'c']) {
    const call = (store, name, ...args) =>
      new Promise((resolve, reject) => {
        store.client(id)[name](...args, (error, value) => (error ? reject(error) : resolve(value)));
      });
    await call(from, 'set', 'key', id);
    assert.equal(await call(to, 'get', 'key'), id);
  }
}

module.exports = { assertWorks, errorOf, opened };
