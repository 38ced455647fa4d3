'use strict';

/** Values that cannot be text, as a client of Socket.IO 0.9 may send them. 0.9's own store ends its server there. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { after, before, describe, it } = require('node:test');
const { startRedis } = require('../../dev/redis-server');
const { LIMIT } = require('../support/limits');
const { Cluster, describeCluster } = require('../support/store-cluster');
const { ask, inbox, opener, subscribe } = require('../support/stores');
const { RedisStore } = require('../..');

const MUTE = { toString: 1 };
const VALUES = {
  'an object whose toString is no function': MUTE,
  'an object without a prototype': Object.create(null),
  'an array of such': [MUTE],
  'a deep array': Array.from({ length: 100_000 }).reduce((inner) => [inner], 'x'),
  'an object whose toString throws': {
    toString() {
      throw undefined;
    },
  },
};

describe('values that cannot be text', LIMIT, () => {
  let server;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());
  const open = opener(RedisStore, () => server);

  for (const [title, value] of Object.entries(VALUES)) {
    it(`${title}: the callback gets ERR_ENCODE`, async () => {
      const store = open();
      const client = store.client('id');
      const calls = [
        ['set', value, 'x'],
        ['set', 'key', value],
        ['set', value, Buffer.from('x')],
        ['get', value],
        ['del', value],
        ['has', value],
      ];
      for (const call of calls) {
        let isLater = false;
        const answer = ask(client, ...call).then((args) => {
          assert.ok(isLater);
          return args;
        });
        isLater = true;
        const args = await answer;
        assert.deepEqual(
          args.map(({ code }) => code),
          ['ERR_ENCODE'],
          call[0],
        );
      }
      assert.deepEqual(await ask(client, 'set', 'key', 'value'), [null, 1]);
      assert.deepEqual(await ask(client, 'get', 'key'), [null, 'value']);
    });

    it(`${title}: without a callback it is an event`, async () => {
      const store = open();
      const errors = inbox();
      store.on('error', errors);
      store.client('id').set('key', value).set(value, 'x').get(value).has(value).del(value);
      store.publish(value, 1);
      store.subscribe(
        value,
        () => {},
        () => assert.fail('subscribed'),
      );
      store.unsubscribe(value, () => assert.fail('unsubscribed'));
      assert.deepEqual(
        (await errors.take(8)).map(([{ code }]) => code),
        Array(8).fill('ERR_ENCODE'),
      );
    });

    it(`${title} as an id: every command says so`, async () => {
      const store = open();
      const errors = inbox();
      store.on('error', errors);
      const client = store.client(value);
      assert.equal(client.id, value);
      for (const call of [
        ['set', 'key', 'x'],
        ['get', 'key'],
        ['del', 'key'],
        ['has', 'key'],
      ]) {
        assert.deepEqual(
          (await ask(client, ...call)).map(({ code }) => code),
          ['ERR_ENCODE'],
          call[0],
        );
      }
      assert.equal(store.destroyClient(value), store);
      assert.deepEqual(store.clients, {});
      assert.equal(client.destroy(), client);
      assert.equal((await errors.next())[0].code, 'ERR_ENCODE');
    });
  }

  it('no listener: nothing is thrown', async (t) => {
    const warn = t.mock.method(console, 'warn', () => {});
    const store = open();
    store.client('id').set('key', MUTE);
    assert.match(warn.mock.calls[0].arguments[0], /ERR_ENCODE/);
  });

  it('what is nested deeper than the stack is an event, and not published', async () => {
    const [store, peer] = [open(), open()];
    const consumer = inbox();
    await subscribe(peer, 'message-remote', consumer);
    const told = once(store, 'error');
    store.on('publish', (name, id) => assert.equal(id, 'end'));
    store.publish('message-remote', 'id', { args: [VALUES['a deep array']] });
    store.publish('message-remote', 'end');
    assert.equal((await told)[0].code, 'ERR_ENCODE');
    assert.deepEqual(await consumer.next(), ['end']);
  });

  it('a message of a peer whose node id cannot be text is malformed', async () => {
    const store = open({ nodeId: 'a', pack: JSON.stringify, unpack: JSON.parse });
    const consumer = inbox();
    const told = once(store, 'error');
    await subscribe(store, 'message', consumer);
    await server.command('PUBLISH', 'message', '{"nodeId":{"toString":1},"args":[1]}');
    await server.command('PUBLISH', 'message', '{"nodeId":"b","args":[2]}');
    assert.deepEqual(await consumer.next(), [2]);
    assert.equal((await told)[0].code, 'ERR_MALFORMED_MESSAGE');
    await ask(store.client('id'), 'get', 'key');
    assert.equal(store.stats().malformed, 1);
  });
});

describeCluster('a client that sends values which cannot be text', new Cluster(['native']), (cluster) => {
  it('the server lives on', async () => {
    const [node] = cluster.nodes;
    const client = await cluster.connect(node);
    for (const value of [MUTE, [MUTE], { toString: null, valueOf: null }]) {
      assert.deepEqual(await client.ask('keep', 'key', value), ['ERR_ENCODE']);
      assert.deepEqual(await client.ask('keep', value, 'value'), ['ERR_ENCODE']);
    }
    assert.deepEqual(await client.ask('keep', 'key', { a: 1 }), [null]);
    assert.equal(await node.call('session', client.id, 'get', 'key'), '[object Object]');
  });
});
