'use strict';

/** What no server of Socket.IO 0.9 sends, on the channels by which these know of each other's clients. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const { describe, it } = require('node:test');
const { encode } = require('@msgpack/msgpack');
const socketIo = require('socket.io');
const { RedisStore } = require('../../..');
const { startRedis } = require('../../../dev/redis-server');
const { LIMIT } = require('../../support/limits');
const { EventLog, cleanup, until } = require('../../support/load');
const { implementations, createClient, subscribe } = require('../../support/stores');
const { mutants, randomMutants, USED } = require('./hostile');
const { connectRaw } = require('./raw-publisher');

/** In each codec. */
const COUNT = 50_000;
const PACKS = {
  json: (message) => JSON.stringify(message),
  msgpack: (message) => Buffer.from(encode(message, { maxDepth: 2000 })),
};

/** A server of Socket.IO 0.9 that listens to nobody but Redis. */
function managerOn(store) {
  const manager = socketIo.listen(http.createServer(), { log: false, store });
  manager.set('heartbeats', false);
  return manager;
}

/** Stands for the connection of a client. */
function transport(write) {
  const nothing = () => {};
  return { open: true, onDispatch: write, discard: nothing, onHeartbeatClear: nothing, onForcedDisconnect: nothing };
}

/** Collects what is uncaught, in the place of the test runner. */
function collectUncaught(after) {
  /** @type {any[]} */
  const uncaught = [];
  process.setUncaughtExceptionCaptureCallback((error) => uncaught.push(error));
  after(() => process.setUncaughtExceptionCaptureCallback(null));
  return uncaught;
}

async function start(t, options) {
  const after = cleanup(t);
  const redis = await startRedis({ args: ['--client-output-buffer-limit', 'pubsub 0 0 0'] });
  after(() => redis.stop());
  const store = new RedisStore({ redisPub: redis.url, redisSub: redis.url, redisClient: redis.url, ...options });
  after(() => store.destroy());
  const log = new EventLog(store);
  const manager = managerOn(store);
  await subscribe(store, 'last', () => {});
  const raw = await connectRaw(redis.port);
  after(() => raw.close());
  return { redis, store, log, manager, raw, uncaught: collectUncaught(after) };
}

describe('what no server of 0.9 sends', LIMIT, () => {
  for (const [codec, pack] of Object.entries(PACKS)) {
    it(`${codec}: throws nothing, leaves nothing behind and keeps nothing back`, async (t) => {
      const { redis, store, log, manager, raw, uncaught } = await start(t);
      const own = Reflect.ownKeys(Object).length;
      /** @type {unknown[]} */
      const heard = [];
      manager.onJoin('member', 'good');
      manager.transports.member = transport((packet) => heard.push(packet));
      await subscribe(store, 'application', (number) => heard.push(number));

      let sent = 0;
      const expected = [];
      const send = async ({ channel, message }) => {
        raw.publish(channel, pack(message));
        if (++sent % 100 > 0) return;
        raw.publish('application', pack({ nodeId: 'raw', args: [sent] }));
        raw.publish('dispatch', pack({ nodeId: 'raw', args: ['good', `5:::${sent}`, false, ['other']] }));
        expected.push(sent, `5:::${sent}`);
        await raw.done();
      };
      for (const mutant of mutants()) await send(mutant);
      for (const mutant of randomMutants(COUNT - sent)) await send(mutant);
      const good = ({ length }) => length === expected.length;
      await until('the good ones', () => good(heard.filter((one) => typeof one !== 'object')) || uncaught.length > 0);

      assert.deepEqual(uncaught, []);
      assert.deepEqual(heard, expected);
      assert.ok(sent >= COUNT);
      const { malformed, internalErrors } = store.stats();
      assert.ok(malformed > sent / 10, `${malformed} of ${sent}`);
      assert.equal(internalErrors, 0);
      assert.deepEqual([...new Set(log.all('error').map((one) => one.code))], ['ERR_MALFORMED_MESSAGE']);

      // Nothing is where all objects have it, and the manager's collection of garbage still runs.
      for (const name in {}) assert.fail(name);
      assert.equal(Reflect.ownKeys(Object).length, own);
      manager.garbageCollection();
      // All that is left is of ids that a server may use, and goes with them.
      for (const id of USED) raw.publish('disconnect-remote', pack({ nodeId: 'raw', args: [id, 'over'] }));
      raw.publish('application', pack({ nodeId: 'raw', args: ['end'] }));
      await until('the end', () => heard.at(-1) === 'end');
      manager.onClientDisconnect('member');
      for (const map of ['handshaken', 'connected', 'open', 'closed', 'roomClients', 'rooms', 'transports'])
        assert.deepEqual(Object.keys(manager[map]), [], map);
      for (const { sockets } of Object.values(manager.namespaces))
        assert.ok(Object.keys(sockets).every((id) => USED.includes(id) || id.includes('\ufffd')));
      assert.deepEqual(uncaught, []);
      assert.equal(await redis.command('PING'), 'PONG');
    });
  }

  it('what listeners of the application throw is theirs, with the channel', async (t) => {
    const { store, manager, raw, uncaught } = await start(t);
    const message = (channel, ...args) => raw.publish(channel, PACKS.json({ nodeId: 'raw', args }));
    manager.sockets.on('connection', (socket) => {
      socket.on('ask', () => {
        throw new Error('of a listener');
      });
    });
    await subscribe(store, 'application', () => {
      throw new Error('of a consumer');
    });
    message('handshake', '1', { headers: {} });
    message('message-remote', '1', { type: 'connect', endpoint: '' });
    message('message-remote', '1', { type: 'event', name: 'ask', args: [], endpoint: '' });
    message('application');
    await until('both', () => uncaught.length >= 2);
    assert.deepEqual(
      uncaught.map((error) => [error.message, error.channel]),
      [
        ['of a listener', 'message-remote'],
        ['of a consumer', 'application'],
      ],
    );
    assert.equal(store.stats().malformed, 0);
  });

  it('a message for a client that is not there is told', async (t) => {
    const { store, log, manager, raw } = await start(t);
    const packet = { type: 'connect', endpoint: '/chat' };
    manager.of('/chat').authorization(({ headers }, allow) => allow(null, Boolean(headers)));
    raw.publish('message-remote', PACKS.json({ nodeId: 'raw', args: ['nobody', packet] }));
    await log.next('error', undefined, ({ code }) => code === 'ERR_MALFORMED_MESSAGE', 0);
    assert.equal(store.stats().malformed, 1);
    assert.deepEqual(Object.keys(manager.of('/chat').sockets), []);
  });

  it('the same with an unpack of the application', async (t) => {
    const { store, raw, uncaught } = await start(t, { pack: JSON.stringify, unpack: JSON.parse });
    for (const { channel, message } of mutants()) raw.publish(channel, PACKS.json(message));
    let over = false;
    await subscribe(store, 'end', () => (over = true));
    raw.publish('end', PACKS.json({ nodeId: 'raw', args: [] }));
    await until('the end', () => over || uncaught.length > 0);
    assert.deepEqual(uncaught, []);
    assert.ok(store.stats().malformed > 0);
  });

  it('a store without a manager gives the application what arrives', async (t) => {
    const { store, raw } = await start(t);
    store.manager = undefined;
    /** @type {any[]} */
    const got = [];
    await subscribe(store, 'join', (...args) => got.push(args));
    raw.publish('join', PACKS.json({ nodeId: 'raw', args: [{}, null, 3] }));
    await until('it', () => got.length > 0);
    assert.deepEqual(got, [[{}, null, 3]]);
  });

  for (const [channel, ...args] of [
    ['message-remote', '1', null],
    ['open', 'constructor'],
    ['join', '1', '__proto__'],
  ]) {
    it(`${channel}: a server with the JavaScript store ends`, async (t) => {
      const after = cleanup(t);
      const redis = await startRedis();
      after(() => redis.stop());
      const [redisPub, redisSub, redisClient] = [0, 1, 2].map(() => createClient(redis.port));
      // The client of 0.9 catches what its listeners throw, and emits it: where nobody listens, that is uncaught.
      const failed = once(redisSub, 'error');
      const store = new implementations[0].RedisStore({ redis: require('redis-0.7'), redisPub, redisSub, redisClient });
      after(() => store.destroy());
      managerOn(store);
      await subscribe(store, 'last', () => {});
      const raw = await connectRaw(redis.port);
      after(() => raw.close());
      raw.publish(/** @type {string} */ (channel), PACKS.json({ nodeId: 'raw', args }));
      const [error] = await failed;
      assert.ok(error instanceof TypeError);
    });
  }
});

describe('a dispatch with as many exceptions as there are clients', LIMIT, () => {
  it('reaches the others, and no client twice', async (t) => {
    const { manager, raw } = await start(t);
    const ids = Array.from({ length: 10_000 }, (_, i) => `client-${i}`);
    /** @type {string[]} */
    const heard = [];
    for (const id of ids) {
      manager.onJoin(id, 'room');
      manager.transports[id] = transport(() => heard.push(id));
    }
    const exceptions = ids.filter((_, i) => i % 2 === 0);
    raw.publish('dispatch', PACKS.json({ nodeId: 'raw', args: ['room', '3:::x', false, exceptions] }));
    await until('the last', () => heard.at(-1) === ids.at(-1));
    assert.deepEqual(
      heard,
      ids.filter((_, i) => i % 2 === 1),
    );
  });
});
